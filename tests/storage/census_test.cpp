#include "storage/census.hpp"
#include "base/crockford.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/job_queue.hpp"
#include "storage/jobs.hpp"
#include "storage/tenants.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/projects.hpp"
#include "tests/storage/stores.hpp"

#include <algorithm>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

storage::census counted(session& s) {
  auto found = take_census(s);
  REQUIRE(found);
  return std::move(*found);
}

void arrive(session& s, tenant_id t, int number, delivery_status status, timestamp at) {
  auto d = sample_delivery("d" + std::to_string(number));
  d.status = status;
  d.received_at = at;
  REQUIRE(accept_delivery(s, t, d, at + std::chrono::days{7}));
}

connection expiring(session& s, tenant_id t, std::string external_id, timestamp at) {
  connection c;
  c.id = connection_id::make();
  c.provider = "github";
  c.external_id = std::move(external_id);
  c.expires_at = at;
  c.created_at = c.updated_at = noon;
  REQUIRE(insert_connection(s, t, c));
  return c;
}

tracker::stored_binding bound(session& s, tenant_id t, tracker::provider provider, int number,
                              std::optional<timestamp> snapshot,
                              tracker::binding_state state = tracker::binding_state::active) {
  tracker::project p{
      .id = tracker::project_id::make(), .project_uuid = {}, .slug = "p" + std::to_string(number)};
  p.created_at = p.updated_at = noon;
  REQUIRE(insert_project(s, t, p));
  tracker::stored_binding b;
  b.id = tracker::binding_id::make();
  b.ref = crockford_id("srm_");
  b.project = p.id;
  b.provider = provider;
  b.workspace = "acme";
  b.state = state;
  b.last_snapshot_at = snapshot;
  b.created_at = b.updated_at = noon;
  REQUIRE(insert_binding(s, t, b));
  REQUIRE(update_binding(s, t, b, std::nullopt));
  return b;
}

}  // namespace

TEST_CASE("an empty store holds nothing") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto c = counted(*s);
  CHECK((c.received == 0 && c.failed == 0 && c.quarantined == 0));
  CHECK_FALSE(c.oldest_received);
  CHECK((c.jobs.empty() && c.connections.empty() && c.snapshots.empty() && c.drift.empty()));
}

TEST_CASE("deliveries count while they wait or have failed; a suspended tenant's wait on purpose") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto acme = add_tenant(*s), asleep = add_tenant(*s, "asleep");
  REQUIRE(*set_tenant_status(*s, asleep, tenant_status::suspended, noon));
  arrive(*s, acme, 1, delivery_status::received, noon + seconds{5});
  arrive(*s, acme, 2, delivery_status::received, noon + seconds{3});
  arrive(*s, acme, 3, delivery_status::processed, noon);
  arrive(*s, acme, 4, delivery_status::quarantined, noon);
  arrive(*s, asleep, 5, delivery_status::received, noon);
  arrive(*s, asleep, 6, delivery_status::failed, noon);
  const auto c = counted(*s);
  CHECK(c.received == 2);
  CHECK(c.oldest_received == noon + seconds{3});
  CHECK(c.failed == 1);
  CHECK(c.quarantined == 1);
}

TEST_CASE("jobs count until they have ended, connections always, and the first token to end of each kind") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto first = expiring(*s, t, "1", noon + seconds{50}),
             second = expiring(*s, t, "2", noon + seconds{20});
  auto broken = add_connection(*s, t, "3");
  broken.status = connection_status::error;
  REQUIRE(update_connection(*s, t, broken));
  add_connection(*s, t, "4", "jira");
  for (const auto& c : {first, second})
    REQUIRE(enqueue_job(*s, t, sample_job(c, job_type::incremental), pausing::kept, {}));
  auto claimed = claim_job(*s, t, {"me", noon + seconds{60}}, noon + seconds{1}).value().value();
  const auto c = counted(*s);
  REQUIRE(c.jobs.size() == 2);
  for (const auto& j : c.jobs) CHECK((j.type == job_type::incremental && j.count == 1));
  REQUIRE(c.connections.size() == 3);
  const auto of = [&](std::string_view provider, connection_status status) {
    return *std::ranges::find_if(c.connections,
                                 [&](const auto& x) { return x.provider == provider && x.status == status; });
  };
  CHECK(of("github", connection_status::active).count == 2);
  CHECK(of("github", connection_status::active).first_expiry == noon + seconds{20});
  CHECK(of("github", connection_status::error).count == 1);
  CHECK_FALSE(of("jira", connection_status::active).first_expiry);

  claimed.row.status = job_status::succeeded;
  claimed.row.finished_at = noon + seconds{2};
  REQUIRE(finish_job(*s, t, claimed));
  CHECK(counted(*s).jobs.size() == 1);
}

TEST_CASE(
    "of a tracker's bindings the oldest snapshot counts, and that which all but one in twenty have beaten") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  for (int i = 0; i < 40; ++i) bound(*s, t, tracker::provider::linear, i, noon + seconds{i});
  bound(*s, t, tracker::provider::jira, 40, noon);
  bound(*s, t, tracker::provider::jira, 41, std::nullopt);
  bound(*s, t, tracker::provider::jira, 42, noon - seconds{9}, tracker::binding_state::disabled);
  const auto c = counted(*s);
  REQUIRE(c.snapshots.size() == 2);
  const auto& jira = c.snapshots[c.snapshots[0].provider == tracker::provider::jira ? 0 : 1];
  const auto& linear = c.snapshots[c.snapshots[0].provider == tracker::provider::jira ? 1 : 0];
  CHECK((jira.oldest == noon && jira.late == noon));
  CHECK(linear.oldest == noon);
  CHECK(linear.late == noon + seconds{2});
}

TEST_CASE("drift counts while it is open") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto b = bound(*s, t, tracker::provider::linear, 1, noon);
  std::vector<tracker::drift_record> rows;
  for (const auto kind : {tracker::drift_kind::status_mismatch, tracker::drift_kind::title_mismatch}) {
    rows.push_back({.id = tracker::drift_id::make(), .binding = b.id, .project = b.project});
    rows.back().kind = kind;
    rows.back().opened_at = rows.back().updated_at = noon;
  }
  REQUIRE(insert_drift(*s, t, rows));
  auto found = counted(*s).drift;
  REQUIRE(found.size() == 1);
  CHECK((found[0].provider == tracker::provider::linear && found[0].count == 2));
  rows[0].state = tracker::drift_state::resolved;
  rows[0].resolution = tracker::resolution::reconciled;
  rows[0].resolved_at = noon;
  REQUIRE(update_drift(*s, t, rows[0]));
  CHECK(counted(*s).drift.at(0).count == 1);
}
