#include "base/crockford.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/receipts.hpp"
#include "storage/tracker/resources.hpp"
#include "storage/tracker/runs.hpp"
#include "tests/storage/stores.hpp"

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

tracker::project add_project(session& s, tenant_id t, std::string slug = "apollo") {
  tracker::project p{.id = tracker::project_id::make(), .project_uuid = uuid::random(), .slug = slug};
  p.name = "Apollo";
  p.created_at = p.updated_at = noon;
  REQUIRE(insert_project(s, t, p));
  return p;
}

tracker::stored_binding add_binding(session& s, tenant_id t, const tracker::project& p,
                                    std::string workspace = "acme", timestamp at = noon) {
  tracker::stored_binding b;
  b.id = tracker::binding_id::make();
  b.ref = crockford_id("srm_");
  b.project = p.id;
  b.provider = tracker::provider::linear;
  b.workspace = std::move(workspace);
  b.display_label = "linear:acme";
  b.created_at = b.updated_at = at;
  REQUIRE(insert_binding(s, t, b));
  return b;
}

tracker::issue_content content(std::string id, std::string title = "Fix login") {
  tracker::issue_content c;
  c.ref = {"linear", "acme", std::move(id)};
  c.title = std::move(title);
  c.key = "A-1";
  c.body = "long";
  c.assignees = {"ann", "Bo \"B\" C"};
  c.labels = {"x,y"};
  c.priority = -7;
  c.updated_at = tracker::external_time{std::chrono::microseconds{1'700'000'000'123'456}};
  return c;
}

/// Stores them, in this order.
std::vector<tracker::issue_id> add_issues(session& s, tenant_id t, const tracker::binding& b,
                                          const std::vector<tracker::issue_content>& all) {
  std::vector<tracker::content_mark> marks;
  for (const auto& c : all) marks.push_back(tracker::mark_of(c));
  std::vector<marked_issue> rows;
  std::vector<tracker::issue_id> ids;
  for (std::size_t i = 0; i < all.size(); ++i) {
    ids.push_back(tracker::issue_id::make());
    rows.push_back({ids.back(), &all[i], &marks[i]});
  }
  REQUIRE(insert_issues(s, t, b.id, rows, noon));
  return ids;
}

tracker::link sample_link(const tracker::binding& b, std::string wp, std::string issue,
                          std::string mission = {}) {
  tracker::link l{.id = tracker::link_id::make(), .binding = b.id, .project = b.project};
  l.wp = {std::move(wp), std::move(mission)};
  l.target = {"linear", "acme", std::move(issue)};
  l.claimed_at = l.created_at = l.updated_at = noon;
  return l;
}

std::vector<std::string> external_ids(const result<std::vector<tracker::issue_view>>& found) {
  REQUIRE(found);
  std::vector<std::string> out;
  for (const auto& v : *found) out.push_back(v.issue.content.ref.id);
  return out;
}

}  // namespace

TEST_CASE("a project has one live binding of a workspace, and deleted ones besides") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s), other = add_tenant(*s, "other");
  const auto p = add_project(*s, t);
  auto b = add_binding(*s, t, p);
  auto again = b;
  again.id = tracker::binding_id::make();
  again.ref = crockford_id("srm_");
  CHECK(code_of(insert_binding(*s, t, again)) == errc::conflict);

  b.state = tracker::binding_state::deleted;
  REQUIRE(update_binding(*s, t, b, std::nullopt));
  CHECK((*find_binding_of(*s, t, p.id, b.provider, "acme"))->id == b.id);
  REQUIRE(insert_binding(*s, t, again));
  CHECK((*find_binding_of(*s, t, p.id, b.provider, "acme"))->id == again.id);
  CHECK(bindings_of_workspace(*s, t, b.provider, "acme")->size() == 1);
  CHECK(!*find_binding(*s, other, again.id));
  CHECK(list_bindings(*s, t, {}, std::nullopt, 10)->size() == 1);
  CHECK(code_of(view_binding(*s, t, b.id)) == errc::not_found);
  CHECK(find_installation(*s, t, b.provider)->value() == *ensure_installation(*s, t, b.provider, noon));
}

TEST_CASE("a tuple is active on one binding at a time") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto p = add_project(*s, t), q = add_project(*s, t, "gemini");
  const auto b = add_binding(*s, t, p), c = add_binding(*s, t, q);
  tracker::resource r{.id = tracker::resource_id::make(),
                      .binding = b.id,
                      .provider = b.provider,
                      .workspace = "acme",
                      .type = "linear_team",
                      .external_id = "abc",
                      .state = tracker::binding_state::active,
                      .created_at = noon,
                      .updated_at = noon};
  REQUIRE(insert_resource(*s, t, r));
  auto taken = r;
  taken.id = tracker::resource_id::make();
  taken.binding = c.id;
  CHECK(code_of(insert_resource(*s, t, taken)) == errc::conflict);
  taken.state = tracker::binding_state::discovered;
  CHECK(insert_resource(*s, t, taken));
  CHECK((*find_active_resource(*s, t, b.provider, "acme", "linear_team", "abc"))->binding == b.id);
  REQUIRE(delete_resources(*s, t, b.id, noon));
  CHECK(!*find_active_resource(*s, t, b.provider, "acme", "linear_team", "abc"));
  CHECK(resources_of(*s, t, b.id)->empty());
}

TEST_CASE("an issue comes back as it was written; a present one was last seen with the newest evidence") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto b = add_binding(*s, t, add_project(*s, t));
  const auto ids = add_issues(*s, t, b, {content("a"), content("b")});
  b.tally.evidence = 3;
  b.tally.evidence_at = noon + seconds{9};
  b.tally.evidence_receipt = tracker::snapshot_id::make();
  REQUIRE(update_binding(*s, t, b, std::nullopt));
  CHECK((*find_binding(*s, t, b.id))->tally.issues == 2);

  auto seen = *view_issue(*s, t, ids[0]);
  CHECK(seen.issue.content == content("a"));
  CHECK(seen.issue.last_seen_at == noon + seconds{9});
  CHECK(seen.issue.last_receipt == b.tally.evidence_receipt);

  REQUIRE(mark_absent(*s, t, {&ids[0], 1}, {noon + seconds{5}, std::nullopt}));
  seen = *view_issue(*s, t, ids[0]);
  CHECK(seen.issue.presence == tracker::presence::absent);
  CHECK(seen.issue.last_seen_at == noon + seconds{5});
  CHECK_FALSE(*issue_is_present(*s, t, b.id, content("a").ref));
  REQUIRE(mark_present(*s, t, {&ids[0], 1}));
  CHECK(view_issue(*s, t, ids[0])->issue.last_seen_at == noon + seconds{9});
}

TEST_CASE("issues are listed bytewise, page by page, and narrowed by what they hold") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto b = add_binding(*s, t, add_project(*s, t));
  auto labelled = content("B", "100% Sure_thing");
  labelled.labels = {"red", "x"};
  labelled.assignees.clear();
  add_issues(*s, t, b, {content("a"), labelled, content("C")});
  const auto list = [&](const tracker::issue_filter& f, const std::optional<sort_key>& after = {}) {
    return external_ids(list_issues(*s, t, f, after, 2, false));
  };
  CHECK(list({}) == std::vector<std::string>{"B", "C"});
  CHECK(list({}, sort_key{"acme", "C", "zzz"}) == std::vector<std::string>{"a"});
  CHECK(list({.labels = {"red"}}) == std::vector<std::string>{"B"});
  CHECK(list({.labels = {"x"}}) == std::vector<std::string>{"B"});
  CHECK(list({.labels = {"x,y"}}) == std::vector<std::string>{"C", "a"});
  CHECK(list({.labels = {"y"}}).empty());
  CHECK(list({.assignees = {"Bo \"B\" C"}}) == std::vector<std::string>{"C", "a"});
  CHECK(list({.q = "0% sure_"}) == std::vector<std::string>{"B"});
  CHECK(list({.q = "%"}) == std::vector<std::string>{"B"});
  CHECK(list({.linked = true}).empty());
  const auto l = sample_link(b, "WP01", "C");
  REQUIRE(insert_links(*s, t, {&l, 1}));
  CHECK(list({.linked = true}) == std::vector<std::string>{"C"});
  CHECK((*list_issues(*s, t, {.linked = true}, {}, 2, false))[0].links[0].id == l.id);
}

TEST_CASE("a link counts its absences from the binding's evidence") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto b = add_binding(*s, t, add_project(*s, t));
  b.tally.evidence = 5;
  REQUIRE(update_binding(*s, t, b, std::nullopt));
  auto l = sample_link(b, "WP01", "a");
  REQUIRE(insert_links(*s, t, {&l, 1}));
  CHECK((*find_link(*s, t, l.id))->absent_count == 0);
  l.absent_since = 3;
  REQUIRE(update_link(*s, t, l));
  CHECK((*find_link(*s, t, l.id))->absent_count == 2);
  CHECK(code_of(insert_links(*s, t, {&l, 1})) == errc::conflict);

  const auto ids = add_issues(*s, t, b, {content("a")});
  CHECK(view_link(*s, t, l.id)->issue->id == ids[0]);
  b.state = tracker::binding_state::deleted;
  REQUIRE(update_binding(*s, t, b, std::nullopt));
  CHECK(list_links(*s, t, {}, {}, 10)->empty());
}

TEST_CASE("of one subject one drift is open; a resolved one makes room") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto b = add_binding(*s, t, add_project(*s, t));
  tracker::drift_record d{.id = tracker::drift_id::make(), .binding = b.id, .project = b.project};
  d.kind = tracker::drift_kind::status_mismatch;
  d.severity = tracker::severity::warning;
  d.link = tracker::link_id::make();
  d.wp = tracker::wp_ref{"WP01", ""};
  d.external = tracker::identity{"linear", "acme", "a"};
  d.field = "status";
  d.owner = tracker::owner::external;
  d.opened_at = d.updated_at = noon;
  REQUIRE(insert_drift(*s, t, {&d, 1}));
  auto again = d;
  again.id = tracker::drift_id::make();
  CHECK(code_of(insert_drift(*s, t, {&again, 1})) == errc::conflict);
  CHECK(count_open_drift(*s, t, b.id)->at(d.kind) == 1);

  d.state = tracker::drift_state::resolved;
  d.resolution = tracker::resolution::reconciled;
  d.resolved_at = noon + seconds{1};
  REQUIRE(update_drift(*s, t, d));
  CHECK(insert_drift(*s, t, {&again, 1}));
  CHECK(list_drift(*s, t, {.states = {"open"}}, {}, 10)->size() == 1);
  CHECK(list_drift(*s, t, {}, {}, 10)->size() == 2);
  CHECK((*find_drift(*s, t, d.id))->resolution == d.resolution);
}

TEST_CASE("receipts are found by bytes, by digest and by age; the newest bodies are kept") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s), other = add_tenant(*s, "other");
  const auto b = add_binding(*s, t, add_project(*s, t));
  std::vector<tracker::receipt> all;
  for (int i = 1; i <= 4; ++i) {
    tracker::receipt r{.id = tracker::snapshot_id::make(), .scope = "project:x", .key = "k"};
    r.body_digest = "digest" + std::to_string(i);
    r.raw_sha256 = "raw" + std::to_string(i);
    r.revision = i;
    r.received_at = noon + seconds{i};
    r.sequence = i;
    r.workspace = "acme";
    r.binding = b.id;
    r.counts = r.effects = "{}";
    r.warnings = "[]";
    REQUIRE(insert_receipt(*s, t, r));
    REQUIRE(keep_newest_body(*s, t, b.id, i, r.id, "body", 2));
    all.push_back(r);
  }
  CHECK((*find_receipt_of_bytes(*s, t, "k", "raw2"))->id == all[1].id);
  CHECK(!*find_receipt_of_bytes(*s, other, "k", "raw2"));
  const auto known = *find_receipts(*s, t, "project:x", "k", "digest3");
  CHECK(known.revision == 4);
  CHECK(known.same->id == all[2].id);
  CHECK(known.same->binding_ref == b.ref);
  CHECK(find_receipts(*s, t, "project:x", "other", "digest3")->revision == 0);
  auto twice = all[0];
  twice.id = tracker::snapshot_id::make();
  CHECK(code_of(insert_receipt(*s, t, twice)) == errc::conflict);
  CHECK(!*find_body(*s, t, all[1].id));
  CHECK(**find_body(*s, t, all[2].id) == "body");
  CHECK((*list_receipts(*s, t, {}, {}, 10))[0].id == all[3].id);
}

TEST_CASE("one snapshot of a scope waits") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  tracker::receipt r{.id = tracker::snapshot_id::make(), .state = tracker::receipt_state::queued};
  r.scope = "route:x";
  r.workspace = "acme";
  r.counts = r.effects = "{}";
  r.warnings = "[]";
  REQUIRE(insert_receipt(*s, t, r));
  tracker::queue_item q{.id = tracker::queue_id::make(), .receipt = r.id, .scope = r.scope};
  q.route.provider = tracker::provider::linear;
  q.route.workspace = "acme";
  q.route.resource = tracker::resource_key{"linear_team", "abc"};
  q.route.project_uuid_text = "no uuid";
  q.received_at = noon;
  REQUIRE(insert_queue_item(*s, t, q));
  auto second = q;
  second.id = tracker::queue_id::make();
  CHECK(code_of(insert_queue_item(*s, t, second)) == errc::conflict);
  CHECK((*find_pending(*s, t, r.scope))->route.resource == q.route.resource);
  CHECK(pending_of_workspace(*s, t, q.route.provider, "acme")->size() == 1);
  q.state = tracker::queue_state::superseded;
  q.resolved_at = noon;
  REQUIRE(update_queue_item(*s, t, q));
  CHECK(insert_queue_item(*s, t, second));
  CHECK(*count_pending(*s, t) == 1);
  CHECK(list_queue(*s, t, {.states = {"pending"}}, {}, 10)->size() == 1);
}

TEST_CASE("the sweep finds tenants that have due bindings") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s), other = add_tenant(*s, "other");
  const auto b = add_binding(*s, t, add_project(*s, t));
  const auto c = add_binding(*s, other, add_project(*s, other));
  REQUIRE(update_binding(*s, t, b, noon));
  REQUIRE(update_binding(*s, other, c, noon + seconds{1}));
  CHECK(*tenants_to_check(*s, noon, std::nullopt, 10) == std::vector{t});
  CHECK(tenants_to_check(*s, noon + seconds{1}, std::nullopt, 10)->size() == 2);
  CHECK(bindings_to_check(*s, t, noon, 10)->front().id == b.id);
  CHECK(bindings_to_check(*s, other, noon, 10)->empty());
}
