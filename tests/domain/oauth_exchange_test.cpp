#include "domain/oauth/exchange.hpp"

#include "tests/domain/oauth_support.hpp"

using namespace connectord;
using namespace connectord::oauth;
using namespace connectord::oauth::testing;

TEST_CASE("a PKCE challenge is that of RFC 7636") {
  CHECK(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST_CASE("form text survives encoding, and a broken escape is refused") {
  const form_fields fields{{"a b", "1&2=3"}, {"ü", "+%"}, {"empty", ""}};
  CHECK(form_decoded(form_encoded(fields)).value() == fields);
  CHECK(form_decoded("a=x+y").value() == form_fields{{"a", "x y"}});
  for (const auto* broken : {"a=%", "a=%2", "a=%zz", "%=1"}) CHECK_FALSE(form_decoded(broken));
}

TEST_CASE("an authorize URL carries what the definition and the client say") {
  const auto& d = definition_of("github");
  const auto c = client_of("github");
  const auto url = authorize_url(d, c, "st", secret{"verifier"}).value();
  CHECK(url.starts_with("https://github.com/login/oauth/authorize?"));
  const auto query = query_of(url);
  CHECK(value_of(query, "response_type") == "code");
  CHECK(value_of(query, "client_id") == "our id");
  CHECK(value_of(query, "redirect_uri") == c.redirect_uri);
  CHECK(value_of(query, "scope") == "repo read:org");
  CHECK(value_of(query, "state") == "st");
  CHECK(value_of(query, "code_challenge") == challenge_of("verifier"));
  CHECK(value_of(query, "code_challenge_method") == "S256");
}

TEST_CASE("scopes are joined as the provider wants them, and its own parameters are added") {
  const auto slack =
      query_of(authorize_url(definition_of("slack"), client_of("slack"), "s", secret{"v"}).value());
  CHECK(value_of(slack, "scope") == "channels:history,channels:read,reactions:read,users:read");
  const auto jira =
      query_of(authorize_url(definition_of("jira"), client_of("jira"), "s", secret{"v"}).value());
  CHECK(value_of(jira, "audience") == "api.atlassian.com");
  CHECK(value_of(jira, "code_challenge") == "(absent)");
}

TEST_CASE("origins can be replaced, and hosts follow the region") {
  auto c = client_of("zoho-mail");
  c.region = "eu";
  const auto& d = definition_of("zoho-mail");
  CHECK(authorize_url(d, c, "s", secret{}).value().starts_with("https://accounts.zoho.eu/oauth/v2/auth?"));
  CHECK(refresh_request(d, c, secret{"r"})->url == "https://accounts.zoho.eu/oauth/v2/token");
  c.oauth_base = "http://127.0.0.1:9";
  CHECK(refresh_request(d, c, secret{"r"})->url == "http://127.0.0.1:9/oauth/v2/token");
  c.region = "moon";
  CHECK_FALSE(refresh_request(d, c, secret{"r"}).has_value());
}

TEST_CASE("an authorize URL beyond its limit is refused") {
  auto c = client_of("github");
  c.scopes.assign(100, "a-scope-with-quite-a-name");
  CHECK_FALSE(authorize_url(definition_of("github"), c, "s", secret{"v"}).has_value());
}

TEST_CASE("a client in the body says who it is in the form") {
  const auto r = token_request(definition_of("github"), client_of("github"), "co+de", secret{"ver"}).value();
  CHECK(r.method == "POST");
  CHECK(r.url == "https://github.com/login/oauth/access_token");
  CHECK(header_of(r, "accept") == "application/json");
  CHECK(header_of(r, "content-type") == "application/x-www-form-urlencoded");
  CHECK(header_of(r, "authorization") == "(absent)");
  const auto form = form_decoded(r.body).value();
  CHECK(value_of(form, "grant_type") == "authorization_code");
  CHECK(value_of(form, "code") == "co+de");
  CHECK(value_of(form, "code_verifier") == "ver");
  CHECK(value_of(form, "client_id") == "our id");
  CHECK(value_of(form, "client_secret") == "our:key");
  CHECK(value_of(form, "redirect_uri") == client_of("github").redirect_uri);
}

TEST_CASE("a client in basic credentials is encoded before it is joined, and is not in the form") {
  const auto r = token_request(definition_of("slack"), client_of("slack"), "code", secret{"ver"}).value();
  CHECK(header_of(r, "authorization") == "Basic " + to_base64("our%20id:our%3Akey"));
  CHECK(value_of(form_decoded(r.body).value(), "client_secret") == "(absent)");
}

TEST_CASE("a provider that wants JSON gets JSON") {
  const auto r = refresh_request(definition_of("jira"), client_of("jira"), secret{"re\"fresh"}).value();
  CHECK(header_of(r, "content-type") == "application/json");
  const auto body = parse_json_object(r.body).value();
  CHECK(text_at(body, "grant_type") == "refresh_token");
  CHECK(text_at(body, "refresh_token") == "re\"fresh");
  CHECK(text_at(body, "client_secret") == "our:key");
}

TEST_CASE("a revocation names the token in the provider's way") {
  const secret access{"acc"}, refresh{"ref"};
  const auto github = revoke_request(definition_of("github"), client_of("github"), access, refresh).value();
  CHECK(github.method == "DELETE");
  CHECK(github.url == "https://api.github.com/applications/our%20id/grant");
  CHECK(header_of(github, "authorization") == "Basic " + to_base64("our%20id:our%3Akey"));
  CHECK(text_at(parse_json_object(github.body).value(), "access_token") == "acc");

  const auto gitlab = revoke_request(definition_of("gitlab"), client_of("gitlab"), access, refresh).value();
  CHECK(value_of(form_decoded(gitlab.body).value(), "token") == "ref");
  CHECK(value_of(form_decoded(gitlab.body).value(), "client_id") == "our id");
  const auto alone = revoke_request(definition_of("gitlab"), client_of("gitlab"), access, {}).value();
  CHECK(value_of(form_decoded(alone.body).value(), "token") == "acc");

  const auto slack = revoke_request(definition_of("slack"), client_of("slack"), access, refresh).value();
  CHECK(slack.method == "POST");
  CHECK(header_of(slack, "authorization") == "Bearer acc");
  CHECK(slack.body.empty());
}
