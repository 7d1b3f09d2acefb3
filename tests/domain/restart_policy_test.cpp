#include "domain/restart_policy.hpp"

#include <doctest/doctest.h>

using namespace connectord;

TEST_CASE("the pause doubles, and a spent budget ends it until the window has passed") {
  restart_history h;
  const restart_policy p{.most = 3};
  const steady_time now{};
  CHECK(h.crashed(p, now, 0) == milliseconds{200});
  CHECK(h.crashed(p, now, 0) == milliseconds{400});
  CHECK(h.crashed(p, now, -1) == milliseconds{640});
  CHECK_FALSE(h.crashed(p, now, 0));
  CHECK(h.crashed(p, now + seconds{61}, 0) == milliseconds{200});
}

TEST_CASE("a pause never exceeds its limit") {
  restart_history h;
  const restart_policy p{.most = 100, .longest = milliseconds{1000}};
  for (int i = 0; i < 60; ++i) CHECK(*h.crashed(p, steady_time{}, 0) <= milliseconds{1000});
}

TEST_CASE("probes of an unavailable tenant wait 5, 10, 20 minutes and at most an hour") {
  CHECK(probe_pause(0) == seconds{300});
  CHECK(probe_pause(1) == seconds{600});
  CHECK(probe_pause(2) == seconds{1200});
  CHECK(probe_pause(40) == seconds{3600});
}

TEST_CASE("the second death on a message locks it out, and only that message") {
  quarantine q;
  CHECK_FALSE(q.died_on(7));
  CHECK_FALSE(q.holds(7));
  CHECK(q.died_on(7));
  CHECK(q.holds(7));
  CHECK_FALSE(q.holds(8));
  q.release();
  CHECK_FALSE(q.holds(7));
}

TEST_CASE("a death without a suspect locks nothing out") {
  quarantine q;
  q.died_on(0);
  q.died_on(0);
  CHECK_FALSE(q.holds(0));
}

TEST_CASE("the memory of deaths is bounded") {
  quarantine q;
  q.died_on(1);
  for (std::uint64_t i = 2; i < 2 + quarantine::most; ++i) q.died_on(i);
  CHECK_FALSE(q.died_on(1));  // its first death was forgotten
}
