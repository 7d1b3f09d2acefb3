#include "storage/session.hpp"
#include "storage/migrate.hpp"
#include "storage/postgres_session.hpp"
#include "storage/tenants.hpp"
#include "tests/storage/stores.hpp"

#include <sys/stat.h>

#include <cmath>
#include <thread>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

std::int64_t number(session& s, std::string_view sql) {
  std::int64_t n = -1;
  REQUIRE(s.query(sql, {}, [&](const row& r) { n = r.integer(0); }));
  return n;
}

struct values_table {
  explicit values_table(session& s) {
    REQUIRE(s.script(
        "CREATE TABLE vals (id INTEGER NOT NULL PRIMARY KEY, t TEXT, b BLOB, r REAL, i INTEGER) STRICT;"
        "CREATE UNIQUE INDEX vals_t ON vals (t, i)"));
  }
};

}  // namespace

TEST_CASE("text, bytes, numbers and nulls come back as they were written") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  const std::string bytes{"\0\xff\x00'\\x41 \n", 9};
  const std::string text = "zero? 'quotes' \\ ünïcode \xF0\x9F\x98\x80";
  const auto add = [&](int id, param t, param b, param r, param i) {
    REQUIRE(s->execute("INSERT INTO vals (id, t, b, r, i) VALUES ($1, $2, $3, $4, $5)", {id, t, b, r, i}));
  };
  add(1, text, blob{bytes}, 0.1, std::int64_t{INT64_MIN});
  add(2, nullptr, nullptr, nullptr, nullptr);
  add(3, "", blob{""}, -1e300, std::int64_t{INT64_MAX});
  int rows = 0;
  REQUIRE(s->query("SELECT t, b, r, i FROM vals ORDER BY id", {}, [&](const row& r) {
    ++rows;
    if (rows == 1) {
      CHECK(r.text(0) == text);
      CHECK(r.bytes(1) == bytes);
      CHECK(r.real(2) == 0.1);
      CHECK(r.integer(3) == INT64_MIN);
    } else if (rows == 2) {
      for (int c = 0; c < 4; ++c) CHECK(r.is_null(c));
    } else {
      CHECK(!r.is_null(0));
      CHECK(!r.is_null(1));
      CHECK(r.text(0).empty());
      CHECK(r.bytes(1).empty());
      CHECK(r.real(2) == -1e300);
      CHECK(r.integer(3) == INT64_MAX);
    }
  }));
  CHECK(rows == 3);
}

TEST_CASE("a parameter may stand at several places and out of order") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->execute("INSERT INTO vals (id, i, t) VALUES ($2, $2, $1)", {"x", 7}));
  CHECK(number(*s, "SELECT i FROM vals WHERE id = 7 AND t = 'x'") == 7);
}

TEST_CASE("text sorts by bytes") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  int id = 0;
  for (const char* t : {"b", "B", "a", "_", "A", "é"})
    REQUIRE(s->execute("INSERT INTO vals (id, t, i) VALUES ($1, $2, 0)", {++id, t}));
  std::string order;
  REQUIRE(s->query("SELECT t FROM vals ORDER BY t", {}, [&](const row& r) { order += r.text(0); }));
  CHECK(order == "AB_abé");
}

TEST_CASE("a unique violation is a conflict that names the columns") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->execute("INSERT INTO vals (id, t, i) VALUES (1, 'x', 1)"));
  const auto by_key = s->execute("INSERT INTO vals (id, t, i) VALUES (1, 'y', 1)");
  CHECK(code_of(by_key) == errc::conflict);
  CHECK(detail_of(by_key, "constraint") == "id");
  const auto by_index = s->execute("INSERT INTO vals (id, t, i) VALUES (2, 'x', 1)");
  CHECK(code_of(by_index) == errc::conflict);
  CHECK(detail_of(by_index, "constraint") == "t, i");
}

TEST_CASE("a wrong statement, a broken reference and a missing table are internal errors") {
  EACH_STORE(store);
  const auto s = store.open();
  CHECK(code_of(s->execute("SELEC 1")) == errc::internal);
  const auto missing = s->execute("SELECT * FROM nowhere");
  CHECK(detail_of(missing, "reason") == "undefined_table");
  const auto orphan = s->execute(
      "INSERT INTO snapshots (tenant_id, revision, version, checksum, body, created_at)"
      " VALUES ('nobody', 1, 1, '', $1, 0)",
      {blob{"x"}});
  CHECK(code_of(orphan) == errc::internal);
  CHECK(detail_of(orphan, "reason") == "foreign_key");
  CHECK(s->alive());
}

TEST_CASE("after an error a transaction only rolls back") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->begin_write());
  REQUIRE(s->execute("INSERT INTO vals (id) VALUES (1)"));
  CHECK(!s->execute("INSERT INTO vals (id) VALUES (1)"));
  CHECK(!s->execute("INSERT INTO vals (id) VALUES (2)"));
  CHECK(code_of(s->commit()) == errc::internal);
  CHECK(number(*s, "SELECT COUNT(*) FROM vals") == 0);
}

TEST_CASE("a savepoint contains a conflict") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  commit(*s, [&] {
    REQUIRE(s->execute("INSERT INTO vals (id) VALUES (1)"));
    REQUIRE(s->savepoint());
    REQUIRE(s->execute("INSERT INTO vals (id) VALUES (2)"));
    CHECK(code_of(s->execute("INSERT INTO vals (id) VALUES (1)")) == errc::conflict);
    REQUIRE(s->rollback_to_savepoint());
    REQUIRE(s->savepoint());
    REQUIRE(s->execute("INSERT INTO vals (id) VALUES (3)"));
    REQUIRE(s->release());
  });
  CHECK(number(*s, "SELECT SUM(id) FROM vals") == 4);
}

TEST_CASE("a read transaction sees one state and cannot write") {
  EACH_STORE(store);
  const auto reader = store.open();
  const auto writer = store.open();
  values_table made{*writer};
  REQUIRE(reader->begin_read());
  CHECK(number(*reader, "SELECT COUNT(*) FROM vals") == 0);
  REQUIRE(writer->execute("INSERT INTO vals (id) VALUES (1)"));
  CHECK(number(*reader, "SELECT COUNT(*) FROM vals") == 0);
  const auto refused = reader->execute("INSERT INTO vals (id) VALUES (2)");
  CHECK(detail_of(refused, "reason") == "read_only");
  reader->rollback();
  CHECK(number(*reader, "SELECT COUNT(*) FROM vals") == 1);
  CHECK(reader->execute("INSERT INTO vals (id) VALUES (2)"));
}

TEST_CASE("rolled back rows are gone, committed ones are seen by other sessions") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->begin_write());
  REQUIRE(s->execute("INSERT INTO vals (id) VALUES (1)"));
  s->rollback();
  commit(*s, [&] { REQUIRE(s->execute("INSERT INTO vals (id) VALUES (2)")); });
  CHECK(number(*store.open(), "SELECT SUM(id) FROM vals") == 2);
}

TEST_CASE("execute counts the rows that it changed") {
  EACH_STORE(store);
  const auto s = store.open();
  values_table made{*s};
  CHECK(*s->execute("INSERT INTO vals (id) VALUES (1), (2), (3)") == 3);
  CHECK(*s->execute("INSERT INTO vals (id) VALUES (1) ON CONFLICT (id) DO NOTHING") == 0);
  CHECK(*s->execute("UPDATE vals SET i = 1 WHERE id > $1", {1}) == 2);
  CHECK(*s->execute("DELETE FROM vals WHERE id = 99") == 0);
}

TEST_CASE("more statements than the cache holds still run") {
  EACH_STORE(store);
  const auto s = store.open();
  for (int i = 0; i < 600; ++i) CHECK(number(*s, "SELECT " + std::to_string(i)) == i);
  CHECK(number(*s, "SELECT 1") == 1);
}

TEST_CASE("a writer that waits too long is told that the store is busy") {
  EACH_STORE(store);
  const auto holder = store.open();
  auto impatient_store = open_store(store.where(), milliseconds{50}, false);
  REQUIRE(impatient_store);
  const auto impatient = (*impatient_store)->open();
  REQUIRE(impatient);
  const auto id = add_tenant(*holder);
  REQUIRE(holder->begin_write());
  REQUIRE(advance(*holder, id, 0));
  auto began = (*impatient)->begin_write();
  const result<> refused = began ? fence(**impatient, id, 0) : began;
  CHECK(code_of(refused) == errc::database_unavailable);
  CHECK(detail_of(refused, "reason") == "busy");
  (*impatient)->rollback();
  CHECK((*impatient)->alive());
  REQUIRE(holder->commit());
}

TEST_CASE("SQLite: the folder, the database and its lock are private, and one server has it") {
  test_store store{dialect::sqlite};
  auto exclusive = open_store(store.where(), milliseconds{50}, true);
  REQUIRE(exclusive);
  CHECK(code_of(open_store(store.where(), milliseconds{50}, true)) == errc::conflict);
  CHECK(open_store(store.where(), milliseconds{50}, false));
  const auto mode = [](const std::string& path) {
    struct stat st {};
    REQUIRE(::stat(path.c_str(), &st) == 0);
    return st.st_mode & 0777;
  };
  const auto& path = store.where().target;
  CHECK(mode(path) == 0600);
  CHECK(mode(path + ".lock") == 0600);
  CHECK(mode(path.substr(0, path.rfind('/'))) == 0700);
  exclusive->reset();
  CHECK(open_store(store.where(), milliseconds{50}, true));
}

TEST_CASE("SQLite: durable, checked and foreign keys on") {
  test_store store{dialect::sqlite};
  const auto s = store.open();
  CHECK(number(*s, "PRAGMA synchronous") == 2);
  CHECK(number(*s, "PRAGMA foreign_keys") == 1);
  CHECK(number(*s, "PRAGMA trusted_schema") == 0);
  CHECK(number(*s, "PRAGMA cell_size_check") == 1);
  std::string mode;
  REQUIRE(s->query("PRAGMA journal_mode", {}, [&](const row& r) { mode = r.str(0); }));
  CHECK(mode == "wal");
}

TEST_CASE("SQLite: the log is carried over beside the writer, and a log that is always written ends") {
  test_store store{dialect::sqlite};
  const auto s = store.open();
  values_table made{*s};
  const std::string five_megabytes(5 << 20, 'x');
  const auto& file = store.where().target;
  const auto size = [](const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
  };
  const auto write = [&](int id) {
    commit(*s, [&] {
      REQUIRE(s->execute("INSERT INTO vals (id, b) VALUES ($1, $2)", {id, blob{five_megabytes}}));
    });
  };
  write(0);
  for (int waited = 0; size(file) < (5 << 20) && waited < 5000; ++waited)
    std::this_thread::sleep_for(milliseconds{1});
  CHECK(size(file) >= (5 << 20));
  for (int id = 1; id < 20; ++id) write(id);
  CHECK(size(file + "-wal") < (50 << 20));
  CHECK(number(*s, "SELECT SUM(LENGTH(b)) FROM vals") == 20 * (5 << 20));
}

TEST_CASE("SQLite: a full store says so, keeps what it has and goes on when there is room") {
  test_store store{dialect::sqlite};
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->execute("INSERT INTO vals (id) VALUES (1)"));
  REQUIRE(s->script("PRAGMA max_page_count=" + std::to_string(number(*s, "PRAGMA page_count"))));
  REQUIRE(s->begin_write());
  const auto full = s->execute("INSERT INTO vals (id, b) VALUES (2, $1)", {blob{std::string(100'000, 'x')}});
  CHECK(code_of(full) == errc::database_unavailable);
  CHECK(detail_of(full, "reason") == "full");
  CHECK(!s->commit());
  CHECK(s->alive());
  CHECK(number(*s, "SELECT COUNT(*) FROM vals") == 1);
  REQUIRE(s->script("PRAGMA max_page_count=1000000"));
  CHECK(s->execute("INSERT INTO vals (id, b) VALUES (2, $1)", {blob{std::string(100'000, 'x')}}));
}

namespace {

/// Ends the server's side of a session, as an operator, a crash or a network would.
void cut(test_store& store, session& victim) {
  const auto pid = number(victim, "SELECT pg_backend_pid()");
  const auto killer = store.open();
  REQUIRE(killer->query("SELECT pg_terminate_backend($1::int, 5000)", {pid}, {}));
}

}  // namespace

TEST_CASE("PostgreSQL: a lost connection is never replaced behind our back") {
  test_store store{dialect::postgresql};
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->begin_write());
  REQUIRE(s->execute("INSERT INTO vals (id) VALUES (1)"));
  cut(store, *s);
  const auto next = s->execute("INSERT INTO vals (id) VALUES (2)");
  CHECK(code_of(next) == errc::database_unavailable);
  CHECK(!s->alive());
  CHECK(code_of(s->commit()) != errc::internal);
  s->rollback();
  CHECK(code_of(s->execute("INSERT INTO vals (id) VALUES (3)")) == errc::database_unavailable);
  CHECK(code_of(s->begin_write()) == errc::database_unavailable);
  CHECK(number(*store.open(), "SELECT COUNT(*) FROM vals") == 0);
}

TEST_CASE("PostgreSQL: a connection that is lost at COMMIT leaves the outcome in doubt") {
  test_store store{dialect::postgresql};
  const auto s = store.open();
  values_table made{*s};
  REQUIRE(s->begin_write());
  REQUIRE(s->execute("INSERT INTO vals (id) VALUES (1)"));
  cut(store, *s);
  CHECK(code_of(s->commit()) == errc::commit_in_doubt);
  CHECK(!s->alive());
  CHECK(number(*store.open(), "SELECT COUNT(*) FROM vals") == 0);
}

TEST_CASE("PostgreSQL: a server that cannot be reached is unavailable, and no password is told") {
  auto store =
      open_store({dialect::postgresql, "postgresql://u:hidden@127.0.0.1:1/x"}, milliseconds{100}, false);
  REQUIRE(store);
  const auto s = (*store)->open();
  CHECK(code_of(s) == errc::database_unavailable);
  CHECK(s.error().message().find("hidden") == std::string_view::npos);
}

TEST_CASE("PostgreSQL: type words are translated outside of comments and quotes only") {
  CHECK(to_postgresql("a TEXT, b BLOB, TEXTURE 'TEXT' -- TEXT\n) STRICT, WITHOUT ROWID;") ==
        "a TEXT COLLATE \"C\", b BYTEA, TEXTURE 'TEXT' -- TEXT\n) ;");
  CHECK(to_postgresql("i INTEGER, r REAL) STRICT;\n-- postgresql: ALTER TABLE x;") ==
        "i BIGINT, r DOUBLE PRECISION) ;\n ALTER TABLE x;");
}
