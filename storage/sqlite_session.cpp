#include "storage/sqlite_session.hpp"

#include "base/log.hpp"
#include "storage/sqlite_checkpointer.hpp"
#include "storage/statement_text.hpp"

#include <sqlite3.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

namespace connectord::storage {
namespace {

// The default pages of 4 KiB: larger ones take a webhook body in fewer pieces, but the many index pages
// that each commit touches then cost more than that saves.
constexpr auto setup =
    "PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA journal_size_limit=67108864;";

struct close_database {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
struct finalize_statement {
  void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};
using database = std::unique_ptr<sqlite3, close_database>;

struct statement {
  std::unique_ptr<sqlite3_stmt, finalize_statement> handle;
  std::vector<std::size_t> arguments;  ///< for each SQLite parameter, which `$n` it is, from 0
};

/// "UNIQUE constraint failed: t.a, t.b" -> "a, b", as PostgreSQL reports it.
std::string columns_of(std::string_view message) {
  std::string columns;
  if (const auto colon = message.find(": "); colon != std::string_view::npos)
    message.remove_prefix(colon + 2);
  while (!message.empty()) {
    const auto comma = message.find(", ");
    auto column = message.substr(0, comma);
    if (const auto dot = column.find('.'); dot != std::string_view::npos) column.remove_prefix(dot + 1);
    columns.append(columns.empty() ? "" : ", ").append(column);
    message = comma == std::string_view::npos ? std::string_view{} : message.substr(comma + 2);
  }
  return columns;
}

std::string_view without_row_locks(std::string_view sql) {
  for (const std::string_view lock : {" FOR UPDATE SKIP LOCKED", " FOR NO KEY UPDATE", " FOR UPDATE"})
    if (sql.ends_with(lock)) return sql.substr(0, sql.size() - lock.size());
  return sql;
}

class sqlite_row final : public row {
 public:
  explicit sqlite_row(sqlite3_stmt* s) : s_(s) {}

  bool is_null(int c) const override { return sqlite3_column_type(s_, c) == SQLITE_NULL; }
  std::int64_t integer(int c) const override { return sqlite3_column_int64(s_, c); }
  double real(int c) const override { return sqlite3_column_double(s_, c); }
  std::string_view text(int c) const override {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(s_, c));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(s_, c))};
  }
  std::string_view bytes(int c) const override {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(s_, c));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(s_, c))};
  }

 private:
  sqlite3_stmt* s_;
};

class sqlite_session final : public session {
 public:
  sqlite_session(database db, std::shared_ptr<sqlite_checkpointer> checkpoints)
      : checkpoints_(std::move(checkpoints)), db_(std::move(db)) {}

  dialect kind() const noexcept override { return dialect::sqlite; }

  result<> query(std::string_view sql, std::span<const param> arguments, const on_row& each) override {
    if (auto ok = admit(); !ok) return ok;
    auto prepared = prepare(sql);
    if (!prepared) return prepared.error();
    auto* s = (*prepared)->handle.get();
    if (sqlite3_stmt_busy(s)) return wrong_statement("statement used by its own row handler");
    // Ends the read that an unfinished statement holds open, also when `each` throws.
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> rewind{s, &sqlite3_reset};
    if (auto ok = bind(**prepared, arguments); !ok) return ok;
    const sqlite_row current{s};
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
      if (each) each(current);
    if (rc != SQLITE_DONE) return fail();
    return {};
  }

  result<std::int64_t> execute(std::string_view sql, std::span<const param> arguments) override {
    if (auto ok = query(sql, arguments, {}); !ok) return ok.error();
    return sqlite3_changes64(db_.get());
  }

  result<> script(std::string_view sql) override {
    if (auto ok = admit(); !ok) return ok;
    return run(std::string{sql}.c_str());
  }

  result<> begin_write() override { return begin("BEGIN IMMEDIATE"); }
  result<> begin_read() override {
    if (auto ok = begin("BEGIN"); !ok) return ok;
    read_only_ = true;
    return run("PRAGMA query_only=ON");
  }

  result<> commit() override {
    if (failed_) {
      rollback();
      return wrong_statement("commit of a failed transaction");
    }
    const auto ok = run("COMMIT");
    if (ok) {
      leave_read_only();
      return {};
    }
    // Anything but an I/O error means that the commit frame was not written.
    const bool in_doubt = (sqlite3_errcode(db_.get()) & 0xff) == SQLITE_IOERR;
    rollback();
    if (in_doubt) return error{errc::commit_in_doubt};
    return ok;
  }

  void rollback() noexcept override {
    if (!sqlite3_get_autocommit(db_.get())) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    failed_ = false;
    leave_read_only();
  }

  result<> savepoint() override {
    if (auto ok = admit(); !ok) return ok;
    return run("SAVEPOINT s");
  }
  result<> release() override {
    if (auto ok = admit(); !ok) return ok;
    return run("RELEASE s");
  }
  result<> rollback_to_savepoint() override {
    if (sqlite3_get_autocommit(db_.get())) return wrong_statement("the transaction was rolled back");
    if (auto ok = run("ROLLBACK TO s; RELEASE s"); !ok) return ok;
    failed_ = false;
    return {};
  }

  bool alive() const noexcept override { return alive_; }

  result<> prepare_connection(milliseconds busy) {
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_LOOKASIDE, nullptr, 1024, 256);
    sqlite3_extended_result_codes(db_.get(), 1);
    sqlite3_busy_timeout(db_.get(), static_cast<int>(busy.count()));
    if (auto ok = run(setup); !ok) return ok;
    checkpoints_->follow(db_.get());
    return {};
  }

 private:
  result<> admit() const {
    if (!alive_) return unavailable("lost");
    if (failed_) return wrong_statement("the transaction has failed");
    return {};
  }

  result<> begin(const char* sql) {
    if (!alive_) return unavailable("lost");
    if (!sqlite3_get_autocommit(db_.get())) return wrong_statement("transaction inside a transaction");
    failed_ = false;
    return run(sql);
  }

  void leave_read_only() noexcept {
    if (!read_only_) return;
    sqlite3_exec(db_.get(), "PRAGMA query_only=OFF", nullptr, nullptr, nullptr);
    read_only_ = false;
  }

  result<> run(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return fail();
  }

  result<statement*> prepare(std::string_view sql) {
    if (const auto known = cache_.find(sql); known != cache_.end()) return &known->second;
    if (cache_.size() >= max_cached_statements) cache_.clear();
    const auto text = without_row_locks(sql);
    sqlite3_stmt* handle = nullptr;
    const int rc = sqlite3_prepare_v3(db_.get(), text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    statement made{.handle{handle}, .arguments{}};
    if (rc != SQLITE_OK) return fail();
    for (int i = 1; i <= sqlite3_bind_parameter_count(handle); ++i) {
      const std::string_view name = sqlite3_bind_parameter_name(handle, i);
      std::size_t number = 0;
      std::from_chars(name.data() + 1, name.data() + name.size(), number);
      if (number == 0) return wrong_statement("a parameter is no $number");
      made.arguments.push_back(number - 1);
    }
    return &cache_.emplace(sql, std::move(made)).first->second;
  }

  result<> bind(const statement& prepared, std::span<const param> arguments) {
    auto* s = prepared.handle.get();
    for (std::size_t i = 0; i < prepared.arguments.size(); ++i) {
      if (prepared.arguments[i] >= arguments.size()) return wrong_statement("too few parameters");
      const int slot = static_cast<int>(i) + 1;
      const int rc = std::visit(
          [&](const auto& v) {
            using type = std::decay_t<decltype(v)>;
            if constexpr (std::is_same_v<type, std::monostate>)
              return sqlite3_bind_null(s, slot);
            else if constexpr (std::is_same_v<type, std::int64_t>)
              return sqlite3_bind_int64(s, slot, v);
            else if constexpr (std::is_same_v<type, double>)
              return sqlite3_bind_double(s, slot, v);
            else if constexpr (std::is_same_v<type, blob>)  // a null pointer would bind NULL
              return sqlite3_bind_blob64(s, slot, v.bytes.empty() ? "" : v.bytes.data(), v.bytes.size(),
                                         SQLITE_STATIC);
            else
              return sqlite3_bind_text64(s, slot, v.empty() ? "" : v.data(), v.size(), SQLITE_STATIC,
                                         SQLITE_UTF8);
          },
          arguments[prepared.arguments[i]].value());
      if (rc != SQLITE_OK) return fail();
    }
    return {};
  }

  /// What SQLite says about the last call, as one of our errors.
  error fail() {
    const int code = sqlite3_extended_errcode(db_.get());
    const std::string message = sqlite3_errmsg(db_.get());
    failed_ = failed_ || !sqlite3_get_autocommit(db_.get());
    switch (code) {
      case SQLITE_CONSTRAINT_UNIQUE:
      case SQLITE_CONSTRAINT_PRIMARYKEY: return unique_conflict(columns_of(message));
      case SQLITE_CONSTRAINT_FOREIGNKEY: return wrong_statement("foreign_key");
      default: break;
    }
    log::warn("store.error", {{"code", code}, {"error", message}});
    switch (code & 0xff) {
      case SQLITE_FULL: return unavailable("full");
      case SQLITE_BUSY:
      case SQLITE_LOCKED: return unavailable("busy");
      case SQLITE_IOERR:  // what the page cache holds can no longer be trusted
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_CANTOPEN: alive_ = false; return unavailable("io");
      case SQLITE_NOMEM: return unavailable("memory");
      case SQLITE_READONLY: return read_only_ ? wrong_statement("read_only") : unavailable("read_only");
      case SQLITE_CONSTRAINT: return wrong_statement("constraint");
      default: return wrong_statement(message.starts_with("no such table") ? "undefined_table" : "statement");
    }
  }

  std::shared_ptr<sqlite_checkpointer> checkpoints_;
  database db_;
  std::unordered_map<std::string, statement, text_hash, std::equal_to<>> cache_;
  bool alive_ = true, failed_ = false, read_only_ = false;
};

class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

descriptor open_private(const std::string& path) {
  return descriptor{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
}

/// The file itself remembers the mode. SQLite asks no busy handler here: of two processes that switch a new
/// file at the same moment one is refused at once, so it tries again.
result<> switch_to_wal(sqlite3* db, milliseconds patience) {
  constexpr milliseconds pause{5};
  for (milliseconds waited{0};; waited += pause) {
    const int rc = sqlite3_exec(db, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
    if (rc == SQLITE_OK) return {};
    if (rc != SQLITE_BUSY) return unavailable("open");
    if (waited >= patience) return unavailable("busy");
    std::this_thread::sleep_for(pause);
  }
}

class sqlite_store final : public store {
 public:
  sqlite_store(std::string path, milliseconds busy, descriptor lock)
      : path_(std::move(path)),
        busy_(busy),
        lock_(std::move(lock)),
        checkpoints_(std::make_shared<sqlite_checkpointer>(path_)) {}

  dialect kind() const noexcept override { return dialect::sqlite; }

  result<std::unique_ptr<session>> open() override {
    auto db = open_file();
    if (!db) return unavailable("open");
    auto made = std::make_unique<sqlite_session>(std::move(db), checkpoints_);
    if (auto ok = made->prepare_connection(busy_); !ok) return ok.error();
    return made;
  }

  std::optional<file_space> space() const override {
    std::error_code absent, failed;
    const auto log = std::filesystem::file_size(path_ + "-wal", absent);
    const auto disk = std::filesystem::space(std::filesystem::absolute(path_).parent_path(), failed);
    if (failed) return std::nullopt;
    return file_space{absent ? 0 : static_cast<std::int64_t>(log), static_cast<std::int64_t>(disk.available)};
  }

  result<> prepare_file() const {
    const auto db = open_file();
    return db ? switch_to_wal(db.get(), busy_) : unavailable("open");
  }

 private:
  database open_file() const {
    sqlite3* raw = nullptr;
    const int rc = sqlite3_open_v2(
        path_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
    database db{raw};  // also what failed to open has to be closed
    return rc == SQLITE_OK ? std::move(db) : database{};
  }

  std::string path_;
  milliseconds busy_;
  descriptor lock_;
  std::shared_ptr<sqlite_checkpointer> checkpoints_;
};

}  // namespace

result<std::unique_ptr<store>> open_sqlite(std::string path, milliseconds busy, bool exclusive) {
  namespace fs = std::filesystem;
  // Nobody reads SQLite's memory counters, and they cost a process-wide lock at every allocation.
  static const int counters_off = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(counters_off);
  std::error_code failed;
  const auto folder = fs::absolute(path, failed).parent_path();
  if (!fs::exists(folder, failed)) {
    fs::create_directories(folder, failed);
    if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
    if (failed) return unavailable("folder");
  }
  if (!open_private(path)) return unavailable("open");
  descriptor lock;
  if (exclusive) {
    lock = open_private(path + ".lock");
    if (!lock) return unavailable("lock");
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return error{errc::conflict, "The database is in use."};
  }
  auto made = std::make_unique<sqlite_store>(std::move(path), busy, std::move(lock));
  if (auto ok = made->prepare_file(); !ok) return ok.error();
  return made;
}

}  // namespace connectord::storage
