#include "http/views/words.hpp"

#include "domain/sync_state.hpp"

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
}

TEST_CASE("what nothing has been heard of yet is pending, and what was switched off is not") {
  using tracker::health_reason;
  const auto shown = [](tracker::health h, std::vector<health_reason> reasons) {
    return badge_of({h, std::move(reasons)}).word;
  };
  using enum tracker::health;
  CHECK(shown(disconnected, {health_reason::never_synced}) == "Pending");
  CHECK(shown(disconnected, {health_reason::disabled, health_reason::never_synced}) == "Disconnected");
  CHECK(shown(disconnected, {health_reason::disconnected_age}) == "Disconnected");
  CHECK(shown(not_bound, {}) == "Not bound");
  CHECK(badge_of({drifting, {health_reason::open_drift}}).tone == tone_of(drifting));
}

TEST_CASE("a code is said as words") {
  CHECK(worded("not_bound") == "Not bound");
  CHECK(worded("WPStatusChanged") == "WP status changed");
  CHECK(worded("GateFailed") == "Gate failed");
  CHECK(worded("azure_devops") == "Azure devops");
  CHECK(worded("").empty());
}

TEST_CASE("a connection says what is wrong with it, or when it was synced") {
  const auto now = from_millis(1'790'000'000'000);
  connection c;
  CHECK(because(c, false, now).empty());
  CHECK(because(c, true, now) == "It receives webhooks; without a consent nothing is fetched.");
  c.access_ciphertext = "sealed";
  CHECK(because(c, true, now) == "Not synced yet.");
  c.metadata = with_sync("{}", {.last_success_at = now - std::chrono::minutes{5}});
  CHECK(because(c, true, now) == "Synced 5 min ago.");
  CHECK_FALSE(needs_attention(c));
  c.metadata = with_sync("{}", {.last_error = "The provider answered 500."});
  CHECK(because(c, true, now) == "The last sync failed: The provider answered 500.");
  c.metadata = with_sync("{}", {.stalled = true});
  CHECK(because(c, true, now).find("does not get any further") != std::string::npos);
  CHECK(needs_attention(c));
  c.status = connection_status::error;
  c.status_reason = "invalid_grant";
  CHECK(because(c, true, now).find("(invalid_grant)") != std::string::npos);
  CHECK(needs_attention(c));
  c.status = connection_status::revoked;
  c.updated_at = now - std::chrono::hours{2};
  CHECK(because(c, true, now) == "Disconnected 2 h ago.");
  CHECK_FALSE(needs_attention(c));
}

TEST_CASE("a binding needs attention when it fell behind, not before its first snapshot or while it is off") {
  tracker::binding b{.state = tracker::binding_state::active, .health = tracker::health::disconnected};
  CHECK_FALSE(needs_attention(b));
  b.last_snapshot_at = from_millis(1);
  CHECK(needs_attention(b));
  b.health = tracker::health::drifting;
  CHECK_FALSE(needs_attention(b));
  b.health = tracker::health::stale;
  b.state = tracker::binding_state::disabled;
  CHECK_FALSE(needs_attention(b));
}

TEST_CASE("a refusal names its offenders and leaves out what is for machines") {
  const auto e = error{errc::validation_failed, "No."}
                     .with("label", "is too long")
                     .with("binding_id", "0190f3a2")
                     .with("field", "label itself");
  CHECK(because(e) == "No. Label is too long.");
}
