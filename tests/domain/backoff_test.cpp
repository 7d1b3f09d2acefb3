#include "domain/backoff.hpp"
#include "domain/retry_hint.hpp"
#include "domain/schedule.hpp"

#include <doctest/doctest.h>

using namespace connectord;

namespace {

timestamp at(std::string_view text) { return parse_rfc3339(text).value(); }

http_response with(std::string_view name, std::string_view value) {
  return {429, {{std::string{name}, std::string{value}}}, {}, call_failure::none};
}

}  // namespace

TEST_CASE("a delay doubles with each failure up to its maximum, exactly, while there is no jitter") {
  const backoff_policy p{seconds{5}, seconds{900}, 0};
  CHECK(backoff_delay(p, 0, {}, 1) == seconds{5});
  CHECK(backoff_delay(p, 1, {}, 1) == seconds{10});
  CHECK(backoff_delay(p, 7, {}, 1) == seconds{640});
  CHECK(backoff_delay(p, 8, {}, 1) == seconds{900});
  CHECK(backoff_delay(p, 1'000'000, {}, 1) == seconds{900});
  CHECK(backoff_delay({seconds{3600}, seconds{86400}, 0}, 63, {}, 1) == seconds{86400});
}

TEST_CASE("a provider's hint is a lower bound that may exceed the maximum; jitter comes on top") {
  const backoff_policy p{seconds{5}, seconds{900}, 0.1};
  CHECK(backoff_delay(p, 0, seconds{3600}, 0) == seconds{3600});
  CHECK(backoff_delay(p, 0, seconds{2}, 0) == seconds{5});
  CHECK(backoff_delay(p, 0, seconds{100}, 1) == seconds{110});
  CHECK(backoff_delay(p, 1, {}, 0.5) == milliseconds{10'500});
}

TEST_CASE("Retry-After is understood as seconds and as a date, and is at most a day") {
  const auto now = at("1994-11-06T08:49:00Z");
  CHECK(retry_after(with("retry-after", "120"), now) == seconds{120});
  CHECK(retry_after(with("retry-after", " 0 "), now) == seconds{0});
  CHECK(retry_after(with("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), now) == seconds{37});
  CHECK(retry_after(with("retry-after", "999999"), now) == longest_hint);
  CHECK(retry_after(with("retry-after", "99999999999999999999"), now) == longest_hint);
  CHECK(retry_after(with("retry-after", "Sun, 06 Nov 2094 08:49:37 GMT"), now) == longest_hint);
}

TEST_CASE("a Retry-After that is over, or that is none, asks for nothing") {
  const auto now = at("2026-01-01T00:00:00Z");
  for (const auto* text :
       {"", "-1", "soon", "1.5", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 2094 08:49:37 CET",
        "Sun, 06 Foo 2094 08:49:37 GMT", "Sun, 36 Nov 2094 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(retry_after(with("retry-after", text), now).has_value());
  }
  CHECK_FALSE(retry_after(with("x-other", "5"), now).has_value());
}

TEST_CASE("after a pause of the process one run makes up for all that were missed, and the rhythm stays") {
  // Finished at 10:00 with an interval of 15 minutes, back at 10:20.
  const auto plan = plan_run(at("2026-01-01T10:15:00Z"), seconds{900}, at("2026-01-01T10:20:00Z"));
  REQUIRE(plan.has_value());
  CHECK(plan->due == at("2026-01-01T10:15:00Z"));
  CHECK(plan->next == at("2026-01-01T10:30:00Z"));
  const auto late = plan_run(at("2026-01-01T10:15:00Z"), seconds{900}, at("2026-01-03T10:14:59Z"));
  CHECK(late->due == at("2026-01-03T10:00:00Z"));
  CHECK(late->next == at("2026-01-03T10:15:00Z"));
}

TEST_CASE("a run is never early, and is due in the very moment that was planned") {
  const auto planned = at("2026-01-01T10:15:00Z");
  CHECK_FALSE(plan_run(planned, seconds{900}, planned - milliseconds{1}).has_value());
  const auto plan = plan_run(planned, seconds{900}, planned);
  REQUIRE(plan.has_value());
  CHECK(plan->due == planned);
  CHECK(plan->next == planned + seconds{900});
}

TEST_CASE("chance moves a run by whole seconds between its two shares of the interval") {
  CHECK(schedule_jitter(seconds{900}, 0, 0.2, 0) == seconds{0});
  CHECK(schedule_jitter(seconds{900}, 0, 0.2, 1) == seconds{180});
  CHECK(schedule_jitter(seconds{61}, 0.1, 0.1, 0.7) == seconds{6});
}

TEST_CASE("an interval of a connection's own counts from a minute to the longest that is allowed") {
  CHECK_FALSE(own_interval(59, seconds{3600}).has_value());
  CHECK(own_interval(60, seconds{3600}) == seconds{60});
  CHECK(own_interval(3600, seconds{3600}) == seconds{3600});
  CHECK_FALSE(own_interval(3601, seconds{3600}).has_value());
}
