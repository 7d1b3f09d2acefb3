#include "storage/oauth_states.hpp"
#include "base/crypto.hpp"
#include "storage/retention.hpp"
#include "storage/tenants.hpp"
#include "tests/storage/stores.hpp"

#include <algorithm>
#include <array>
#include <latch>
#include <thread>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;
using oauth::state_verdict;

namespace {

oauth::state add_state(session& s, tenant_id tenant, std::string value = "value") {
  const oauth::state state{.id = state_id::make(),
                           .tenant = tenant,
                           .sha256 = to_hex(bytes_of(sha256(value))),
                           .provider = "github",
                           .redirect_uri = "https://us.test/back",
                           .verifier_ciphertext = std::string{"\0sealed", 7},
                           .created_at = noon,
                           .expires_at = noon + seconds{600}};
  REQUIRE(insert_oauth_state(s, state));
  return state;
}

consumed_state consume(session& s, const oauth::state& state, timestamp now,
                       std::string_view provider = "github") {
  auto consumed = consume_oauth_state(s, state.sha256, provider, now);
  REQUIRE(consumed);
  CHECK((consumed->verdict == state_verdict::valid) == consumed->row.has_value());
  return std::move(*consumed);
}

}  // namespace

TEST_CASE("a state comes back once, as it was written") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto state = add_state(*s, add_tenant(*s));
  const auto first = consume(*s, state, noon);
  REQUIRE(first.verdict == state_verdict::valid);
  CHECK(*first.row == state);
  CHECK(consume(*s, state, noon).verdict == state_verdict::used);
  CHECK(consume(*s, state, noon + seconds{601}).verdict == state_verdict::used);
}

TEST_CASE("a state without a verifier comes back without one") {
  EACH_STORE(store);
  const auto s = store.open();
  oauth::state state{.id = state_id::make(),
                     .tenant = add_tenant(*s),
                     .sha256 = "00",
                     .provider = "github",
                     .redirect_uri = "https://us.test",
                     .verifier_ciphertext{},
                     .created_at = noon,
                     .expires_at = noon + seconds{1}};
  REQUIRE(insert_oauth_state(*s, state));
  CHECK(consume(*s, state, noon).row == state);
}

TEST_CASE("another provider does not know the state, and does not spend it") {
  EACH_STORE(store);
  const auto s = store.open();
  auto state = add_state(*s, add_tenant(*s));
  CHECK(consume(*s, state, noon, "gitlab").verdict == state_verdict::unknown);
  CHECK(consume(*s, state, noon).verdict == state_verdict::valid);
  CHECK(consume(*s, state, noon, "gitlab").verdict == state_verdict::unknown);
  state.sha256 = "never issued";
  CHECK(consume(*s, state, noon).verdict == state_verdict::unknown);
}

TEST_CASE("a state ends at its time, and goes a day later") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto state = add_state(*s, add_tenant(*s));
  CHECK(consume(*s, state, state.expires_at).verdict == state_verdict::expired);
  CHECK(consume(*s, state, state.expires_at).verdict == state_verdict::expired);
  REQUIRE(purge_oauth_states(*s, state.expires_at, 10).value() == 0);
  REQUIRE(purge_oauth_states(*s, state.expires_at + milliseconds{1}, 10).value() == 1);
  CHECK(consume(*s, state, state.expires_at).verdict == state_verdict::unknown);
}

TEST_CASE("states go with their tenant") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  const auto state = add_state(*s, tenant);
  REQUIRE(delete_tenant(*s, tenant));
  CHECK(consume(*s, state, noon).verdict == state_verdict::unknown);
}

TEST_CASE("of twenty callbacks at once exactly one gets the state") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto state = add_state(*s, add_tenant(*s));
  constexpr std::size_t callers = 20;
  std::array<std::optional<state_verdict>, callers> verdicts;
  std::array<std::unique_ptr<session>, callers> sessions;
  for (auto& one : sessions) one = store.open();
  std::latch together{callers};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i)
      threads.emplace_back([&, i] {
        together.arrive_and_wait();
        auto& mine = *sessions[i];
        if (!mine.begin_write()) return;
        const auto consumed = consume_oauth_state(mine, state.sha256, "github", noon);
        if (consumed && mine.commit()) verdicts[i] = consumed->verdict;
      });
  }
  CHECK(std::ranges::count(verdicts, std::optional{state_verdict::valid}) == 1);
  CHECK(std::ranges::count(verdicts, std::optional{state_verdict::used}) == callers - 1);
}
