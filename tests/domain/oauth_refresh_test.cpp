#include "domain/oauth/refresh.hpp"

#include "tests/domain/oauth_support.hpp"

#include <boost/json/parse.hpp>

using namespace connectord;
using namespace connectord::oauth;
using namespace connectord::oauth::testing;

namespace {

connection connected(std::optional<timestamp> expires_at = noon + seconds{3600}) {
  connection c;
  c.id = connection_id::make();
  c.access_ciphertext = "sealed access";
  c.refresh_ciphertext = "sealed refresh";
  c.token_epoch = 4;
  c.expires_at = expires_at;
  return c;
}

refresh_intent intent_of(const connection& c) {
  return {.id = intent_id::make(), .connection = c.id, .fence = c.token_epoch + 1, .refresh_sha256{}};
}

token_set tokens(std::optional<std::string> refresh = std::nullopt) {
  token_set t{.access = secret{"new"}};
  if (refresh) t.refresh = secret{*refresh};
  return t;
}

failure refusal(std::string_view reason = "invalid_grant") {
  return {.status = 400, .error = "http_error", .kind = failure_class::permanent, .reason = reason};
}
failure trouble() { return {.status = 503, .error = "http_error"}; }

}  // namespace

TEST_CASE("a token counts as expired 60 seconds early, and without an expiry never") {
  CHECK_FALSE(is_expired(connected(noon + seconds{61}), noon));
  CHECK(is_expired(connected(noon + seconds{60}), noon));
  CHECK_FALSE(is_expired(connected(std::nullopt), noon));
}

TEST_CASE("due is what ends within the lead time or two ticks, is active and can be refreshed") {
  const auto due = [](const connection& c, seconds lead, seconds tick) {
    return is_due(c, noon, lead, tick);
  };
  CHECK(due(connected(noon + seconds{600}), seconds{600}, seconds{60}));
  CHECK_FALSE(due(connected(noon + seconds{601}), seconds{600}, seconds{60}));
  CHECK(due(connected(noon + seconds{601}), seconds{600}, seconds{301}));
  CHECK(due(connected(noon - seconds{5}), seconds{600}, seconds{60}));
  CHECK_FALSE(due(connected(std::nullopt), seconds{600}, seconds{60}));
  auto c = connected(noon);
  c.refresh_ciphertext.reset();
  CHECK_FALSE(due(c, seconds{600}, seconds{60}));
  for (const auto status : {connection_status::error, connection_status::revoked}) {
    c = connected(noon);
    c.status = status;
    CHECK_FALSE(due(c, seconds{600}, seconds{60}));
  }
}

TEST_CASE("refreshes are spread over a part of the lead time, but never past expiry") {
  const auto when = [](seconds left, double dice) {
    return refresh_at(noon + left, noon, seconds{600}, 0.5, dice) - noon;
  };
  CHECK(when(seconds{600}, 0) == seconds{0});
  CHECK(when(seconds{600}, 0.5) == seconds{150});
  CHECK(when(seconds{100}, 0.9) == seconds{40});
  CHECK(when(seconds{10}, 0.9) == seconds{0});
}

TEST_CASE("what is revoked or has no refresh token is not refreshed; what is in error may be") {
  auto c = connected();
  CHECK(may_refresh(c).has_value());
  c.status = connection_status::error;
  CHECK(may_refresh(c).has_value());
  c.refresh_ciphertext.reset();
  CHECK(may_refresh(c).error().details().contains("refresh_token"));
  c.status = connection_status::revoked;
  CHECK(may_refresh(c).error().code() == errc::conflict);
}

TEST_CASE("new tokens are used, with a refresh token only when it is another one") {
  const auto c = connected();
  const auto used = [&](token_set t) {
    auto decided = decide_refresh(c, intent_of(c), {.presented = "old"}, std::move(t), noon);
    REQUIRE(std::holds_alternative<use_tokens>(decided));
    return std::get<use_tokens>(std::move(decided)).tokens;
  };
  CHECK(used(tokens("next")).refresh.value().reveal() == "next");
  CHECK_FALSE(used(tokens("old")).refresh);
  CHECK_FALSE(used(tokens()).refresh);
}

TEST_CASE("an answer is discarded when the epoch has moved or the connection is revoked") {
  auto c = connected();
  const auto mine = intent_of(c);
  c.token_epoch += 1;
  CHECK(std::holds_alternative<discard>(decide_refresh(c, mine, {}, tokens("next"), noon)));
  CHECK(std::holds_alternative<discard>(decide_refresh(c, mine, {}, refusal(), noon)));
  c = connected();
  c.status = connection_status::revoked;
  CHECK(std::holds_alternative<discard>(decide_refresh(c, mine, {}, tokens(), noon)));
}

TEST_CASE("a refusal keeps its name, but after a crash nobody knows whose fault it was") {
  const auto c = connected();
  const auto reason = [&](attempt how) {
    return std::get<refuse>(decide_refresh(c, intent_of(c), how, refusal("revoked"), noon)).reason;
  };
  CHECK(reason({}) == "revoked");
  CHECK(reason({.retaken = true}) == "refresh_outcome_unknown");
}

TEST_CASE("trouble is for later, and the intent of a crash stays open through it") {
  const auto c = connected();
  const auto later = [&](attempt how) {
    return std::get<try_later>(decide_refresh(c, intent_of(c), how, trouble(), noon));
  };
  CHECK_FALSE(later({}).keep_intent);
  CHECK(later({.retaken = true}).keep_intent);
  CHECK(later({}).why.status == 503);
}

TEST_CASE("a refused refresh token gives way to the one before it, once and for a day") {
  auto c = connected();
  const auto decided = [&](attempt how) { return decide_refresh(c, intent_of(c), how, refusal(), noon); };
  c.previous_refresh = sealed_secret{"sealed", noon + seconds{1}};
  CHECK(std::holds_alternative<try_previous>(decided({})));
  CHECK(std::holds_alternative<refuse>(decided({.with_previous = true})));
  c.previous_refresh->valid_until = noon;
  CHECK(std::holds_alternative<refuse>(decided({})));
}

TEST_CASE("the time of a refresh is noted beside what the metadata says") {
  CHECK(json::parse(refreshed_metadata(R"({"user":{"id":1},"last_refreshed_at":"x"})", noon)) ==
        json::parse(R"({"user":{"id":1},"last_refreshed_at":"2026-01-01T12:00:00Z"})"));
  CHECK(last_refreshed(refreshed_metadata("{}", noon)) == noon);
  for (const auto* never : {"{}", R"({"last_refreshed_at":1})", R"({"last_refreshed_at":"x"})"})
    CHECK_FALSE(last_refreshed(never));
}
