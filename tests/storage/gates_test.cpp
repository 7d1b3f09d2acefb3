#include "storage/tracker/gates.hpp"

#include "domain/tenant_state.hpp"
#include "storage/sealed_values.hpp"
#include "storage/tracker/projects.hpp"
#include "tests/storage/stores.hpp"

#include <algorithm>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

tracker::project add_project(session& s, const tenant_id& tenant, std::string slug = "shop") {
  tracker::project p{
      .id = tracker::project_id::make(), .slug = slug, .name = slug, .created_at = noon, .updated_at = noon};
  REQUIRE(insert_project(s, tenant, p));
  return p;
}

tracker::gate add_gate(session& s, const tenant_id& tenant, timestamp at = noon) {
  tracker::gate g{tracker::gate_id::make(),
                  tenant,
                  add_project(s, tenant, uuid::make().str()).id,
                  "acme/app",
                  "sealed",
                  at};
  REQUIRE(insert_gate(s, g));
  return g;
}

}  // namespace

TEST_CASE("a gate is found by its id alone, and by its own tenant") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto mine = add_tenant(*s), other = add_tenant(*s, "other");
  const auto g = add_gate(*s, mine);
  const auto found = find_gate(*s, g.id);
  REQUIRE(found);
  REQUIRE(found->has_value());
  CHECK((*found)->tenant == mine);
  CHECK((*found)->sealed_secret == "sealed");
  CHECK(find_gate(*s, mine, g.id)->has_value());
  CHECK_FALSE(find_gate(*s, other, g.id)->has_value());
  CHECK_FALSE(*delete_gate(*s, other, g.id));
  CHECK(*delete_gate(*s, mine, g.id));
  CHECK_FALSE(find_gate(*s, g.id)->has_value());
}

TEST_CASE("a delivery is known to its gate only, and gone with it") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  const auto g = add_gate(*s, tenant), other = add_gate(*s, tenant);
  CHECK(*insert_gate_delivery(*s, g, "d-1", noon));
  CHECK_FALSE(*insert_gate_delivery(*s, g, "d-1", noon));
  CHECK(*insert_gate_delivery(*s, other, "d-1", noon));
  REQUIRE(delete_gate(*s, tenant, g.id));
  CHECK_FALSE(*insert_gate_delivery(*s, other, "d-1", noon));
}

TEST_CASE("gates are listed oldest first, page by page, each tenant's its own") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  add_gate(*s, add_tenant(*s, "other"));
  std::vector<tracker::gate> made{add_gate(*s, tenant, noon + seconds{1}), add_gate(*s, tenant),
                                  add_gate(*s, tenant)};
  std::ranges::sort(made, {}, [](const auto& g) { return std::pair{g.created_at, g.id.str()}; });
  std::vector<tracker::gate_id> seen;
  keyset at{std::nullopt, 2};
  for (int page = 0; page < 2; ++page) {
    const auto rows = list_gates(*s, tenant, at, at.limit);
    REQUIRE(rows);
    for (const auto& g : *rows) seen.push_back(g.id);
    at.after = sort_key{to_millis(rows->back().created_at), rows->back().id.str()};
  }
  REQUIRE(seen.size() == made.size());
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == made[i].id);
}

TEST_CASE("the secret of a gate is among the sealed values, and is swapped like them") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  add_connection(*s, tenant);
  const auto g = add_gate(*s, tenant);
  const auto values = sealed_values(*s, {}, 10);
  REQUIRE(values);
  const auto of_gate = std::ranges::find(*values, "gate", &sealed_value::provider);
  REQUIRE(of_gate != values->end());
  CHECK(of_gate->ciphertext == "sealed");
  CHECK(secret_scope(of_gate->tenant, of_gate->provider, of_gate->connection) ==
        tracker::secret_scope(tenant, g.id));
  CHECK(*swap_sealed_value(*s, *of_gate, "fresh"));
  CHECK_FALSE(*swap_sealed_value(*s, *of_gate, "again"));
  CHECK((*find_gate(*s, g.id))->sealed_secret == "fresh");
}
