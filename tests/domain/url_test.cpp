#include "domain/provider/url.hpp"

#include "tests/domain/provider_support.hpp"

using namespace connectord;
using namespace connectord::provider;
using connectord::provider::testing::definition_of;

namespace {

json::object values_of(std::string_view slug, account_scope account) {
  auto values = url_values(definition_of(slug), account);
  REQUIRE(values.has_value());
  return std::move(*values);
}

std::string resolved(std::string_view url, const json::object& values,
                     const std::optional<std::string>& origin = std::nullopt) {
  const auto out = resolve_url(url, values, origin);
  return out ? *out : "refused";
}

}  // namespace

TEST_CASE("a URL template is filled in from the region, the client and the connection") {
  const json::object metadata{{"dc", "ca"}, {"cloud", {{"id", "c-1"}}}};
  const auto values = values_of("zoho-mail", {"ca", "client 7", "acc-9", &metadata});
  CHECK(resolved("https://{region.mail}/api/{client_id}/{connection.external_id}/{metadata.cloud.id}",
                 values) == "https://mail.zohocloud.ca/api/client%207/acc-9/c-1");
}

TEST_CASE("no value of a URL template can add a segment, a parameter or a host") {
  const json::object metadata{{"id", "../admin?x=1#y"}, {"up", ".."}, {"empty", ""}, {"host", "evil.test/"}};
  const auto values = values_of("github", {"", "", "7", &metadata});
  CHECK(resolved("https://a.test/x/{metadata.id}/y", values) == "https://a.test/x/..%2Fadmin%3Fx%3D1%23y/y");
  CHECK(resolved("https://a.test/x/{metadata.up}/y", values) == "refused");
  CHECK(resolved("https://a.test/x/{metadata.empty}", values) == "refused");
  CHECK(resolved("https://a.test/x/{metadata.missing}", values) == "refused");
  CHECK(resolved("https://{metadata.host}.a.test/", values) == "https://evil.test%2F.a.test/");
}

TEST_CASE("an override replaces scheme, host and port, and nothing else") {
  const json::object none;
  CHECK(resolved("https://api.a.test/v1/x?y=1", none, "http://127.0.0.1:9") == "http://127.0.0.1:9/v1/x?y=1");
  CHECK(resolved("https://api.a.test?y=1", none, "http://[::1]:9") == "http://[::1]:9?y=1");
}

TEST_CASE("a region is what the connection's metadata says, else the setting; an unknown one is refused") {
  const auto& mail = definition_of("zoho-mail");
  CHECK(region_of(mail, {{"dc", "eu"}}, "us") == "eu");
  CHECK(region_of(mail, {}, "us") == "us");
  CHECK(region_of(definition_of("github"), {{"dc", "eu"}}, "us").empty());
  CHECK_FALSE(url_values(mail, {"moon", "", "", nullptr}).has_value());
}

TEST_CASE("a callback's host names a region only when the definition lists that host") {
  const auto& mail = definition_of("zoho-mail");
  CHECK(region_of_host(mail, "https://accounts.zoho.eu").value_or("") == "eu");
  CHECK(region_of_host(mail, "https://ACCOUNTS.zohocloud.ca/x").value_or("") == "ca");
  CHECK_FALSE(region_of_host(mail, "https://accounts.zoho.eu.evil.test").has_value());
  CHECK_FALSE(region_of_host(mail, "http://accounts.zoho.eu").has_value());
  CHECK_FALSE(region_of_host(mail, "https://accounts.zoho.eu@evil.test").has_value());
  CHECK_FALSE(region_of_host(definition_of("github"), "https://github.com").has_value());
}

TEST_CASE("parameters go behind those that the URL has, encoded") {
  CHECK(with_query("https://a.test/x", {{"q", "a b&c"}, {"n", "1"}}) == "https://a.test/x?q=a%20b%26c&n=1");
  CHECK(with_query("https://a.test/x?y=1", {{"z", "ä"}}) == "https://a.test/x?y=1&z=%C3%A4");
}

TEST_CASE("an origin is compared without its default port, and user information has none") {
  CHECK(origin_of("HTTPS://Api.A.test:443/x") == "https://api.a.test");
  CHECK(origin_of("http://127.0.0.1:8080?x") == "http://127.0.0.1:8080");
  CHECK(origin_of("https://a.test@evil.test/").empty());
  CHECK(origin_of("ftp://a.test/").empty());
  CHECK(origin_of("/x").empty());
}
