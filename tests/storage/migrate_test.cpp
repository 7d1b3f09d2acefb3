#include "storage/migrate.hpp"
#include "tests/storage/stores.hpp"

#include <array>
#include <thread>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

constexpr embedded::file first{
    "0001_first.sql",
    "-- a; comment\nCREATE TABLE one (id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;\n"
    "INSERT INTO one VALUES ('semi;colon');\n"
    "-- postgresql: ALTER TABLE one ALTER id SET STORAGE EXTERNAL;\n"};
constexpr embedded::file second{"0002_second.sql",
                                "CREATE TABLE two (id INTEGER NOT NULL PRIMARY KEY) STRICT;\n"
                                "INSERT INTO two VALUES (1);\n"};

bool has_rows(session& s, std::string_view sql) {
  bool any = false;
  return s.query(sql, {}, [&](const row&) { any = true; }).has_value() && any;
}

}  // namespace

TEST_CASE("a new store has every step pending, a migrated one none") {
  dialect kind{};
  SUBCASE("sqlite") { kind = dialect::sqlite; }
  SUBCASE("postgresql") { kind = dialect::postgresql; }
  test_store store{kind, false};
  const auto s = store.open();
  auto before = state(*s);
  REQUIRE(before);
  CHECK(before->applied.empty());
  CHECK(before->pending.size() == embedded::migrations().size());
  const auto applied = migrate_up(*s, noon);
  REQUIRE(applied);
  CHECK(*applied == before->pending);
  const auto after = state(*s);
  REQUIRE(after);
  CHECK(after->pending.empty());
  CHECK(after->current() == applied->back());
  CHECK(migrate_up(*s, noon)->empty());
}

TEST_CASE("a migration that dies at any statement leaves whole steps, and the next start completes them") {
  dialect kind{};
  SUBCASE("sqlite") { kind = dialect::sqlite; }
  SUBCASE("postgresql") { kind = dialect::postgresql; }
  const std::array steps{first, second};
  int deaths = 0;
  for (bool died = true; died; ++deaths) {
    test_store store{kind, false};
    died = false;
    {
      const auto s = store.open();
      int reached = 0;
      const auto applied = migrate_up(*s, noon, steps, [&](std::string_view, std::size_t) -> result<> {
        if (reached++ < deaths) return {};
        died = true;
        return error{errc::internal};
      });
      CHECK(applied.has_value() == !died);
    }
    const auto s = store.open();
    const auto known = state(*s, steps);
    REQUIRE(known);
    CHECK(has_rows(*s, "SELECT 1 FROM one") == (known->applied.size() >= 1));
    CHECK(has_rows(*s, "SELECT 1 FROM two") == (known->applied.size() == 2));
    REQUIRE(migrate_up(*s, noon, steps));
    CHECK(has_rows(*s, "SELECT 1 FROM one WHERE id = 'semi;colon'"));
    CHECK(has_rows(*s, "SELECT 1 FROM two"));
  }
  CHECK(deaths > 8);
}

TEST_CASE("a session that is lost in a migration leaves nothing of the step") {
  dialect kind{};
  SUBCASE("sqlite") { kind = dialect::sqlite; }
  SUBCASE("postgresql") { kind = dialect::postgresql; }
  test_store store{kind, false};
  {
    const auto s = store.open();
    REQUIRE(s->begin_write());
    REQUIRE(s->script(first.content.substr(0, first.content.find(';', 15) + 1)));
  }
  const auto s = store.open();
  const std::array steps{first, second};
  CHECK(state(*s, steps)->applied.empty());
  CHECK(migrate_up(*s, noon, steps)->size() == 2);
}

TEST_CASE("a changed, a missing and a late step are refused") {
  EACH_STORE(store);
  test_store fresh{kind_of_store, false};
  const auto s = fresh.open();
  const std::array steps{first, second};
  REQUIRE(migrate_up(*s, noon, steps));
  const std::array changed{first, embedded::file{second.name, "CREATE TABLE other (id TEXT) STRICT;"}};
  CHECK(code_of(state(*s, changed)) == errc::conflict);
  CHECK(code_of(migrate_up(*s, noon, changed)) == errc::conflict);
  const std::array missing{first};
  CHECK(code_of(migrate_up(*s, noon, missing)) == errc::conflict);
  const std::array late{first, embedded::file{"0001_z.sql", "SELECT 1;"}, second};
  CHECK(code_of(migrate_up(*s, noon, late)) == errc::conflict);
  CHECK(migrate_up(*s, noon, steps)->empty());
}

TEST_CASE("processes that start together migrate once") {
  dialect kind{};
  SUBCASE("sqlite") { kind = dialect::sqlite; }
  SUBCASE("postgresql") { kind = dialect::postgresql; }
  test_store store{kind, false};
  std::array<result<std::vector<std::string>>, 4> outcomes;
  std::vector<std::thread> threads;
  for (auto& outcome : outcomes)
    threads.emplace_back([&store, &outcome] {
      auto s = store.get().open();
      outcome = s ? migrate_up(**s, noon) : result<std::vector<std::string>>{s.error()};
    });
  for (auto& t : threads) t.join();
  std::size_t applied = 0;
  for (const auto& outcome : outcomes) {
    REQUIRE(outcome);
    applied += outcome->size();
  }
  CHECK(applied == embedded::migrations().size());
}
