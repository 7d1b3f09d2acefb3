#include "domain/tracker/health.hpp"

#include <doctest/doctest.h>

using namespace connectord;
using namespace connectord::tracker;
using namespace std::chrono_literals;

namespace {

constexpr timestamp now{1'800'000'000s};

health_facts facts(milliseconds age) {
  health_facts out;
  out.last_snapshot_at = now - age;
  return out;
}

health_report of(const health_facts& f) { return assess(f, {}, now); }

}  // namespace

TEST_CASE("tracker health: the first verdict that holds, and everything that speaks for one") {
  using enum health_reason;
  struct row {
    health_facts facts;
    health verdict;
    std::vector<health_reason> reasons;
  };
  const auto with = [](milliseconds age, int failures, int warnings) {
    auto out = facts(age);
    out.failures = failures;
    out.open_warnings = warnings;
    return out;
  };
  auto off = with(1s, 3, 1);
  off.state = binding_state::disabled;
  const row table[] = {
      {with(0s, 0, 0), health::healthy, {}},
      {with(0s, 2, 0), health::healthy, {}},
      {with(0s, 0, 1), health::drifting, {open_drift}},
      {with(24h, 0, 0), health::healthy, {}},
      {with(24h + 1ms, 0, 1), health::stale, {stale_age, open_drift}},
      {with(24h + 1ms, 3, 1), health::degraded, {consecutive_failures, stale_age, open_drift}},
      {with(168h, 0, 0), health::stale, {stale_age}},
      {with(168h + 1ms, 3, 0), health::disconnected, {disconnected_age, consecutive_failures}},
      {{}, health::disconnected, {never_synced}},
      {off, health::disconnected, {disabled, consecutive_failures, open_drift}},
      {with(-5s, 0, 0), health::healthy, {}},
  };
  for (const auto& [f, verdict, reasons] : table) {
    CAPTURE(name_of(verdict));
    const auto report = of(f);
    CHECK(report.health == verdict);
    CHECK(report.reasons == reasons);
  }
}

TEST_CASE("tracker health: a project is as its worst binding") {
  using enum health;
  const std::vector<health> some{healthy, stale, drifting};
  CHECK(worst(some) == stale);
  CHECK(worst(std::vector<health>{drifting, degraded, disconnected}) == disconnected);
  CHECK(worst({}) == not_bound);
}

TEST_CASE("tracker health: ages are whole seconds and never negative") {
  CHECK(age_seconds(now - 1999ms, now) == 1);
  CHECK(age_seconds(now + 1h, now) == 0);
  CHECK_FALSE(age_seconds(std::nullopt, now).has_value());
}

TEST_CASE("tracker health: the next check is the very first millisecond at which the verdict changes") {
  const policy limits;
  const auto last = now - 1h;
  const auto next = next_check(binding_state::active, last, limits, now);
  REQUIRE(next);
  CHECK(is_stale(last, limits, *next));
  CHECK_FALSE(is_stale(last, limits, *next - 1ms));

  const auto then = next_check(binding_state::active, last, limits, *next);
  REQUIRE(then);
  const health_facts f{.state = binding_state::active, .last_snapshot_at = last};
  CHECK(assess(f, limits, *then).health == health::disconnected);
  CHECK(assess(f, limits, *then - 1ms).health == health::stale);

  CHECK_FALSE(next_check(binding_state::active, last, limits, *then).has_value());
  CHECK_FALSE(next_check(binding_state::active, std::nullopt, limits, now).has_value());
  CHECK_FALSE(next_check(binding_state::disabled, last, limits, now).has_value());
  CHECK_FALSE(next_check(binding_state::deleted, last, limits, now).has_value());
}

TEST_CASE("tracker health: one limit for both ages is one check") {
  policy limits;
  limits.stale_after = limits.disconnected_after = 10s;
  CHECK(next_check(binding_state::discovered, now, limits, now) == now + 10s + 1ms);
  CHECK_FALSE(next_check(binding_state::discovered, now, limits, now + 10s + 1ms).has_value());
}
