#include "domain/oauth/answer.hpp"

#include "tests/domain/oauth_support.hpp"

#include <boost/json/parse.hpp>

using namespace connectord;
using namespace connectord::oauth;
using namespace connectord::oauth::testing;

namespace {

token_set tokens_of(const http_response& r) {
  auto read = read_token_answer(r, noon);
  REQUIRE(std::holds_alternative<token_set>(read));
  return std::get<token_set>(std::move(read));
}

failure failure_in(const http_response& r) {
  auto read = read_token_answer(r, noon);
  REQUIRE(std::holds_alternative<failure>(read));
  return std::get<failure>(read);
}

std::optional<timestamp> expiry(std::string_view expires_in) {
  return tokens_of(answer(200, R"({"access_token":"a","expires_in":)" + std::string{expires_in} + "}"))
      .expires_at;
}

}  // namespace

TEST_CASE("a token answer is read whole") {
  const auto t = tokens_of(answer(
      200,
      R"({"access_token":"acc","refresh_token":"ref","expires_in":3600,"scope":"a b,c","team":{"id":"T"}})"));
  CHECK(t.access.reveal() == "acc");
  CHECK(t.refresh.value().reveal() == "ref");
  CHECK(t.expires_at == noon + seconds{3600});
  CHECK(t.scopes == std::vector<std::string>{"a", "b", "c"});
  CHECK(t.document.reveal().find(R"("team":{"id":"T"})") != std::string_view::npos);
}

TEST_CASE("a form is an answer too") {
  const auto t = tokens_of(answer(200, "access_token=a%2Fb&scope=repo%2Cuser&expires_in=60",
                                  {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}}));
  CHECK(t.access.reveal() == "a/b");
  CHECK(t.scopes == std::vector<std::string>{"repo", "user"});
  CHECK(t.expires_at == noon + seconds{60});
  CHECK_FALSE(t.refresh);
}

TEST_CASE("an expiry may be a number or a text, and what is no life is none") {
  CHECK(expiry("60") == noon + seconds{60});
  CHECK(expiry("\"60\"") == noon + seconds{60});
  CHECK(expiry("1.5") == noon + milliseconds{1500});
  for (const auto* none : {"0", "-1", "null", "\"\"", "\"soon\"", "\"nan\"", "true", "{}", "\"-1e400\""}) {
    CAPTURE(none);
    CHECK_FALSE(expiry(none));
  }
  CHECK_FALSE(tokens_of(answer(200, R"({"access_token":"a"})")).expires_at);
}

TEST_CASE("a life without end is bounded, so that times stay times") {
  for (const auto* huge : {"1e300", "9223372036854775807", "\"1e300\""}) {
    CAPTURE(huge);
    const auto at_end = expiry(huge);
    REQUIRE(at_end);
    CHECK(*at_end > noon);
    CHECK(*at_end < noon + std::chrono::years{11});
  }
}

TEST_CASE("every permanent refusal is known by its name, whatever the status") {
  for (const auto* name : {"invalid_grant", "invalid_client", "unauthorized_client", "access_denied",
                           "bad_refresh_token", "revoked", "unsupported_grant_type", "invalid_refresh_token"})
    for (const int status : {200, 400, 401, 403}) {
      CAPTURE(name);
      CAPTURE(status);
      const auto f = failure_in(answer(status, R"({"error":")" + std::string{name} + R"(","ok":false})"));
      CHECK(f.kind == failure_class::permanent);
      CHECK(f.reason == name);
      CHECK(f.status == status);
    }
  CHECK(failure_in(answer(400, R"({"error":"invalid_grant"})")).error == "invalid_grant");
  CHECK(failure_in(answer(401, R"({"error":"invalid_client"})")).error == "invalid_client");
  CHECK(failure_in(answer(401, R"({"error":"revoked"})")).error == "http_error");
}

TEST_CASE("everything else that fails is transient") {
  for (const auto& r : {answer(200, R"({"error":"bad_verification_code"})"), answer(200, R"({"ok":false})"),
                        answer(200, R"({"error":{"code":7},"access_token":"a"})"),
                        answer(500, R"({"error":"invalid_grant"})"), answer(503, "oops"),
                        answer(400, R"({"error":"Access Denied"})"), answer(404, ""), answer(302, "")}) {
    CAPTURE(r.status);
    CAPTURE(r.body);
    const auto f = failure_in(r);
    CHECK(f.kind == failure_class::transient);
    CHECK(f.error == "http_error");
    CHECK(f.reason.empty());
  }
}

TEST_CASE("a good status without a usable access token is malformed") {
  for (const auto* body :
       {"", "<html>hello</html>", "[]", "null", "{", R"({"access_token":null})", R"({"access_token":""})",
        R"({"access_token":7})", R"({"access_token":"a b"})", R"({"access_token":"a\r\nx: y"})",
        R"({"access_token":"\u00fc"})", "{\"access_token\":\"\xff\"}", "access_token=a"}) {
    CAPTURE(body);
    const auto f = failure_in(answer(200, body));
    CHECK(f.error == "malformed_response");
    CHECK(f.kind == failure_class::transient);
    CHECK(f.status == 200);
  }
  CHECK(failure_in(answer(200, R"({"access_token":")" + std::string(20'000, 'a') + "\"}")).error ==
        "malformed_response");
}

TEST_CASE("no answer is named by what went wrong") {
  const auto silent = [](call_failure why) { return failure_in({.failure = why}); };
  CHECK(silent(call_failure::timeout).error == "timeout");
  CHECK(silent(call_failure::network_error).error == "network_error");
  CHECK(silent(call_failure::too_large).error == "malformed_response");
  CHECK(silent(call_failure::timeout).status == 0);
}

TEST_CASE("a rate limit says when to come back, in seconds or as a date, within a day") {
  const auto after = [](std::string hint) {
    const auto f =
        failure_in(answer(429, R"({"error":"invalid_grant"})", {{"retry-after", std::move(hint)}}));
    CHECK(f.kind == failure_class::rate_limited);
    CHECK(f.error == "rate_limited");
    return f.retry_after;
  };
  CHECK(after("17") == seconds{17});
  CHECK(after("Thu, 01 Jan 2026 12:00:30 GMT") == seconds{30});
  CHECK(after("999999999") == seconds{86'400});
  CHECK_FALSE(after("-5"));
  CHECK_FALSE(after("soon"));
}

TEST_CASE("the error for the caller has the provider's name and none of its text") {
  const auto shown = [](int status, std::string body) {
    return as_error(failure_in(answer(status, std::move(body))), "acme");
  };
  const auto plain = shown(500, "secret diagnostics 4711");
  CHECK(plain.code() == errc::provider_error);
  CHECK(json::value(plain.details()) ==
        json::parse(R"({"provider":{"name":"acme","status":500,"error":"http_error"}})"));
  CHECK_FALSE(plain.retry_after());
  CHECK(shown(429, "").retry_after() == 60);
}
