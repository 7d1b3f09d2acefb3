#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace connectord::storage {

/// Raw bytes, as opposed to text.
struct blob {
  std::string_view bytes;
};

/// One statement parameter. Text and bytes are borrowed until the call returns.
class param {
 public:
  param(std::nullptr_t) {}
  param(std::int64_t v) : value_(v) {}
  param(int v) : value_(static_cast<std::int64_t>(v)) {}
  param(double v) : value_(v) {}
  param(std::string_view v) : value_(v) {}
  param(const std::string& v) : value_(std::string_view{v}) {}
  param(const char* v) : value_(std::string_view{v}) {}
  param(blob v) : value_(v) {}
  param(timestamp v) : value_(to_millis(v)) {}
  param(const uuid& v) : value_(v.text()) {}
  template <class Tag>
  param(const strong_id<Tag>& v) : value_(v.text()) {}
  template <class T>
  param(const std::optional<T>& v) {
    if (v) value_ = param{*v}.value_;
  }

  using type = std::variant<std::monostate, std::int64_t, double, std::string_view, blob>;
  const type& value() const noexcept { return value_; }

 private:
  type value_;
};
using params = std::initializer_list<param>;

/// The row under the cursor; views live until the next row. Columns count from 0.
class row {
 public:
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  /// Of a BLOB column.
  virtual std::string_view bytes(int column) const = 0;

  std::string str(int column) const { return std::string{text(column)}; }
  timestamp time(int column) const { return from_millis(integer(column)); }
  std::optional<timestamp> maybe_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional{time(column)};
  }
  std::optional<std::string> maybe_str(int column) const {
    return is_null(column) ? std::nullopt : std::optional{str(column)};
  }
  std::optional<std::string> maybe_bytes(int column) const {
    return is_null(column) ? std::nullopt : std::optional{std::string{bytes(column)}};
  }

 protected:
  ~row() = default;
};

enum class dialect { sqlite, postgresql };

/// One connection to the store; used by one thread at a time. The SQL text is the same for both
/// drivers: `$1` placeholders, INTEGER milliseconds, ids and JSON as TEXT, bodies and ciphertexts
/// as BLOB. What differs between the dialects lives in the drivers.
///
/// Errors: CONFLICT for a unique violation (`details.constraint` names it), DATABASE_UNAVAILABLE
/// for a lost connection, a busy or a full store (`details.reason` = "full"), COMMIT_IN_DOUBT when a commit
/// may or may not have happened, INTERNAL for a statement that is wrong. After any error but CONFLICT inside
/// a savepoint the caller rolls back.
class session {
 public:
  using on_row = std::function<void(const row&)>;

  virtual ~session() = default;

  virtual dialect kind() const noexcept = 0;

  /// Runs one statement; calls `each` for every row that it gives.
  virtual result<> query(std::string_view sql, std::span<const param> arguments, const on_row& each) = 0;
  /// Runs one statement; the number of rows that it changed.
  virtual result<std::int64_t> execute(std::string_view sql, std::span<const param> arguments) = 0;
  /// Several statements without parameters, for migrations.
  virtual result<> script(std::string_view sql) = 0;

  virtual result<> begin_write() = 0;  ///< takes the write lock at once where there is one
  virtual result<> begin_read() = 0;   ///< a consistent, read-only view
  virtual result<> commit() = 0;
  virtual void rollback() noexcept = 0;
  virtual result<> savepoint() = 0;
  virtual result<> release() = 0;
  virtual result<> rollback_to_savepoint() = 0;

  /// False once the connection is known to be lost; the owner then opens a new session.
  virtual bool alive() const noexcept = 0;

  result<> query(std::string_view sql, params arguments, const on_row& each) {
    return query(sql, std::span{arguments.begin(), arguments.size()}, each);
  }
  result<std::int64_t> execute(std::string_view sql, params arguments = {}) {
    return execute(sql, std::span{arguments.begin(), arguments.size()});
  }
};

/// Where the store is. Parsed from `sqlite:///absolute`, `sqlite://relative` or `postgresql://…`.
struct location {
  dialect kind = dialect::sqlite;
  std::string target;  ///< a file path, or a libpq URL
};

/// Of a store that is a file of ours, in bytes.
struct file_space {
  std::int64_t log = 0;   ///< the write-ahead log beside the database
  std::int64_t free = 0;  ///< what the disk has left for us
};

/// Opens sessions of one store; safe to call from any thread.
class store {
 public:
  virtual ~store() = default;
  virtual dialect kind() const noexcept = 0;
  virtual result<std::unique_ptr<session>> open() = 0;
  virtual std::optional<file_space> space() const { return std::nullopt; }
};

/// SQLite: makes the folder and the file (0700/0600) when absent. `busy` bounds lock waits and connection
/// attempts. `exclusive` takes the advisory lock that allows one `serve` per file: CONFLICT when
/// somebody else holds it; it is held until the store goes away.
result<std::unique_ptr<store>> open_store(const location& where, milliseconds busy, bool exclusive);

}  // namespace connectord::storage
