#include "storage/postgres_session.hpp"

#include "base/log.hpp"
#include "storage/statement_text.hpp"

#include <pqxx/pqxx>

#include <array>
#include <charconv>
#include <unordered_map>
#include <vector>

namespace connectord::storage {
namespace {

class postgres_row final : public row {
 public:
  explicit postgres_row(const pqxx::row& r) : row_(r) {}

  bool is_null(int c) const override { return at(c).is_null(); }
  std::int64_t integer(int c) const override { return at(c).as<std::int64_t>(0); }
  double real(int c) const override { return at(c).as<double>(0); }
  std::string_view text(int c) const override { return {at(c).c_str(), at(c).size()}; }
  std::string_view bytes(int c) const override {
    if (decoded_.empty()) decoded_.resize(static_cast<std::size_t>(row_.size()));
    auto& bytes = decoded_[static_cast<std::size_t>(c)];
    if (!is_null(c) && bytes.empty()) bytes = pqxx::binarystring{at(c)}.str();
    return bytes;
  }

 private:
  pqxx::field at(int c) const { return row_[static_cast<pqxx::row::size_type>(c)]; }

  const pqxx::row& row_;
  mutable std::vector<std::string> decoded_;  ///< by column; most rows have no bytes
};

/// `Key (a, b)=(1, 2) already exists.` -> "a, b". The words around it depend on the server's
/// language, the shape does not.
std::string columns_of(std::string_view message) {
  const auto end = message.find(")=(");
  if (end == std::string_view::npos) return {};
  const auto start = message.rfind('(', end);
  return std::string{message.substr(start + 1, end - start - 1)};
}

class postgres_session final : public session {
 public:
  postgres_session(const std::string& url, milliseconds busy)
      : connection_(url), quiet_(connection_), link_(connection_) {
#include <pqxx/internal/ignore-deprecated-pre.hxx>
    // The one switch that 6.4 has against statements that silently run on a new connection, outside
    // of the transaction that they were meant for.
    connection_.inhibit_reactivation(true);
#include <pqxx/internal/ignore-deprecated-post.hxx>
    const auto wait = std::to_string(busy.count());
    link_.exec(
        "SET client_encoding TO 'UTF8'; SET bytea_output TO 'hex'; SET timezone TO 'UTC';"
        "SET standard_conforming_strings TO on; SET lock_timeout TO " +
        wait +
        ";"
        "SET statement_timeout TO 60000; SET idle_in_transaction_session_timeout TO 60000;"
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'");
  }

  dialect kind() const noexcept override { return dialect::postgresql; }

  result<> query(std::string_view sql, std::span<const param> arguments, const on_row& each) override {
    const auto rows = run(sql, arguments);
    if (!rows) return rows.error();
    if (each)
      for (const auto& r : *rows) each(postgres_row{r});
    return {};
  }

  result<std::int64_t> execute(std::string_view sql, std::span<const param> arguments) override {
    const auto rows = run(sql, arguments);
    if (!rows) return rows.error();
    return static_cast<std::int64_t>(rows->affected_rows());
  }

  result<> script(std::string_view sql) override { return plain(to_postgresql(sql)); }

  result<> begin_write() override { return begin("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"); }
  result<> begin_read() override { return begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); }

  result<> commit() override {
    if (failed_) {  // PostgreSQL would answer the COMMIT with a ROLLBACK, and call that success
      rollback();
      return wrong_statement("commit of a failed transaction");
    }
    committing_ = true;
    auto ok = plain("COMMIT");
    committing_ = false;
    open_ = false;
    if (!ok && alive_) rollback();
    return ok;
  }

  void rollback() noexcept override {
    failed_ = false;
    if (!std::exchange(open_, false) || !alive_) return;
    try {
      if (!plain("ROLLBACK")) alive_ = false;
    } catch (...) {
      alive_ = false;
    }
    failed_ = false;
  }

  result<> savepoint() override { return plain("SAVEPOINT s"); }
  result<> release() override { return plain("RELEASE SAVEPOINT s"); }
  result<> rollback_to_savepoint() override {
    failed_ = false;
    return plain("ROLLBACK TO SAVEPOINT s; RELEASE SAVEPOINT s");
  }

  bool alive() const noexcept override { return alive_; }

 private:
  result<> begin(const char* sql) {
    if (open_) return wrong_statement("transaction inside a transaction");
    failed_ = false;
    auto ok = plain(sql);
    open_ = ok.has_value();
    return ok;
  }

  result<> plain(const std::string& sql) {
    const auto rows = guarded([&] { return link_.exec(sql); });
    if (!rows) return rows.error();
    return {};
  }

  result<pqxx::result> run(std::string_view sql, std::span<const param> arguments) {
    return guarded([&] {
#include <pqxx/internal/ignore-deprecated-pre.hxx>
      // The other ways to pass parameters want their number and types at compile time.
      auto call = link_.prepared(name_of(sql));
#include <pqxx/internal/ignore-deprecated-post.hxx>
      for (const auto& argument : arguments)
        std::visit(
            [&](const auto& v) {
              using type = std::decay_t<decltype(v)>;
              if constexpr (std::is_same_v<type, std::monostate>)
                call();
              else if constexpr (std::is_same_v<type, std::string_view>)
                call(std::string{v});
              else if constexpr (std::is_same_v<type, blob>)
                call(pqxx::binarystring{v.bytes.data(), v.bytes.size()});
              else
                call(v);
            },
            argument.value());
      return call.exec();
    });
  }

  const std::string& name_of(std::string_view sql) {
    if (const auto known = names_.find(sql); known != names_.end()) return known->second;
    if (names_.size() >= max_cached_statements) {
      for (const auto& [text, name] : names_) connection_.unprepare(name);
      names_.clear();
    }
    auto name = "q" + std::to_string(++prepared_);
    connection_.prepare(name, std::string{sql});
    return names_.emplace(sql, std::move(name)).first->second;
  }

  /// Runs one exchange with the server; every way in which it can fail becomes a value here.
  template <class F>
  result<pqxx::result> guarded(F exchange) {
    if (!alive_) return unavailable("lost");
    if (failed_) return wrong_statement("the transaction has failed");
    try {
      return exchange();
    } catch (const pqxx::broken_connection& e) {
      return lost(e.what());
    } catch (const pqxx::in_doubt_error& e) {
      return lost(e.what());
    } catch (const pqxx::statement_completion_unknown& e) {
      return lost(e.what());
    } catch (const pqxx::transaction_rollback&) {  // serialization failure or deadlock
      return refused(unavailable("busy"));
    } catch (const pqxx::sql_error& e) {
      // Without a state it is not the server that speaks, but the link to it that broke.
      if (!connection_.is_open() || e.sqlstate().empty()) return lost(e.what());
      return refused(meaning(e));
    } catch (const pqxx::pqxx_exception& e) {
      if (!connection_.is_open()) return lost(e.base().what());
      return refused(wrong_statement("client"));
    }
  }

  error lost(std::string_view message) {
    alive_ = false;
    log::warn("store.connection_lost", {{"error", message}, {"committing", committing_}});
    if (committing_) return error{errc::commit_in_doubt};
    return unavailable("lost");
  }

  error refused(error e) {
    failed_ = failed_ || open_;
    return e;
  }

  static error meaning(const pqxx::sql_error& e) {
    const std::string_view state = e.sqlstate();
    if (state == "23505") return unique_conflict(columns_of(e.what()));
    if (state == "23503") return wrong_statement("foreign_key");
    log::warn("store.error", {{"code", state}, {"error", state.starts_with("23") ? "" : e.what()}});
    if (state == "53100") return unavailable("full");
    if (state == "55P03" || state == "57014" || state.starts_with("40")) return unavailable("busy");
    if (state.starts_with("53") || state.starts_with("57") || state.starts_with("58") ||
        state.starts_with("08"))
      return unavailable("server");
    if (state == "25006") return wrong_statement("read_only");
    if (state == "42P01") return wrong_statement("undefined_table");
    return wrong_statement(state.starts_with("23") ? "constraint" : "statement");
  }

  pqxx::connection connection_;
  pqxx::quiet_errorhandler quiet_;  ///< libpqxx would write the server's notices to stderr
  pqxx::nontransaction link_;       ///< BEGIN and COMMIT are ours, so that we know which of them failed
  std::unordered_map<std::string, std::string, text_hash, std::equal_to<>> names_;
  std::uint64_t prepared_ = 0;
  bool alive_ = true, open_ = false, failed_ = false, committing_ = false;
};

/// What the URL does not say: how long to wait for a connection, and for a peer that went silent.
std::string with_defaults(std::string url, milliseconds busy) {
  const auto add = [&](std::string_view name, std::string value) {
    if (url.find(std::string{name} + "=") != std::string::npos) return;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url.append(name).append("=").append(value);
  };
  add("connect_timeout", std::to_string(std::max<std::int64_t>(2, (busy.count() + 999) / 1000)));
  add("application_name", "connectord");
  add("keepalives_idle", "30");
  add("tcp_user_timeout", "30000");
  return url;
}

class postgres_store final : public store {
 public:
  postgres_store(std::string url, milliseconds busy)
      : url_(with_defaults(std::move(url), busy)), busy_(busy) {}

  dialect kind() const noexcept override { return dialect::postgresql; }

  result<std::unique_ptr<session>> open() override {
    try {
      return std::make_unique<postgres_session>(url_, busy_);
    } catch (const pqxx::pqxx_exception&) {  // its text may repeat the URL, and with it a password
      return unavailable("connect");
    }
  }

 private:
  std::string url_;
  milliseconds busy_;
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

}  // namespace

result<std::unique_ptr<store>> open_postgresql(std::string url, milliseconds busy) {
  return std::make_unique<postgres_store>(std::move(url), busy);
}

std::string to_postgresql(std::string_view sql) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{
      {{"STRICT, WITHOUT ROWID", ""},
       {"STRICT", ""},
       {"INTEGER", "BIGINT"},
       {"REAL", "DOUBLE PRECISION"},
       {"BLOB", "BYTEA"},
       {"TEXT", "TEXT COLLATE \"C\""}}};
  static constexpr std::string_view directive = "-- postgresql:";
  std::string out;
  const auto take = [&](std::size_t n) {
    out.append(sql.substr(0, n));
    sql.remove_prefix(std::min(n, sql.size()));
  };
  while (!sql.empty()) {
    if (sql.starts_with("--")) {
      if (sql.starts_with(directive)) sql.remove_prefix(directive.size());
      take(std::min(sql.find('\n'), sql.size()));
    } else if (sql.front() == '\'') {
      take(std::min(sql.find('\'', 1), sql.size() - 1) + 1);
    } else if (is_word(sql.front())) {
      std::size_t end = 0;
      while (end < sql.size() && is_word(sql[end])) ++end;
      const auto known = std::find_if(words.begin(), words.end(), [&](const auto& w) {
        return sql.starts_with(w.first) && (w.first.size() >= end);
      });
      if (known == words.end()) {
        take(end);
      } else {
        out.append(known->second);
        sql.remove_prefix(known->first.size());
      }
    } else {
      take(1);
    }
  }
  return out;
}

}  // namespace connectord::storage
