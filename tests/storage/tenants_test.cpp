#include "storage/tenants.hpp"
#include "storage/audit.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/idempotency.hpp"
#include "storage/jobs.hpp"
#include "storage/key_checks.hpp"
#include "storage/signals.hpp"
#include "storage/snapshots.hpp"
#include "tests/storage/stores.hpp"

#include <array>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

tenant named(std::string name, std::optional<std::string> slug = {}) {
  return {.id = tenant_id::make(),
          .slug = std::move(slug),
          .name = std::move(name),
          .metadata = R"({"a":1})",
          .created_at = noon,
          .updated_at = noon};
}

std::int64_t rows_of(session& s, const std::string& table) {
  std::int64_t n = -1;
  REQUIRE(s.query("SELECT COUNT(*) FROM " + table, {}, [&](const row& r) { n = r.integer(0); }));
  return n;
}

}  // namespace

TEST_CASE("a tenant is found by id and slug as it was written") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = named("Äcme", "acme");
  REQUIRE(insert_tenant(*s, t));
  for (const auto& found : {find_tenant(*s, t.id), find_tenant_by_slug(*s, "acme")}) {
    REQUIRE(found);
    REQUIRE(found->has_value());
    CHECK((*found)->id == t.id);
    CHECK((*found)->slug == t.slug);
    CHECK((*found)->name == t.name);
    CHECK((*found)->status == tenant_status::active);
    CHECK((*found)->metadata == t.metadata);
    CHECK((*found)->created_at == noon);
  }
  CHECK(!find_tenant(*s, tenant_id::make())->has_value());
}

TEST_CASE("a second tenant with the id or the slug is a conflict that names the field") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = named("a", "acme");
  REQUIRE(insert_tenant(*s, t));
  auto same_id = named("b");
  same_id.id = t.id;
  const auto by_id = insert_tenant(*s, same_id);
  CHECK(code_of(by_id) == errc::conflict);
  CHECK(detail_of(by_id, "field") == "id");
  const auto by_slug = insert_tenant(*s, named("c", "acme"));
  CHECK(detail_of(by_slug, "field") == "slug");
  auto other = named("d", "other");
  REQUIRE(insert_tenant(*s, other));
  other.slug = "acme";
  const auto renamed = update_tenant(*s, other);
  CHECK(detail_of(renamed, "field") == "slug");
}

TEST_CASE("tenants are updated, and a missing one is not") {
  EACH_STORE(store);
  const auto s = store.open();
  auto t = named("a", "acme");
  REQUIRE(insert_tenant(*s, t));
  t.name = "b";
  t.slug.reset();
  t.metadata = "{}";
  t.updated_at = noon + seconds{5};
  CHECK(*update_tenant(*s, t));
  const auto found = **find_tenant(*s, t.id);
  CHECK(found.name == "b");
  CHECK(!found.slug);
  CHECK(found.metadata == "{}");
  CHECK(found.updated_at == noon + seconds{5});
  CHECK(!*update_tenant(*s, named("nobody")));
}

TEST_CASE("listing tenants pages by age and id and filters") {
  EACH_STORE(store);
  const auto s = store.open();
  std::vector<tenant> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(named("t" + std::to_string(i), "slug-" + std::to_string(i)));
    all.back().created_at = noon + seconds{i / 2};
    REQUIRE(insert_tenant(*s, all.back()));
  }
  REQUIRE(*set_tenant_status(*s, all[3].id, tenant_status::suspended, noon));
  std::vector<tenant_id> seen;
  std::optional<position> after;
  for (;;) {
    const auto page = list_tenants(*s, {}, after, 2);
    REQUIRE(page);
    if (page->empty()) break;
    for (const auto& t : *page) seen.push_back(t.id);
    after = position{to_millis(page->back().created_at), page->back().id.str()};
  }
  REQUIRE(seen.size() == 5);
  for (int i = 0; i < 5; ++i) CHECK(seen[static_cast<std::size_t>(i)] == all[static_cast<std::size_t>(i)].id);
  CHECK(list_tenants(*s, {.slug = "slug-2", .status{}}, {}, 10)->size() == 1);
  CHECK(list_tenants(*s, {.slug{}, .status = tenant_status::suspended}, {}, 10)->front().id == all[3].id);
}

TEST_CASE("a claim takes the next epoch, and the former owner can no longer write") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto id = add_tenant(*s);
  const auto first = claim_tenant(*s, id);
  REQUIRE(first);
  REQUIRE(first->has_value());
  CHECK((*first)->row.id == id);
  const auto old = (*first)->epoch;
  CHECK(fence(*s, id, old));
  CHECK(*advance(*s, id, old) == (*first)->revision + 1);
  CHECK(*advance(*s, id, old) == (*first)->revision + 2);
  const auto second = **claim_tenant(*s, id);
  CHECK(second.epoch == old + 1);
  CHECK(second.revision == (*first)->revision + 2);
  CHECK(code_of(fence(*s, id, old)) == errc::stale_epoch);
  CHECK(code_of(advance(*s, id, old)) == errc::stale_epoch);
  CHECK(!claim_tenant(*s, tenant_id::make())->has_value());
  CHECK(code_of(fence(*s, tenant_id::make(), 0)) == errc::stale_epoch);
}

TEST_CASE("provisioning makes a tenant once") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto id = tenant_id::make();
  REQUIRE(provision_tenant(*s, id, noon));
  REQUIRE(provision_tenant(*s, id, noon + seconds{1}));
  const auto t = **find_tenant(*s, id);
  CHECK(t.name == id.str());
  CHECK(t.created_at == noon);
}

TEST_CASE("a status changes once") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto id = add_tenant(*s);
  CHECK(*set_tenant_status(*s, id, tenant_status::suspended, noon));
  CHECK(!*set_tenant_status(*s, id, tenant_status::suspended, noon));
  CHECK(*set_tenant_status(*s, id, tenant_status::active, noon));
  CHECK(!*set_tenant_status(*s, tenant_id::make(), tenant_status::suspended, noon));
}

TEST_CASE("tokens are found by digest, touched, listed and revoked within their tenant") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto id = add_tenant(*s), other = add_tenant(*s);
  const tenant_token t{.id = token_id::make(),
                       .tenant = id,
                       .name = "ci",
                       .scopes = {"jobs:read", "signals:read"},
                       .prefix = "cdt_abcd",
                       .created_at = noon,
                       .expires_at = noon + seconds{9},
                       .last_used_at{},
                       .revoked_at{}};
  REQUIRE(insert_token(*s, t, "digest"));
  CHECK(code_of(insert_token(*s, t, "digest")) == errc::conflict);
  const auto found = **find_token(*s, "digest");
  CHECK(found.tenant == id);
  CHECK(found.scopes == t.scopes);
  CHECK(found.expires_at == t.expires_at);
  CHECK(!found.revoked_at);
  REQUIRE(touch_token(*s, id, t.id, noon + seconds{1}));
  CHECK(list_tokens(*s, id)->front().last_used_at == noon + seconds{1});
  CHECK(list_tokens(*s, other)->empty());
  CHECK(!*revoke_token(*s, other, t.id, noon));
  CHECK(*revoke_token(*s, id, t.id, noon));
  CHECK(*revoke_token(*s, id, t.id, noon + seconds{1}));
  CHECK((*find_token(*s, "digest"))->revoked_at == noon);
  CHECK(!find_token(*s, "unknown")->has_value());
}

TEST_CASE("deleting a tenant deletes all that it has and nothing of another") {
  EACH_STORE(store);
  const auto s = store.open();
  const std::array tables{"tenants",       "connections", "connection_identities", "deliveries",
                          "delivery_keys", "signals",     "delivery_signals",      "sync_jobs",
                          "snapshots",     "audit_log",   "tenant_tokens",         "idempotency_keys"};
  const auto fill = [&](tenant_id t) {
    const auto c = add_connection(*s, t);
    auto d = sample_delivery("d1");
    d.connection = c.id;
    REQUIRE(accept_delivery(*s, t, d, noon));
    const auto x = insert_signal(*s, t, sample_signal(c, "k"));
    REQUIRE(x);
    REQUIRE(link_signals(*s, t, std::array{signal_link{d.id, x->id, 0}}));
    REQUIRE(insert_job(*s, t, sample_job(c)));
    REQUIRE(save_snapshot(*s, t, {1, 1, "sum", "body", noon}));
    REQUIRE(append_audit(*s, {t, noon, "operator", "tenant.create", t.str(), "trace"}));
    REQUIRE(insert_token(*s, {.id = token_id::make(), .tenant = t, .name = "n"}, t.str()));
    REQUIRE(keep_answer(*s, {t.str() + "|POST|/connections", "k", "b", 201, "{}", "", noon}, noon));
  };
  const auto gone = add_tenant(*s), kept = add_tenant(*s);
  fill(gone);
  fill(kept);
  for (const auto* table : tables) {
    INFO(table);
    CHECK(rows_of(*s, table) == 2);
  }
  commit(*s, [&] { CHECK(*delete_tenant(*s, gone)); });
  for (const auto* table : tables) {
    INFO(table);
    CHECK(rows_of(*s, table) == 1);
  }
  CHECK(!find_tenant(*s, gone)->has_value());
  CHECK(!*delete_tenant(*s, gone));
}

TEST_CASE("the audit row of a deletion outlives the tenant") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto gone = add_tenant(*s);
  REQUIRE(append_audit(*s, {gone, noon, "operator", "tenant.create", gone.str(), "trace"}));
  commit(*s, [&] {
    CHECK(*delete_tenant(*s, gone));
    CHECK(append_audit(*s, {{}, noon, "operator", "tenant.delete", gone.str(), "trace"}));
  });
  CHECK(rows_of(*s, "audit_log") == 1);
}

TEST_CASE("only the last two snapshots are kept, and the newest is loaded") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto id = add_tenant(*s);
  CHECK(!load_snapshot(*s, id)->has_value());
  for (const std::int64_t revision : {3, 10, 9, 12}) {
    REQUIRE(save_snapshot(*s, id,
                          {revision, 2, "sum", std::string{"b\0dy", 4} + std::to_string(revision), noon}));
  }
  CHECK(rows_of(*s, "snapshots") == 2);
  REQUIRE(save_snapshot(*s, id, {12, 2, "again", "newer", noon}));
  const auto newest = **load_snapshot(*s, id);
  CHECK(newest.revision == 12);
  CHECK(newest.version == 2);
  CHECK(newest.checksum == "again");
  CHECK(newest.body == "newer");
}

TEST_CASE("an answer is kept until it expires, and only the first one") {
  EACH_STORE(store);
  const auto s = store.open();
  const idempotent_answer a{"scope", "key", "digest", 201, "{\"a\":1}", "/x", noon + seconds{10}};
  CHECK(!find_kept_answer(*s, "scope", "key", noon)->has_value());
  REQUIRE(keep_answer(*s, a, noon));
  CHECK(code_of(keep_answer(*s, a, noon)) == errc::idempotency_in_flight);
  const auto found = **find_kept_answer(*s, "scope", "key", noon);
  CHECK(found.body_sha256 == a.body_sha256);
  CHECK(found.status == 201);
  CHECK(found.body == a.body);
  CHECK(found.location == "/x");
  CHECK(!find_kept_answer(*s, "other", "key", noon)->has_value());
  CHECK(!find_kept_answer(*s, "scope", "key", noon + seconds{10})->has_value());
  auto later = a;
  later.status = 200;
  REQUIRE(keep_answer(*s, later, noon + seconds{10}));
}

TEST_CASE("the first check value of a key stands") {
  EACH_STORE(store);
  const auto s = store.open();
  REQUIRE(store_key_check(*s, {"k1", std::string{"\0\x02x", 3}}));
  REQUIRE(store_key_check(*s, {"k1", "other"}));
  const auto all = load_key_checks(*s);
  REQUIRE(all->size() == 1);
  CHECK(all->front().ciphertext == std::string{"\0\x02x", 3});
}
