#include "domain/oauth/account.hpp"

#include "tests/domain/oauth_support.hpp"

#include <boost/json/parse.hpp>

using namespace connectord;
using namespace connectord::oauth;
using namespace connectord::oauth::testing;

namespace {

/// A consent at one provider, whose calls are answered one after the other.
struct consent {
  explicit consent(std::string_view slug, std::string token = "{}")
      : us(client_of(slug)),
        tokens{.access = secret{"acc"}, .document = secret{std::move(token)}},
        machine(definition_of(slug), us, tokens) {}

  http_request asks() {
    auto step = machine.next();
    REQUIRE(std::holds_alternative<http_request>(step));
    return std::get<http_request>(std::move(step));
  }
  void gets(int status, std::string body, header_list headers = {}) {
    machine.take(answer(status, std::move(body), std::move(headers)), noon);
  }
  account is() {
    auto step = machine.next();
    REQUIRE(std::holds_alternative<account>(step));
    return std::get<account>(std::move(step));
  }
  failure fails() {
    const auto step = machine.next();
    REQUIRE(std::holds_alternative<failure>(step));
    return std::get<failure>(step);
  }

  client us;
  token_set tokens;
  account_machine machine;
};

}  // namespace

TEST_CASE("an account is asked for with its own token, and keeps the JSON types of its facts") {
  consent c{"github"};
  const auto r = c.asks();
  CHECK(r.method == "GET");
  CHECK(r.url == "https://api.github.com/user");
  CHECK(header_of(r, "authorization") == "Bearer acc");
  c.gets(200, R"({"id":7,"login":"octo","name":null,"email":"o@x.test"})");
  const auto who = c.is();
  CHECK(who.external_id == "7");
  CHECK(who.display_name == "octo");
  CHECK(json::parse(who.metadata) ==
        json::parse(R"({"user":{"id":7,"login":"octo","name":null,"email":"o@x.test"}})"));
}

TEST_CASE("the base of the API is replaced for identity calls") {
  consent c{"github"};
  c.us.api_base = "http://127.0.0.1:9";
  c.us.oauth_base = "http://127.0.0.1:8";
  CHECK(c.asks().url == "http://127.0.0.1:9/user");
}

TEST_CASE("calls follow one another, and the first site with a granted scope is the account") {
  consent c{"jira"};
  CHECK(c.asks().url.ends_with("/oauth/token/accessible-resources"));
  c.gets(200, R"([{"id":"no","url":"https://no.test","name":"no","scopes":["read:servicedesk"]},
                  {"id":"yes","url":"https://yes.test","name":"Yes","scopes":["read:jira-work"]},
                  {"id":"too","url":"https://too.test","name":"too","scopes":["read:jira-work"]}])");
  CHECK(c.asks().url.ends_with("/me"));
  c.gets(200, R"({"account_id":"u1","name":"U"})");
  const auto who = c.is();
  CHECK(who.external_id == "yes");
  CHECK(who.display_name == "Yes");
  const auto metadata = parse_json_object(who.metadata).value();
  CHECK(text_at(metadata, "cloud_id") == "yes");
  CHECK(text_at(metadata, "site_url") == "https://yes.test");
  CHECK(metadata.at("sites").as_array().size() == 3);
  CHECK(text_at(metadata.at("account").as_object(), "id") == "u1");
}

TEST_CASE("no site with a granted scope is no account") {
  consent c{"jira"};
  c.asks();
  c.gets(200, "[]");
  c.asks();
  c.gets(200, R"({"account_id":"u1"})");
  CHECK(c.fails().error == "identity_failed");
}

TEST_CASE("a provider that tells the account with the tokens is not asked") {
  consent c{"slack", R"({"access_token":"acc","team":{"id":"T1","name":"Team"},"bot_user_id":"B"})"};
  const auto who = c.is();
  CHECK(who.external_id == "T1");
  CHECK(who.display_name == "Team");
  CHECK(json::parse(who.metadata) ==
        json::parse(R"({"team":{"id":"T1","name":"Team"},"bot_user_id":"B","enterprise_id":null})"));
}

TEST_CASE("a GraphQL call has its body, and its errors are no account") {
  consent c{"linear"};
  const auto r = c.asks();
  CHECK(r.method == "POST");
  CHECK(header_of(r, "content-type") == "application/json");
  CHECK(text_at(parse_json_object(r.body).value(), "query").find("organization") != std::string::npos);
  c.gets(200, R"({"errors":[{"message":"no"}]})");
  CHECK(c.fails().error == "identity_failed");
  CHECK(c.fails().status == 200);
}

TEST_CASE("a region is in the URL, in the scheme's word and in the metadata") {
  consent c{"zoho-mail"};
  c.us.region = "eu";
  const auto r = c.asks();
  CHECK(r.url == "https://mail.zoho.eu/api/accounts");
  CHECK(header_of(r, "authorization") == "Zoho-oauthtoken acc");
  c.gets(200, R"({"data":[{"accountId":"12","primaryEmailAddress":"a@b.test"}]})");
  CHECK(text_at(parse_json_object(c.is().metadata).value(), "dc") == "eu");
}

TEST_CASE("an identity call that fails ends it, with the provider's status") {
  for (const int status : {401, 404, 503}) {
    consent c{"github"};
    c.asks();
    c.gets(status, "{}");
    CHECK(c.fails().error == "identity_failed");
    CHECK(c.fails().status == status);
  }
  consent limited{"github"};
  limited.gets(429, "", {{"retry-after", "9"}});
  CHECK(limited.fails().error == "rate_limited");
  CHECK(limited.fails().retry_after == seconds{9});
  for (const auto* body : {"<html>", "{}", R"({"id":null})", R"({"id":{"a":1}})", R"({"id":""})"}) {
    consent odd{"github"};
    odd.gets(200, body);
    CHECK(odd.fails().error == "identity_failed");
  }
}

TEST_CASE("an id that no row can hold is no account, and such a name is left out") {
  consent c{"github"};
  c.gets(200, R"({"id":")" + std::string(256, 'x') + "\"}");
  CHECK(c.fails().error == "identity_failed");
  consent named{"github"};
  named.gets(200, R"({"id":1,"login":")" + std::string(256, 'x') + "\"}");
  CHECK_FALSE(named.is().display_name);
}
