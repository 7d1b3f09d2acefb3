#include "base/json.hpp"
#include "storage/connections.hpp"
#include "storage/refresh_intents.hpp"
#include "storage/retention.hpp"
#include "storage/sealed_values.hpp"
#include "tests/storage/stores.hpp"

#include <algorithm>
#include <array>
#include <latch>
#include <thread>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;
using oauth::refresh_intent;

namespace {

constexpr seconds lease{60};

struct refreshable {
  explicit refreshable(session& s) : db(s), tenant(add_tenant(s)), c(add_connection(s, tenant)) {
    c.access_ciphertext = "access 0";
    c.refresh_ciphertext = "refresh 0";
    c.expires_at = noon;
    c.scopes = {"read"};
    REQUIRE(replace_tokens(db, tenant, c));
  }

  refresh_intent wanted(timestamp now = noon) const {
    return {.id = intent_id::make(),
            .connection = c.id,
            .fence = c.token_epoch + 1,
            .refresh_sha256 = "digest",
            .started_at = now,
            .lease_expires_at = now + lease};
  }
  claimed_intent claim(const refresh_intent& i) const {
    const auto claimed = claim_refresh_intent(db, tenant, i);
    REQUIRE(claimed);
    return *claimed;
  }
  connection row() const { return find_connection(db, tenant, c.id).value().value(); }
  bool open() const { return find_open_intent(db, tenant, c.id).value().has_value(); }

  session& db;
  tenant_id tenant;
  connection c;
};

refreshed_tokens fresh(std::optional<std::string> refresh = "refresh 1") {
  return {.access = "access 1", .refresh = std::move(refresh), .expires_at = noon + seconds{3600}, .scopes{}};
}

}  // namespace

TEST_CASE("one intent is open per connection, and whoever comes second is told of it") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto first = r.wanted();
  CHECK(r.claim(first).outcome == intent_claim::opened);
  CHECK(find_open_intent(*s, r.tenant, r.c.id).value() == first);
  const auto second = r.claim(r.wanted(noon + lease - milliseconds{1}));
  CHECK(second.outcome == intent_claim::busy);
  CHECK(second.intent == first);
}

TEST_CASE("an intent whose lease ran out is taken over, by one") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto first = r.wanted();
  r.claim(first);
  const auto later = r.claim(r.wanted(noon + lease));
  CHECK(later.outcome == intent_claim::retaken);
  CHECK(later.intent.id == first.id);
  CHECK(later.intent.lease_expires_at == noon + 2 * lease);
  CHECK(r.claim(r.wanted(noon + lease)).outcome == intent_claim::busy);
}

TEST_CASE("the leases of a dead process end at once") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  r.claim(r.wanted());
  REQUIRE(expire_refresh_leases(*s, noon).value() == 1);
  CHECK(expire_refresh_leases(*s, noon).value() == 0);
  CHECK(r.claim(r.wanted()).outcome == intent_claim::retaken);
}

TEST_CASE("tokens that others renewed, and a revoked connection, open no intent") {
  EACH_STORE(store);
  const auto s = store.open();
  refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  CHECK(r.claim(r.wanted()).outcome == intent_claim::stale);
  r.c = r.row();
  r.c.status = connection_status::revoked;
  REQUIRE(update_connection(*s, r.tenant, r.c));
  CHECK(r.claim(r.wanted()).outcome == intent_claim::stale);
  CHECK_FALSE(r.open());
}

TEST_CASE("stored tokens move the epoch, keep the old refresh token for a day and end the intent") {
  EACH_STORE(store);
  const auto s = store.open();
  refreshable r{*s};
  r.c.status = connection_status::error;
  r.c.status_reason = "unauthorized";
  r.c.metadata = R"({"user":{"id":1}})";
  REQUIRE(update_connection(*s, r.tenant, r.c));
  const auto mine = r.wanted();
  r.claim(mine);
  auto tokens = fresh();
  tokens.scopes = {"read", "write"};
  REQUIRE(store_refreshed(*s, r.tenant, mine, tokens, noon).value());
  const auto row = r.row();
  CHECK(row.access_ciphertext == "access 1");
  CHECK(row.refresh_ciphertext == "refresh 1");
  CHECK(row.previous_refresh == sealed_secret{"refresh 0", noon + std::chrono::hours{24}});
  CHECK(row.token_epoch == mine.fence);
  CHECK(row.expires_at == tokens.expires_at);
  CHECK(row.scopes == tokens.scopes);
  CHECK(row.status == connection_status::active);
  CHECK_FALSE(row.status_reason);
  const auto metadata = parse_json_object(row.metadata).value();
  CHECK(metadata.at("last_refreshed_at") == json::value(to_rfc3339(noon)));
  CHECK(metadata.contains("user"));
  CHECK_FALSE(r.open());
}

TEST_CASE("without a new refresh token the old one stays, and so do the scopes") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(std::nullopt), noon).value());
  CHECK(r.row().refresh_ciphertext == "refresh 0");
  CHECK_FALSE(r.row().previous_refresh);
  CHECK(r.row().scopes == r.c.scopes);
}

TEST_CASE("the previous refresh token takes its place again when it was the one that worked") {
  EACH_STORE(store);
  const auto s = store.open();
  refreshable r{*s};
  auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  r.c = r.row();
  mine = r.wanted();
  r.claim(mine);
  auto tokens = fresh(std::nullopt);
  tokens.with_previous = true;
  REQUIRE(store_refreshed(*s, r.tenant, mine, tokens, noon).value());
  CHECK(r.row().refresh_ciphertext == "refresh 0");
  CHECK_FALSE(r.row().previous_refresh);
}

TEST_CASE("whoever loses the compare writes nothing but the end of the intent") {
  EACH_STORE(store);
  const auto s = store.open();
  refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  r.c.access_ciphertext = "access of a consent";
  r.c.refresh_ciphertext = "refresh of a consent";
  REQUIRE(replace_tokens(*s, r.tenant, r.c));
  CHECK_FALSE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  CHECK_FALSE(store_refusal(*s, r.tenant, mine, "invalid_grant", noon).value());
  CHECK(r.row() == r.c);
  CHECK_FALSE(r.open());
}

TEST_CASE("an answer to a revoked connection stores no token") {
  EACH_STORE(store);
  const auto s = store.open();
  refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  r.c.status = connection_status::revoked;
  r.c.access_ciphertext.reset();
  r.c.refresh_ciphertext.reset();
  REQUIRE(update_connection(*s, r.tenant, r.c));
  REQUIRE(replace_tokens(*s, r.tenant, r.c));
  CHECK_FALSE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  CHECK_FALSE(r.row().access_ciphertext);
}

TEST_CASE("a consent makes the intents of older tokens void") {
  EACH_STORE(store);
  const auto s = store.open();
  refreshable r{*s};
  r.claim(r.wanted());
  REQUIRE(replace_tokens(*s, r.tenant, r.c));
  CHECK(r.claim(r.wanted()).outcome == intent_claim::opened);
}

TEST_CASE("a refusal is the connection's status, and a late answer still heals it") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refusal(*s, r.tenant, mine, "refresh_outcome_unknown", noon).value());
  CHECK(r.row().status == connection_status::error);
  CHECK(r.row().status_reason == "refresh_outcome_unknown");
  CHECK(r.row().token_epoch == r.c.token_epoch);
  CHECK_FALSE(r.open());
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  CHECK(r.row().status == connection_status::active);
}

TEST_CASE("a failed try closes its intent, a doubtful one leaves it open for the next") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(release_refresh_intent(*s, r.tenant, mine, noon));
  CHECK(r.claim(r.wanted()).outcome == intent_claim::retaken);
  REQUIRE(close_refresh_intent(*s, r.tenant, mine));
  CHECK(r.claim(r.wanted()).outcome == intent_claim::opened);
}

TEST_CASE("whoever changes something else about a connection leaves its tokens alone") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  auto read_before = r.row();
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  read_before.display_name = "renamed";
  REQUIRE(update_connection(*s, r.tenant, read_before));
  CHECK(r.row().display_name == "renamed");
  CHECK(r.row().access_ciphertext == "access 1");
  CHECK(r.row().refresh_ciphertext == "refresh 1");
  CHECK(r.row().token_epoch == mine.fence);
}

TEST_CASE("a previous refresh token is forgotten when the access token of that epoch worked") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  REQUIRE(forget_previous_refresh(*s, r.tenant, r.c.id, mine.fence - 1));
  CHECK(r.row().previous_refresh);
  REQUIRE(forget_previous_refresh(*s, r.tenant, r.c.id, mine.fence));
  CHECK_FALSE(r.row().previous_refresh);
  CHECK(r.row().refresh_ciphertext == "refresh 1");
}

TEST_CASE("a previous refresh token lasts a day") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  CHECK(purge_previous_refresh(*s, noon + std::chrono::hours{24} - milliseconds{1}, 10).value() == 0);
  CHECK(r.row().previous_refresh);
  CHECK(purge_previous_refresh(*s, noon + std::chrono::hours{24}, 10).value() == 1);
  CHECK_FALSE(r.row().previous_refresh);
}

TEST_CASE("every sealed token is found by key rotation, the previous one too") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  REQUIRE(store_refreshed(*s, r.tenant, mine, fresh(), noon).value());
  const auto values = sealed_values(*s, {}, 10).value();
  REQUIRE(values.size() == 3);
  for (const auto& v : values) REQUIRE(swap_sealed_value(*s, v, v.ciphertext + "'").value());
  CHECK(r.row().previous_refresh->ciphertext == "refresh 0'");
  CHECK(r.row().refresh_ciphertext == "refresh 1'");
  CHECK(r.row().access_ciphertext == "access 1'");
}

TEST_CASE("ended intents go by age, open ones stay") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  const auto mine = r.wanted();
  r.claim(mine);
  CHECK(purge_refresh_intents(*s, noon + seconds{1}, 10).value() == 0);
  REQUIRE(close_refresh_intent(*s, r.tenant, mine));
  CHECK(purge_refresh_intents(*s, noon, 10).value() == 0);
  CHECK(purge_refresh_intents(*s, noon + seconds{1}, 10).value() == 1);
}

TEST_CASE("of twenty callers that saw the same expired token one calls the provider") {
  EACH_STORE(store);
  const auto s = store.open();
  const refreshable r{*s};
  constexpr std::size_t callers = 20;
  std::array<std::optional<intent_claim>, callers> claims;
  std::array<std::unique_ptr<session>, callers> sessions;
  for (auto& one : sessions) one = store.open();
  std::latch together{callers};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i)
      threads.emplace_back([&, i, mine = r.wanted()] {
        together.arrive_and_wait();
        auto& db = *sessions[i];
        if (!db.begin_write()) return;
        const auto claimed = claim_refresh_intent(db, r.tenant, mine);
        if (!claimed || !db.commit()) return;
        claims[i] = claimed->outcome;
        if (claimed->outcome != intent_claim::opened || !db.begin_write()) return;
        if (store_refreshed(db, r.tenant, mine, fresh(), noon)) static_cast<void>(db.commit());
      });
  }
  CHECK(std::ranges::count(claims, std::optional{intent_claim::opened}) == 1);
  CHECK(std::ranges::count(claims, std::optional<intent_claim>{}) == 0);
  CHECK(r.row().token_epoch == r.c.token_epoch + 1);
  CHECK_FALSE(r.open());
}
