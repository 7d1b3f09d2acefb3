#include "domain/oauth/callback.hpp"

#include "tests/domain/oauth_support.hpp"

using namespace connectord;
using namespace connectord::oauth;
using namespace connectord::oauth::testing;

namespace {

std::string detail(const error& e, std::string_view name) { return text_at(e.details(), name); }

error refusal(const form_fields& query, state_verdict verdict = state_verdict::valid,
              std::string_view slug = "example") {
  const auto decided = decide_callback(definition_of(slug), client_of(slug), query, verdict);
  REQUIRE_FALSE(decided.has_value());
  return decided.error();
}

grant granted(const form_fields& query, std::string_view slug = "example") {
  const auto decided = decide_callback(definition_of(slug), client_of(slug), query, state_verdict::valid);
  REQUIRE(decided.has_value());
  return *decided;
}

}  // namespace

TEST_CASE("a callback needs a registered provider and a state, in this order") {
  const auto* d = &definition_of("example");
  CHECK(presented_state(nullptr, {}).error().code() == errc::not_found);
  for (const form_fields& query : {form_fields{}, form_fields{{"state", ""}}, form_fields{{"code", "c"}}}) {
    const auto refused = presented_state(d, query).error();
    CHECK(refused.code() == errc::validation_failed);
    CHECK(detail(refused, "error_type") == "state_missing");
    CHECK(refused.details().contains("state"));
  }
  CHECK(presented_state(d, {{"code", "c"}, {"state", "s"}}).value() == "s");
}

TEST_CASE("what became of the state decides before anything else in the query") {
  const form_fields query{{"code", "c"}, {"error", "access_denied"}};
  CHECK(detail(refusal(query, state_verdict::unknown), "error_type") == "csrf_validation_failed");
  CHECK(detail(refusal(query, state_verdict::used), "error_type") == "state_reused");
  CHECK(detail(refusal(query, state_verdict::expired), "error_type") == "state_expired");
}

TEST_CASE("a denial wins over a code, and only harmless characters of it are shown") {
  for (const form_fields& query :
       {form_fields{{"error", "access_denied"}}, form_fields{{"code", "c"}, {"error", "access_denied"}}}) {
    const auto refused = refusal(query);
    CHECK(detail(refused, "error_type") == "provider_denied");
    CHECK(detail(refused, "provider_error") == "access_denied");
  }
  CHECK(detail(refusal({{"error", "<b>no\r\n ü</b>.x"}}), "provider_error") == "bnob.x");
  CHECK(detail(refusal({{"error", std::string(300, 'a')}}), "provider_error") == std::string(100, 'a'));
  CHECK(detail(refusal({{"error", ""}, {"code", "c"}}), "error_type") == "provider_denied");
}

TEST_CASE("without a code there is nothing to exchange") {
  for (const form_fields& query : {form_fields{}, form_fields{{"code", ""}}}) {
    CHECK(detail(refusal(query), "error_type") == "code_missing");
    CHECK(refusal(query).details().contains("code"));
  }
  CHECK(granted({{"code", "c"}}).code == "c");
  CHECK(granted({{"code", "c"}}).region.empty());
}

TEST_CASE("an answer of another issuer is refused, where the definition names one") {
  CHECK(granted({{"code", "c"}, {"iss", "https://example.invalid"}}).code == "c");
  CHECK(detail(refusal({{"code", "c"}, {"iss", "https://evil.invalid"}}), "error_type") == "issuer_mismatch");
  CHECK(detail(refusal({{"code", "c"}, {"iss", ""}}), "error_type") == "issuer_mismatch");
  CHECK(granted({{"code", "c"}, {"iss", "https://whoever.test"}}, "github").code == "c");
  auto c = client_of("example");
  c.oauth_base = "http://127.0.0.1:9";
  const form_fields theirs{{"code", "c"}, {"iss", "http://127.0.0.1:9"}};
  CHECK(decide_callback(definition_of("example"), c, theirs, state_verdict::valid).has_value());
}

TEST_CASE("the callback names the region by a host of the definition, and by no other") {
  const auto region = [](std::string host) {
    return granted({{"code", "c"}, {"accounts-server", std::move(host)}}, "zoho-mail").region;
  };
  CHECK(region("https://accounts.zoho.eu") == "eu");
  CHECK(region("https://accounts.zohocloud.ca") == "ca");
  for (const auto* foreign : {"https://evil.test", "", "accounts.zoho.eu.evil.test",
                              "http://accounts.zoho.eu", "https://accounts.zoho.eu@evil.test"})
    CHECK(region(foreign) == "us");
  CHECK(granted({{"code", "c"}}, "zoho-mail").region == "us");
}
