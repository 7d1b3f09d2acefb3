#include "actors/token_keeper.hpp"
#include "actors/tenant.hpp"
#include "tests/support/sync_world.hpp"

using namespace connectord;

namespace {

/// A tenant with one connection, and the keeper of its tokens.
struct keeper_fixture : sync_fixture {
  tenant_actor tenant = host(spawn_tenant({system, sky}, node.shared, acme, node.store));
  connection c = done_by<stored_connection>(send(granted(account))).row;
  token_keeper_actor keeper = keeper_at(tenant, node);
  std::string first_refresh = "refresh-1";

  answer<tenant_outcome> send(mutation m) {
    return ask<tenant_outcome>(tenant, as_command(std::move(m), 0, true));
  }
  token_keeper_actor keeper_at(const tenant_actor& parent, const sync_node& n) {
    return host(spawn_token_keeper({system, sky}, n.shared, acme, "example", c.id, parent));
  }
  answer<token_lent> want(refresh_cause cause = refresh_cause::use,
                          std::optional<std::int64_t> rejected = {}) {
    return ask<token_lent>(keeper, fresh_token{cause, rejected});
  }
  static lent_token lent(const answer<token_lent>& a) {
    REQUIRE(*a);
    REQUIRE((*a)->has_value());
    return (*a)->value().token;
  }
  static errc refused(const answer<token_lent>& a) {
    REQUIRE(*a);
    REQUIRE_FALSE((*a)->has_value());
    return (*a)->error().code();
  }
  void expect(passage p) {
    out.fate = [p](const http_request&) { return p; };
  }
  int presented(const std::string& refresh) { return provider.presented[refresh]; }
  void refuse_next(std::size_t jobs) {
    node.script.fate = [from = node.script.jobs, jobs](std::size_t job) {
      return job >= from && job < from + jobs ? fault::refuse_before : fault::none;
    };
  }
  /// At the end of the token: new ones come, and the store refuses the next jobs.
  answer<token_lent> want_and_refuse_tokens(std::size_t jobs) {
    pass(provider.token_life);
    expect(passage::hold);
    auto asked = want();
    run();
    refuse_next(jobs);
    let_all_go();
    expect(passage::open);
    return asked;
  }
};

}  // namespace

TEST_CASE_FIXTURE(keeper_fixture, "a token that is good is lent as it is, without a call") {
  const auto asked = want();
  run();
  const auto token = lent(asked);
  CHECK(token.access.reveal() == "access-2");
  CHECK(token.epoch == row(c).token_epoch);
  CHECK(out.calls == 0);
}

TEST_CASE_FIXTURE(keeper_fixture, "a thousand who need a token at its end share one exchange") {
  pass(provider.token_life);
  std::vector<answer<token_lent>> wants;
  for (int i = 0; i < 1000; ++i) wants.push_back(want());
  run();
  CHECK(provider.exchanges == 1);
  for (const auto& w : wants) CHECK(lent(w).epoch == c.token_epoch + 1);
  CHECK(row(c).expires_at == now() + provider.token_life);
  CHECK_FALSE(intent_is_open(c));
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "a thousand whose token was refused share one exchange, whenever they come") {
  std::vector<answer<token_lent>> wants;
  for (int i = 0; i < 500; ++i) wants.push_back(want(refresh_cause::use, c.token_epoch));
  expect(passage::hold_answer);
  run();
  for (int i = 0; i < 500; ++i) wants.push_back(want(refresh_cause::use, c.token_epoch));
  run();
  let_all_go();
  wants.push_back(want(refresh_cause::use, c.token_epoch));  // with the answer to a call made long ago
  run();
  CHECK(provider.exchanges == 1);
  for (const auto& w : wants) CHECK(lent(w).epoch == c.token_epoch + 1);
}

TEST_CASE_FIXTURE(keeper_fixture, "the token of the new epoch may be refused as well") {
  want(refresh_cause::use, c.token_epoch);
  run();
  const auto again = want(refresh_cause::use, c.token_epoch + 1);
  run();
  CHECK(lent(again).epoch == c.token_epoch + 2);
  CHECK(provider.exchanges == 2);
}

TEST_CASE_FIXTURE(keeper_fixture, "who forces an exchange behind a question that needs none gets one") {
  const auto first = want(), forced = want(refresh_cause::force), also = want(refresh_cause::force);
  run();
  CHECK(lent(first).epoch == c.token_epoch);
  CHECK(lent(forced).epoch == c.token_epoch + 1);
  CHECK(lent(also).epoch == c.token_epoch + 1);
  CHECK(provider.exchanges == 1);
}

TEST_CASE_FIXTURE(keeper_fixture, "who forces an exchange while one is under way shares it") {
  expect(passage::hold);
  const auto first = want(refresh_cause::force);
  run();
  const auto late = want(refresh_cause::force);
  run();
  let_all_go();
  CHECK(lent(first).access.reveal() == lent(late).access.reveal());
  CHECK(provider.exchanges == 1);
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "who forced an exchange before the last one ended is content with that one") {
  const auto before = now();
  pass(seconds{1});
  want(refresh_cause::force);
  run();
  const auto forced_at = [this](timestamp when) {
    auto asked = ask<token_lent>(keeper, fresh_token{refresh_cause::force, {}, when});
    run();
    return lent(asked).epoch;
  };
  CHECK(forced_at(before) == c.token_epoch + 1);
  CHECK(forced_at(now()) == c.token_epoch + 2);
  CHECK(provider.exchanges == 2);
}

TEST_CASE_FIXTURE(keeper_fixture, "the sweep exchanges what ends soon, and nothing else") {
  const auto early = want(refresh_cause::sweep);
  run();
  CHECK(lent(early).epoch == c.token_epoch);
  pass(provider.token_life - node.shared->refresh.lead);
  const auto due = want(refresh_cause::sweep);
  run();
  CHECK(lent(due).epoch == c.token_epoch + 1);
}

TEST_CASE_FIXTURE(keeper_fixture, "a grant that is gone fails the connection and is never presented again") {
  provider.revoke(account);
  pass(provider.token_life);
  const auto run_wants = want(), user_wants = want(refresh_cause::force);
  run();
  CHECK(refused(run_wants) == errc::unauthorized);
  CHECK(refused(user_wants) == errc::provider_error);
  CHECK(row(c).status == connection_status::error);
  CHECK(row(c).status_reason == "invalid_grant");
  CHECK_FALSE(intent_is_open(c));
  for (const auto cause : {refresh_cause::use, refresh_cause::sweep}) {
    const auto later = want(cause);
    run();
    CHECK(refused(later) == errc::unauthorized);
  }
  CHECK(presented(first_refresh) == 1);
}

TEST_CASE_FIXTURE(keeper_fixture, "a provider that is ill or full costs the try and nothing else") {
  pass(provider.token_life);
  for (const auto ill : {passage::unavailable, passage::limited, passage::lose}) {
    expect(ill);
    const auto asked = want();
    run();
    CHECK(refused(asked) == errc::provider_error);
    CHECK(row(c).status == connection_status::active);
    CHECK_FALSE(intent_is_open(c));
  }
  expect(passage::open);
  const auto asked = want();
  run();
  CHECK(lent(asked).epoch == c.token_epoch + 1);
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "a provider slower than the deadline is a failure, and its late answer is nothing") {
  pass(provider.token_life);
  expect(passage::hold_answer);
  const auto asked = want();
  run();
  pass(node.shared->call_patience + seconds{6});
  CHECK(refused(asked) == errc::provider_error);
  let_all_go();
  CHECK(row(c).token_epoch == c.token_epoch);
  expect(passage::open);
  const auto again = want();
  run();
  CHECK(lent(again).epoch == c.token_epoch + 1);
  CHECK_FALSE(provider.lost(account));
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "after a death between the call and the store the same token is presented once more") {
  pass(provider.token_life);
  expect(passage::hold_answer);
  want();
  run();
  caf::anon_send_exit(keeper, caf::exit_reason::kill);
  run();
  let_all_go();
  CHECK(intent_is_open(c));
  keeper = keeper_at(tenant, node);
  expect(passage::open);
  const auto asked = want();
  run();
  CHECK_FALSE(*asked);  // whoever had the intent may still be at it
  pass_slowly(node.shared->refresh.intent_lease + seconds{1});
  CHECK(lent(asked).epoch == c.token_epoch + 1);
  CHECK(presented(first_refresh) == 2);
  CHECK_FALSE(intent_is_open(c));
  CHECK_FALSE(provider.lost(account));
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "when that is refused, the outcome is unknown: said so, and not tried again") {
  provider.leeway = seconds{0};
  pass(provider.token_life);
  expect(passage::hold_answer);
  want();
  run();
  caf::anon_send_exit(keeper, caf::exit_reason::kill);
  run();
  let_all_go();
  keeper = keeper_at(tenant, node);
  expect(passage::open);
  const auto asked = want();
  pass_slowly(node.shared->refresh.intent_lease + seconds{1});
  CHECK(refused(asked) == errc::unauthorized);
  CHECK(row(c).status == connection_status::error);
  CHECK(row(c).status_reason == oauth::outcome_unknown);
  const auto later = want();
  run();
  CHECK(refused(later) == errc::unauthorized);
  CHECK(presented(first_refresh) == 2);
}

TEST_CASE_FIXTURE(keeper_fixture, "tokens that the store does not take are kept and offered again") {
  provider.leeway = seconds{0};
  const auto asked = want_and_refuse_tokens(3);
  CHECK_FALSE(*asked);
  const auto meanwhile = want(refresh_cause::force);
  pass_slowly(seconds{2}, milliseconds{100});
  CHECK(lent(asked).epoch == c.token_epoch + 1);
  CHECK(lent(meanwhile).epoch == c.token_epoch + 1);
  CHECK(provider.exchanges == 1);
  CHECK(row(c).token_epoch == c.token_epoch + 1);
  CHECK_FALSE(intent_is_open(c));
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "a tenant that has to leave waits for tokens that the store has not taken yet") {
  provider.leeway = seconds{0};
  pass(provider.token_life);
  expect(passage::hold);
  const auto asked = send(force_refresh{c.id, refresh_cause::force, now()});
  run();
  refuse_next(2);
  let_all_go();
  caf::anon_send(tenant, passivate{});
  run();
  CHECK_FALSE(*asked);
  pass_slowly(seconds{2}, milliseconds{100});
  CHECK(row(c).token_epoch == c.token_epoch + 1);
  CHECK(provider.exchanges == 1);
  CHECK_FALSE(intent_is_open(c));
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "tokens that the store has not taken by the end of the lease are given up") {
  const auto asked = want_and_refuse_tokens(100'000);
  pass_slowly(node.shared->refresh.intent_lease + seconds{1});
  CHECK(refused(asked) == errc::database_unavailable);
  refuse_next(0);
  keeper = keeper_at(tenant, node);
  const auto again = want();
  run();
  CHECK(lent(again).epoch == c.token_epoch + 1);
  CHECK(presented(first_refresh) == 2);  // within the leeway
  CHECK_FALSE(provider.lost(account));
}

TEST_CASE_FIXTURE(keeper_fixture,
                  "a consent while an exchange is under way wins, and the exchange's tokens are dropped") {
  pass(provider.token_life);
  expect(passage::hold_answer);
  const auto asked = want();
  run();
  const auto renewed = done_by<stored_connection>(send(granted(account))).row;
  let_all_go();
  CHECK(row(c).token_epoch == renewed.token_epoch);
  CHECK(row(c).access_ciphertext == renewed.access_ciphertext);
  CHECK(lent(asked).epoch == renewed.token_epoch);
  CHECK_FALSE(intent_is_open(c));
}

TEST_CASE_FIXTURE(keeper_fixture, "a second node that needs the token waits for the first one's exchange") {
  pass(provider.token_life);
  expect(passage::hold);
  std::vector<answer<token_lent>> wants;
  for (int i = 0; i < 500; ++i) wants.push_back(want());
  run();
  sync_node second{*this, db, "two", clock, &out};
  const auto heir = host(spawn_tenant({system, sky}, second.shared, acme, second.store));
  keeper = keeper_at(heir, second);
  for (int i = 0; i < 500; ++i) wants.push_back(want());
  run();
  expect(passage::open);
  let_all_go();
  pass_slowly(seconds{2} * node.shared->refresh.intent_lease.count());
  CHECK(provider.exchanges == 1);
  for (const auto& w : wants) CHECK(lent(w).epoch == c.token_epoch + 1);
  CHECK_FALSE(provider.lost(account));
  end();
}
