#include "http/views/words.hpp"

#include <doctest/doctest.h>

using namespace connectord;
using namespace connectord::web;

TEST_CASE("only a plain http address becomes a link") {
  for (const auto* good : {"https://linear.app/acme/a-1", "HTTP://jira.example:8080/browse/A-1?x=1#c",
                           "https://[2001:db8::1]/issues/1"}) {
    CAPTURE(good);
    REQUIRE(link_of(good).has_value());
    CHECK(link_of(good)->href == good);
  }
  CHECK(link_of("https://linear.app/acme/a-1")->host == "linear.app");
  for (const auto* bad :
       {"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//host/path", "/path", "",
        "https://", "https:///path", "https://user@host/", "https://user:pw@host/", "https://host/a b",
        "https://ho st/", "https://host/\x01", "\thttps://host/", "ftp://host/", "vbscript:x", "https:host",
        "http://host/\"onclick=x"}) {
    CAPTURE(bad);
    CHECK_FALSE(link_of(bad).has_value());
  }
  CHECK_FALSE(link_of(std::nullopt).has_value());
}

TEST_CASE("a badge says why") {
  using tracker::health_reason;
  const auto now = from_millis(1'790'000'000'000);
  const auto last = now - std::chrono::minutes{5};
  const auto said = [&](std::vector<health_reason> reasons, std::int64_t drift = 0) {
    return because({tracker::health::healthy, std::move(reasons)}, last, drift, now);
  };
  CHECK(said({}) == "The last snapshot came 5 min ago and both sides agree.");
  CHECK(said({health_reason::open_drift}, 1) == "1 difference is open.");
  CHECK(said({health_reason::open_drift}, 3) == "3 differences are open.");
  CHECK(said({health_reason::stale_age, health_reason::open_drift}, 3) ==
        "The last snapshot came 5 min ago.");
  CHECK(said({health_reason::disabled, health_reason::never_synced}) ==
        "Somebody switched this binding off.");
  CHECK(worded("not_bound") == "Not bound");
}
