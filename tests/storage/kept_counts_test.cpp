#include "base/crockford.hpp"
#include "storage/migrate.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/work_packages.hpp"
#include "tests/storage/stores.hpp"

#include <algorithm>
#include <array>
#include <span>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

using tracker::mapping;

/// A project with a binding, work packages and links, and what is counted of them.
struct kept {
  session& s;
  tenant_id t = add_tenant(s);
  tracker::project p = make_project();
  tracker::stored_binding b = make_binding();

  tracker::project make_project() const {
    tracker::project made{
        .id = tracker::project_id::make(), .project_uuid = uuid::random(), .slug = "apollo"};
    made.created_at = made.updated_at = noon;
    REQUIRE(insert_project(s, t, made));
    return made;
  }
  tracker::stored_binding make_binding() const {
    tracker::stored_binding made;
    made.id = tracker::binding_id::make();
    made.ref = crockford_id("srm_");
    made.project = p.id;
    made.provider = tracker::provider::linear;
    made.workspace = "acme";
    made.created_at = made.updated_at = noon;
    REQUIRE(insert_binding(s, t, made));
    return made;
  }
  void work_package(std::string id, std::string mission = {}) const {
    tracker::work_package wp{.project = p.id, .ref = {id, std::move(mission)}};
    wp.created_at = wp.updated_at = noon;
    REQUIRE(put_work_package(s, t, wp));
    settle(std::move(id));
  }
  tracker::link link(std::string wp, tracker::link_state state, std::string mission = {}) const {
    tracker::link l{.id = tracker::link_id::make(), .binding = b.id, .project = p.id};
    l.wp = {std::move(wp), std::move(mission)};
    l.target = {"linear", "acme", l.id.str()};
    l.state = state;
    l.claimed_at = l.created_at = l.updated_at = noon;
    REQUIRE(insert_links(s, t, {&l, 1}));
    settle(l.wp.wp_id);
    return l;
  }
  void settle(std::string id) const { REQUIRE(settle_mappings(s, t, p.id, std::array{std::move(id)})); }

  /// Mapped, not mapped, ambiguous: as the tally has it, which is what a list of each finds.
  std::array<std::int64_t, 3> counts() const {
    const auto tally = tally_of(s, t, p.id);
    REQUIRE(tally);
    for (const auto m : {mapping::mapped, mapping::not_mapped, mapping::ambiguous}) {
      tracker::work_package_filter only;
      only.mapping = m;
      CHECK(std::ssize(*list_work_packages(s, t, p.id, only, {}, 1000)) == tally->count(m));
    }
    return {tally->mapped, tally->not_mapped(), tally->ambiguous};
  }
};

using three = std::array<std::int64_t, 3>;

}  // namespace

TEST_CASE("how work packages are mapped is counted as links come, change and go") {
  EACH_STORE(store);
  const auto s = store.open();
  const kept k{*s};
  CHECK(k.counts() == three{0, 0, 0});
  for (const auto* id : {"WP01", "WP02", "WP03"}) k.work_package(id);
  CHECK(k.counts() == three{0, 3, 0});
  auto l = k.link("WP01", tracker::link_state::linked);
  k.link("WP02", tracker::link_state::ambiguous);
  k.link("WP99", tracker::link_state::orphan);
  CHECK(k.counts() == three{1, 1, 1});
  l.state = tracker::link_state::ambiguous;
  REQUIRE(update_link(*s, k.t, l));
  k.settle("WP01");
  CHECK(k.counts() == three{0, 1, 2});
  k.work_package("WP01");  // again: it is there already
  CHECK(k.counts() == three{0, 1, 2});
  REQUIRE(delete_link(*s, k.t, l.id));
  k.settle("WP01");
  CHECK(k.counts() == three{0, 2, 1});
  auto gone = k.b;
  gone.state = tracker::binding_state::deleted;
  REQUIRE(update_binding(*s, k.t, gone, std::nullopt));
  REQUIRE(settle_all_mappings(*s, k.t, k.p.id));
  CHECK(k.counts() == three{0, 3, 0});
}

TEST_CASE("a link without a mission speaks of open missions, or of all once every one is closed") {
  EACH_STORE(store);
  const auto s = store.open();
  const kept k{*s};
  k.work_package("WP01", "a");
  k.work_package("WP01", "b");
  k.link("WP01", tracker::link_state::linked);
  CHECK(k.counts() == three{2, 0, 0});
  REQUIRE(close_mission(*s, k.t, k.p.id, "a", noon));
  k.settle("WP01");
  CHECK(k.counts() == three{1, 1, 0});
  REQUIRE(close_mission(*s, k.t, k.p.id, "b", noon));
  k.settle("WP01");
  CHECK(k.counts() == three{2, 0, 0});
  k.link("WP01", tracker::link_state::ambiguous, "b");
  CHECK(k.counts() == three{2, 0, 0});  // the one without a mission comes first
}

TEST_CASE("one walk settles what many looks would") {
  EACH_STORE(store);
  const auto s = store.open();
  const kept k{*s};
  std::vector<std::string> ids;
  commit(*s, [&] {
    for (int n = 0; n < 700; ++n) {
      ids.push_back("WP" + std::to_string(1000 + n));
      tracker::work_package wp{.project = k.p.id, .ref = {ids.back(), n % 3 == 0 ? "m" : ""}};
      wp.created_at = wp.updated_at = noon;
      REQUIRE(put_work_package(*s, k.t, wp));
    }
    REQUIRE(settle_mappings(*s, k.t, k.p.id, ids));
  });
  CHECK(k.counts() == three{0, 700, 0});
  CHECK(work_packages_of(*s, k.t, k.p.id, ids)->size() == 700);
  CHECK(work_packages_of(*s, k.t, k.p.id, std::span{ids}.first(3))->size() == 3);
  for (const auto* id : {"WP1000", "WP1001"}) k.link(id, tracker::link_state::linked);
  REQUIRE(settle_mappings(*s, k.t, k.p.id, ids));
  CHECK(k.counts() == three{2, 698, 0});
}

TEST_CASE("drift by day goes back from what is open now") {
  EACH_STORE(store);
  const auto s = store.open();
  const kept k{*s};
  const auto day = [](int n) { return noon + std::chrono::days{n}; };
  REQUIRE(count_drift_of_day(*s, k.t, k.p.id, day(-20), 4, 0));
  REQUIRE(count_drift_of_day(*s, k.t, k.p.id, day(-2), 1, 2));
  REQUIRE(count_drift_of_day(*s, k.t, k.p.id, day(-2), 1, 0));
  REQUIRE(count_drift_of_day(*s, k.t, k.p.id, day(0), 3, 1));
  CHECK(*drift_by_day(*s, k.t, k.p.id, 6, day(0), 4) == std::vector<std::int64_t>{4, 4, 4, 6});
  CHECK(*drift_by_day(*s, k.t, k.p.id, 6, day(2), 2) == std::vector<std::int64_t>{6, 6});
  CHECK(*drift_by_day(*s, k.t, k.p.id, 6, day(0), 1) == std::vector<std::int64_t>{6});
}

TEST_CASE("a binding keeps its open drift by kind") {
  EACH_STORE(store);
  const auto s = store.open();
  const kept k{*s};
  auto b = k.b;
  CHECK(find_binding(*s, k.t, b.id)->value().tally.drift_open.empty());
  b.tally.drift_open = {{tracker::drift_kind::status_mismatch, 7}, {tracker::drift_kind::title_mismatch, 0}};
  REQUIRE(update_binding(*s, k.t, b, std::nullopt));
  const tracker::drift_by_kind expected{{tracker::drift_kind::status_mismatch, 7}};
  CHECK(find_binding(*s, k.t, b.id)->value().tally.drift_open == expected);
  CHECK(live_bindings(*s, k.t)->front().tally.drift_open == expected);
}

TEST_CASE("what was there before it was counted is counted by the migration") {
  dialect kind{};
  SUBCASE("sqlite") { kind = dialect::sqlite; }
  SUBCASE("postgresql") { kind = dialect::postgresql; }
  test_store store{kind, false};
  const auto s = store.open();
  const auto all_steps = embedded::migrations();
  const std::span all{all_steps};
  const auto counting =
      std::ranges::find(all, std::string_view{"0009_kept_counts.sql"}, &embedded::file::name);
  REQUIRE(counting != all.end());
  REQUIRE(migrate_up(*s, noon, all.first(static_cast<std::size_t>(counting - all.begin()))));
  const tenant_id t = add_tenant(*s);
  const auto run = [&](std::string_view sql) { REQUIRE(s->execute(sql, {t, noon})); };
  const auto id = tracker::project_id::make();
  REQUIRE(
      s->execute("INSERT INTO projects (tenant_id, id, slug, name, created_at, updated_at)"
                 " VALUES ($1, $3, 'p', 'P', $2, $2)",
                 {t, noon, id}));
  REQUIRE(s->execute(
      "INSERT INTO tracker_bindings (tenant_id, id, ref, project_id, provider, workspace, display_label,"
      " state, origin, doctrine, doctrine_source, health, sequence, evidence, failures, next_ordinal,"
      " issues, issues_absent, links, created_at, updated_at) VALUES ($1, "
      "'0190f3a2-0000-7000-8000-00000000000b',"
      " 'srm_1', $3, 'linear', 'acme', 'l', 'active', 'api', "
      "'{\"mode\":\"external_authoritative\",\"field_owners\":{}}',"
      " 'manual', 'healthy', 0, 0, 0, 0, 0, 0, 0, $2, $2)",
      {t, noon, id}));
  for (const auto* wp : {"WP01", "WP02", "WP03"})
    REQUIRE(s->execute(
        "INSERT INTO work_packages (tenant_id, project_id, wp_id, mission, lane, created_at, updated_at)"
        " VALUES ($1, $3, $4, '', 'planned', $2, $2)",
        {t, noon, id, wp}));
  for (const auto& [wp, state] : {std::pair{"WP01", "linked"}, std::pair{"WP02", "ambiguous"}})
    REQUIRE(s->execute(
        "INSERT INTO tracker_links (tenant_id, id, binding_id, project_id, wp_id, mission, system, workspace,"
        " external_id, source, state, claimed_at, ordinal, created_at, updated_at)"
        " VALUES ($1, $5, '0190f3a2-0000-7000-8000-00000000000b', $3, $4, '', 'linear', 'acme', $4, "
        "'snapshot',"
        " $6, $2, 0, $2, $2)",
        {t, noon, id, wp, tracker::link_id::make(), state}));
  run("INSERT INTO tracker_drift (tenant_id, id, binding_id, project_id, kind, severity, direction, state, "
      "opened_at, updated_at)"
      " SELECT $1, '0190f3a2-0000-7000-8000-00000000000d', id, project_id, 'status_mismatch', 'warning', "
      "'none', 'open', $2, $2"
      " FROM tracker_bindings");
  REQUIRE(migrate_up(*s, noon));
  const auto tally = tally_of(*s, t, id);
  CHECK((tally->work_packages == 3 && tally->mapped == 1 && tally->ambiguous == 1));
  const auto bindings = live_bindings(*s, t);
  CHECK(bindings->front().tally.drift_open ==
        tracker::drift_by_kind{{tracker::drift_kind::status_mismatch, 1}});
  CHECK(*drift_by_day(*s, t, id, 1, noon, 2) == std::vector<std::int64_t>{0, 1});
}
