#include "storage/tracker/candidates.hpp"
#include "storage/tracker/mission_origins.hpp"
#include "storage/tracker/projects.hpp"
#include "tests/storage/stores.hpp"

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;
using tracker::provider;

namespace {

constexpr auto ttl = seconds{900};

stored_candidate candidate(std::string sha256, std::optional<tracker::resource_key> resource = {}) {
  return {std::move(sha256), {provider::linear, "acme", std::move(resource)}, std::nullopt};
}

void add(session& s, const tenant_id& tenant, const std::vector<stored_candidate>& rows,
         timestamp now = noon) {
  REQUIRE(insert_candidates(s, tenant, rows, now + ttl, now));
}

bool taken(session& s, const tenant_id& tenant, std::string_view sha256, timestamp now = noon,
           provider p = provider::linear) {
  const auto found = consume_candidate(s, tenant, p, sha256, now);
  REQUIRE(found);
  return found->has_value();
}

}  // namespace

TEST_CASE("a candidate token is taken once, by its tenant, for its provider") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto mine = add_tenant(*s), other = add_tenant(*s, "other");
  add(*s, mine, {candidate("a"), candidate("b")});
  CHECK_FALSE(taken(*s, other, "a"));
  CHECK_FALSE(taken(*s, mine, "a", noon, provider::jira));
  CHECK(taken(*s, mine, "a"));
  CHECK_FALSE(taken(*s, mine, "a"));
  CHECK(taken(*s, mine, "b"));
}

TEST_CASE("a candidate token ends when its time is over") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  add(*s, tenant, {candidate("a"), candidate("b")});
  CHECK(taken(*s, tenant, "a", noon + ttl - milliseconds{1}));
  CHECK_FALSE(taken(*s, tenant, "b", noon + ttl));
  add(*s, tenant, {candidate("c")}, noon + ttl);
  std::int64_t left = 0;
  REQUIRE(
      s->query("SELECT COUNT(*) FROM tracker_candidates", {}, [&](const row& r) { left = r.integer(0); }));
  CHECK(left == 1);
}

TEST_CASE("a candidate comes back as it was offered") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  auto whole = candidate("a"), part = candidate("b", tracker::resource_key{"linear_team", "t-1"});
  part.binding = tracker::binding_id::make();
  add(*s, tenant, {whole, part});
  for (const auto& c : {whole, part}) {
    const auto back = consume_candidate(*s, tenant, provider::linear, c.token_sha256, noon);
    REQUIRE(back);
    REQUIRE(back->has_value());
    CHECK((*back)->at == c.at);
    CHECK((*back)->binding == c.binding);
  }
}

TEST_CASE("a mission's first origin stays") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  tracker::project p{.id = tracker::project_id::make(),
                     .slug = "shop",
                     .name = "Shop",
                     .created_at = noon,
                     .updated_at = noon};
  REQUIRE(insert_project(*s, tenant, p));
  const tracker::mission_origin first{
      tracker::origin_id::make(), p.id, "m-1", "m", provider::jira, "1", "S-1", "", "Title", "todo", noon};
  auto second = first;
  second.id = tracker::origin_id::make();
  second.issue_id = "2";
  const auto made = claim_mission_origin(*s, tenant, first), again = claim_mission_origin(*s, tenant, second);
  REQUIRE(made);
  REQUIRE(again);
  CHECK(made->created);
  CHECK_FALSE(again->created);
  CHECK(again->row.id == first.id);
  CHECK(again->row.issue_id == "1");
  CHECK(again->row.mission_slug == "m");
  second.mission_key = "m-2";
  CHECK(claim_mission_origin(*s, tenant, second)->created);
}
