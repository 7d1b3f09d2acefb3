#include "config/provider_loader.hpp"

#include "config/provider_check.hpp"

#include <doctest/doctest.h>

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

using namespace connectord;
using connectord::config::load_catalog;
using connectord::config::load_provider;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view good = R"(slug: acme
version: 1.0.0
display_name: Acme
auth_type: webhook
webhook:
  secret_key: WEBHOOK_ACME_SECRET
  verify:
    - {scheme: hmac, header: x-acme-signature, prefix: "sha256="}
  event: "{type}"
  shapes:
    item: {entity: "{id}", raw: $body}
  rules:
    - {when: {type: new}, kind: issue_created, as: item}
)";

std::string replaced(std::string_view from, std::string_view to) {
  std::string text{good};
  const auto where = text.find(from);
  REQUIRE(where != std::string::npos);
  return text.replace(where, from.size(), to);
}

std::string problem(const std::string& yaml) {
  const auto d = load_provider(yaml, "acme.yaml");
  if (d) return "loaded";
  return std::string{d.error().message()};
}

struct folder {
  fs::path path = fs::temp_directory_path() / ("connectord-providers-" + std::to_string(getpid()));
  folder() { fs::create_directories(path); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { fs::remove_all(path); }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream{path / name, std::ios::binary} << text;
  }
  /// The recording without which a definition of a folder does not load.
  void record(const std::string& slug, const std::string& file) const {
    fs::create_directories(path / "fixtures" / slug);
    write("fixtures/" + slug + "/new.json", R"({"secret": "s", "request": {
      "headers": {"x-acme-signature": "sha256=d2a04bc3740483e5f2e150a0a3758d87039c91af8a376b235d96660dcf4af134"},
      "body_text": "{\"type\":\"new\",\"id\":1}"}})");
    REQUIRE(config::accept_fixtures(path / file).value() == 1);
  }
};

}  // namespace

TEST_CASE("a definition loads into data") {
  const auto d = load_provider(good, "acme.yaml").value();
  CHECK(d.slug == "acme");
  CHECK(d.auth == provider::auth_type::webhook);
  CHECK(d.webhooks);
  CHECK_FALSE(d.sync);
  CHECK(d.webhook.secret_key == "WEBHOOK_ACME_SECRET");
  CHECK(d.webhook.proofs.at(0).header == "x-acme-signature");
  CHECK(d.webhook.rules.at(0).kind == "issue_created");
  CHECK(d.digest.size() == 64);
}

TEST_CASE("a definition that is wrong says in which line and field") {
  const std::pair<std::string, std::string> cases[]{
      {replaced("version:", "verson:"), "acme.yaml:2: verson: is not a known field"},
      {replaced("slug: acme", "slug: Acme"), "acme.yaml:1: slug: must be 1 to 64 of a-z, 0-9 and -"},
      {replaced("auth_type: webhook", "auth_type: basic"),
       "acme.yaml:4: auth_type: must be one of oauth2, webhook"},
      {replaced("kind: issue_created", "kind: issue_made"),
       "webhook.rules[0].kind: is not in the registry of kinds"},
      {replaced("as: item", "as: thing"), "webhook.rules[0].as: names no shape of this definition"},
      {replaced("x-acme-signature", "X-Acme-Signature"), "webhook.verify[0].header: must be in lower case"},
      {replaced("scheme: hmac", "scheme: md5"),
       "webhook.verify[0].scheme: must be one of hmac, standard, token, jwt_jwks"},
      {replaced("\"{type}\"", "\"{type\""), "webhook.event: '{type' has an open brace"},
      {replaced("\"{id}\"", "\"{ids[].x}\""),
       "webhook.shapes.item.entity: must name one value, not every item"},
      {replaced("{type: new}", "{type: {near: new}}"),
       "webhook.rules[0].when.type.near: is not a known field"},
      {replaced("entity: \"{id}\", ", ""), "webhook.shapes.item.entity: is required"},
      {replaced("  secret_key: WEBHOOK_ACME_SECRET\n", ""), "webhook.verify[0]: needs secret_key"},
      {std::string{good} + "slug: again\n", "slug: stands twice"},
      {"slug: [", "acme.yaml:"},
      {"", "must be a map"},
      {"- a\n", "must be a map"},
  };
  for (const auto& [yaml, expected] : cases) {
    const auto said = problem(yaml);
    CHECK_MESSAGE(said.find(expected) != std::string::npos, expected << " not in " << said);
  }
}

TEST_CASE("webhooks without a proof do not load") {
  const std::string verify =
      "  verify:\n    - {scheme: hmac, header: x-acme-signature, prefix: \"sha256=\"}\n";
  CHECK(problem(replaced(verify, "")).find("webhook.verify: is required") != std::string::npos);
  CHECK(problem(replaced(verify, "  verify: []\n")).find("webhook.verify: must name at least one scheme") !=
        std::string::npos);
  CHECK(problem(replaced(verify, "  verify: [{scheme: jwt_jwks}]\n"))
            .find("needs audience_key and issuers_key") != std::string::npos);
}

TEST_CASE("all problems of a file are told at once") {
  auto text = replaced("version: 1.0.0\n", "");
  text += "unknown: 1\n";
  const auto said = problem(text);
  CHECK(std::ranges::count(said, '\n') == 1);
  CHECK(said.find("version: is required") != std::string::npos);
  CHECK(said.find("unknown: is not a known field") != std::string::npos);
}

TEST_CASE("the catalog is what the contract lists") {
  const auto all = load_catalog(std::nullopt, true).value();
  std::string names;
  for (const auto& d : all.all())
    names +=
        d.slug + (d.webhooks ? " webhooks" : "") + (d.sync ? " sync" : "") + (d.oauth ? " oauth" : "") + "\n";
  CHECK(names ==
        "example webhooks sync oauth\n"
        "github webhooks sync oauth\n"
        "gitlab webhooks sync oauth\n"
        "gmail webhooks sync oauth\n"
        "google-calendar webhooks sync oauth\n"
        "google-drive webhooks sync oauth\n"
        "jira webhooks sync oauth\n"
        "linear webhooks sync oauth\n"
        "slack webhooks oauth\n"
        "zoho-cliq webhooks\n"
        "zoho-mail sync oauth\n");
  const auto& slack = *all.find("slack");
  CHECK(slack.scope_separator == ",");
  CHECK(slack.oauth->authentication == provider::client_auth::basic);
  CHECK(slack.default_scopes ==
        std::vector<std::string>{"channels:history", "channels:read", "reactions:read", "users:read"});
  const auto& jira = *all.find("jira");
  CHECK_FALSE(jira.oauth->pkce);
  CHECK(jira.oauth->encoding == provider::token_encoding::json);
  CHECK(all.find("nobody") == nullptr);
}

TEST_CASE("outside the relaxed profiles local definitions are not registered") {
  const auto all = load_catalog(std::nullopt, false).value();
  CHECK(all.find("example") == nullptr);
  CHECK(all.all().size() == 10);
}

TEST_CASE("a folder adds definitions and overrides them by slug") {
  const folder f;
  f.write("acme.yaml", good);
  f.record("acme", "acme.yaml");
  f.write("notes.txt", "not a definition");
  const auto plain = load_catalog(std::nullopt, true).value();
  const auto more = load_catalog(f.path, true).value();
  CHECK(more.all().size() == plain.all().size() + 1);
  REQUIRE(more.find("acme") != nullptr);
  CHECK(more.version() != plain.version());
  CHECK(plain.version() == load_catalog(std::nullopt, true).value().version());

  f.write("mine.yaml", replaced("slug: acme", "slug: zoho-cliq"));
  f.record("zoho-cliq", "mine.yaml");
  CHECK(load_catalog(f.path, true).value().find("zoho-cliq")->display_name == "Acme");

  f.write("broken.yaml", "slug: x\n");
  CHECK_FALSE(load_catalog(f.path, true).has_value());
  CHECK_FALSE(load_catalog(f.path / "absent", true).has_value());
}

TEST_CASE("the settings learn of every key that a definition names") {
  const auto facts = config::facts_of(load_catalog(std::nullopt, true).value());
  const auto jira = std::ranges::find(facts, "jira", &config::provider_facts::slug);
  REQUIRE(jira != facts.end());
  CHECK(jira->required_in_production);
  CHECK(jira->webhook_keys == std::vector<std::string>{"WEBHOOK_JIRA_SECRET", "WEBHOOK_JIRA_SECRET_TYPE"});
  REQUIRE(jira->settings.size() == 1);
  CHECK(jira->settings[0].kind == config::setting_kind::enumeration);
  CHECK(jira->settings[0].values == std::vector<std::string>{"bearer", "hmac"});
}
