#include "domain/breaker.hpp"

#include <doctest/doctest.h>

using namespace connectord;

namespace {

constexpr breaker_policy policy{3, milliseconds{1'000}, milliseconds{5'000}};
using phase = breaker::phase;

void fail(breaker& b, steady_time now, int times = 1) {
  for (int i = 0; i < times; ++i) {
    b.begin();
    b.failed(policy, now);
  }
}

}  // namespace

TEST_CASE("a breaker opens after its failures in a row, and a success between them starts the count again") {
  breaker b;
  const steady_time now{};
  fail(b, now, 2);
  CHECK(b.admits(now));
  b.succeeded();
  fail(b, now, 2);
  CHECK(b.at(now) == phase::closed);
  b.begin();
  CHECK(b.failed(policy, now));
  CHECK(b.at(now) == phase::open);
  CHECK_FALSE(b.admits(now));
  CHECK_FALSE(b.admits(now + milliseconds{999}));
}

TEST_CASE("after the pause a breaker admits one probe, whose success closes it") {
  breaker b;
  fail(b, steady_time{}, 3);
  const steady_time later{milliseconds{1'000}};
  CHECK(b.at(later) == phase::half_open);
  REQUIRE(b.admits(later));
  b.begin();
  CHECK_FALSE(b.admits(later));
  CHECK_FALSE(b.admits(later + seconds{60}));
  b.succeeded();
  CHECK(b.at(later) == phase::closed);
  fail(b, later, 2);
  CHECK(b.admits(later));
}

TEST_CASE("a failed probe doubles the pause, up to its limit") {
  breaker b;
  steady_time now{};
  fail(b, now, 3);
  for (const int pause : {1'000, 2'000, 4'000, 5'000, 5'000}) {
    CHECK_FALSE(b.admits(now + milliseconds{pause - 1}));
    now += milliseconds{pause};
    REQUIRE(b.admits(now));
    fail(b, now);
  }
  for (int i = 0; i < 100; ++i) fail(b, now += seconds{5});
  CHECK(b.admits(now + seconds{5}));
}

TEST_CASE("failures of calls that began before a breaker opened do not lengthen its pause") {
  breaker b;
  fail(b, steady_time{}, 3);
  CHECK_FALSE(b.failed(policy, steady_time{milliseconds{900}}));
  CHECK(b.admits(steady_time{milliseconds{1'000}}));
}

TEST_CASE("one caller's failures stop that caller and nobody else") {
  breakers all{policy, policy};
  const breakers::caller bad = tenant_id::make(), good = tenant_id::make(), service;
  const steady_time now{};
  for (int i = 0; i < 3; ++i) CHECK(all.failed(bad, "a.example", now) == (i == 2));
  CHECK_FALSE(all.admits(bad, "a.example", now));
  CHECK(all.admits(bad, "b.example", now));
  CHECK(all.admits(good, "a.example", now));
  CHECK(all.admits(service, "a.example", now));
  // Failed probes of the one caller are no news about the host.
  for (int i = 1; i < 20; ++i) {
    const auto at = now + seconds{5 * i};
    REQUIRE(all.admits(bad, "a.example", at));
    all.begin(bad, "a.example");
    all.failed(bad, "a.example", at);
  }
  CHECK(all.admits(good, "a.example", now));
}

TEST_CASE("a host that fails several callers in a row is left alone by all, but for one probe") {
  breakers all{policy, policy};
  const steady_time now{}, later{seconds{1}};
  for (int caller = 0; caller < 3; ++caller) {
    const breakers::caller who = tenant_id::make();
    for (int i = 0; i < 3; ++i) all.failed(who, "a.example", now);
  }
  const breakers::caller first = tenant_id::make(), second = tenant_id::make();
  CHECK_FALSE(all.admits(first, "a.example", now));
  CHECK(all.admits(first, "b.example", now));

  REQUIRE(all.admits(first, "a.example", later));
  all.begin(first, "a.example");
  CHECK_FALSE(all.admits(second, "a.example", later));
  CHECK_FALSE(all.failed(first, "a.example", later));  // the first of its own, but it was the host's probe
  CHECK_FALSE(all.admits(second, "a.example", later + milliseconds{1'999}));

  const auto again = later + seconds{2};
  REQUIRE(all.admits(second, "a.example", again));
  all.begin(second, "a.example");
  all.succeeded(second, "a.example");
  CHECK(all.admits(first, "a.example", again));
}

TEST_CASE("a success of anybody between them keeps the failures of others from closing a host to all") {
  breakers all{policy, policy};
  const steady_time now{};
  for (int caller = 0; caller < 10; ++caller) {
    const breakers::caller who = tenant_id::make();
    for (int i = 0; i < 3; ++i) all.failed(who, "a.example", now);
    if (caller % 2 == 1) all.succeeded(tenant_id::make(), "a.example");
  }
  CHECK(all.admits(tenant_id::make(), "a.example", now));
}

TEST_CASE("however many hosts fail, those that are left alone stay so, and the rest is forgotten") {
  breakers all{policy, policy};
  const breakers::caller who = tenant_id::make();
  const steady_time now{};
  for (int i = 0; i < 3; ++i) all.failed(who, "down.example", now);
  all.failed(who, "shaky.example", now);
  all.failed(who, "shaky.example", now);
  for (std::size_t i = 0; i < breakers::most; ++i) all.failed(who, std::to_string(i), now);
  CHECK_FALSE(all.admits(who, "down.example", now));
  CHECK_FALSE(all.failed(who, "shaky.example", now));
}
