#include "domain/tracker/input.hpp"
#include "domain/tracker/snapshot_body.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <string>
#include <vector>

using namespace connectord;
using namespace connectord::tracker;

namespace {

constexpr std::string_view project_text = "0190A000-0000-7000-8000-00000000000A";

/// Two issues, two mappings, nothing to complain about.
json::object plain() {
  return json::parse(R"({
    "provider": " Linear ", "workspace": " acme-eng ",
    "external_resource_type": " linear_team ", "external_resource_id": "ENG",
    "doctrine_mode": "split", "doctrine_field_owners": {"title": "external", "assignees": "spec_kitty"},
    "project_uuid": "0190A000-0000-7000-8000-00000000000A", "project_slug": "spec-kitty",
    "issues": [
      {"ref": {"system": "linear", "workspace": "acme-eng", "id": "a-1", "key": "ENG-1", "url": "https://x.example/1"},
       "title": "Fix login", "body": "Soon", "status": "in_progress", "issue_type": "bug", "priority": 2,
       "assignees": ["ann"], "labels": ["p1", "p2"], "updated_at": "2026-11-01T12:00:00.123456+02:00"},
      {"ref": {"system": "linear", "workspace": "acme-eng", "id": "a-2", "key": null, "url": null},
       "title": "", "body": null, "status": "todo", "issue_type": "task", "priority": null,
       "assignees": null, "updated_at": null}],
    "mappings": [
      {"wp_id": "WP01", "system": "linear", "workspace": "acme-eng", "external_id": "a-1", "external_key": "ENG-1",
       "external_url": null, "created_at": "2026-11-01T10:00:00Z", "updated_at": null},
      {"wp_id": "WP02", "system": "linear", "workspace": "acme-eng", "external_id": "a-2"}],
    "checkpoint": {"cursor": "c", "updated_since": "2026-11-01T10:00:00Z"}})")
      .as_object();
}

snapshot_reading read(const json::object& body, const policy& limits = {}) {
  return read_snapshot(json::serialize(body), limits);
}

snapshot_body accepted(const json::object& body) {
  auto reading = read(body);
  if (const auto* refused = std::get_if<refused_body>(&reading)) FAIL(refused->errors.front().message);
  REQUIRE(std::holds_alternative<snapshot_body>(reading));
  return std::get<snapshot_body>(std::move(reading));
}

refused_body refused(const json::object& body) {
  auto reading = read(body);
  REQUIRE(std::holds_alternative<refused_body>(reading));
  return std::get<refused_body>(std::move(reading));
}

/// `path code`, one each.
std::vector<std::string> complaints(const json::object& body) {
  std::vector<std::string> out;
  for (const auto& e : refused(body).errors) {
    CHECK(e.message.starts_with(e.path + " "));
    out.push_back(e.path + " " + std::string{name_of(e.code)});
  }
  return out;
}

std::string complaint(const json::object& body) {
  const auto all = complaints(body);
  return all.size() == 1 ? all.front() : std::to_string(all.size()) + " complaints";
}

json::object& issue_at(json::object& body, std::size_t i) { return body["issues"].as_array()[i].as_object(); }
json::object& ref_at(json::object& body, std::size_t i) { return issue_at(body, i)["ref"].as_object(); }
json::object& mapping_at(json::object& body, std::size_t i) {
  return body["mappings"].as_array()[i].as_object();
}

std::string with(std::string_view name, json::value value) {
  auto body = plain();
  body[name] = std::move(value);
  return complaint(body);
}
std::string with_issue(std::string_view name, json::value value) {
  auto body = plain();
  issue_at(body, 1)[name] = std::move(value);
  return complaint(body);
}
std::string with_ref(std::string_view name, json::value value) {
  auto body = plain();
  ref_at(body, 1)[name] = std::move(value);
  return complaint(body);
}
std::string with_mapping(std::string_view name, json::value value) {
  auto body = plain();
  mapping_at(body, 1)[name] = std::move(value);
  return complaint(body);
}

}  // namespace

TEST_CASE("tracker body: everything that a body says") {
  const auto body = accepted(plain());
  CHECK(body.route.provider == provider::linear);
  CHECK(body.route.workspace == "acme-eng");
  CHECK(body.route.resource == resource_key{"linear_team", "ENG"});
  CHECK(body.route.project_uuid == uuid::parse(project_text));
  CHECK(body.route.project_uuid_text == std::string{project_text});
  CHECK(body.route.project_slug == "spec-kitty");
  CHECK(body.route.scope() == "project:0190a000-0000-7000-8000-00000000000a");
  CHECK(body.reported.mode == doctrine_mode::split_ownership);
  CHECK(body.reported.field_owners ==
        std::map<std::string, owner, std::less<>>{{"title", owner::external}, {"assignee", owner::local}});
  CHECK(body.warnings.empty());
  CHECK(body.counts.issues == 2);
  CHECK(body.counts.mappings == 2);

  REQUIRE(body.issues.size() == 2);
  const issue_content first{.ref = {"linear", "acme-eng", "a-1"},
                            .key = "ENG-1",
                            .url = "https://x.example/1",
                            .title = "Fix login",
                            .body = "Soon",
                            .status = external_status::in_progress,
                            .type = issue_type::bug,
                            .priority = 2,
                            .assignees = {"ann"},
                            .labels = {"p1", "p2"},
                            .updated_at = read_time("2026-11-01T10:00:00.123456Z")};
  CHECK(body.issues[0] == first);
  CHECK(body.issues[1] == issue_content{.ref = {"linear", "acme-eng", "a-2"},
                                        .status = external_status::todo,
                                        .type = issue_type::task});
  REQUIRE(body.mappings.size() == 2);
  CHECK(body.mappings[1].index == 1);
  CHECK(body.mappings[0].wp_id == "WP01");
  CHECK(body.mappings[0].target == identity{"linear", "acme-eng", "a-1"});
  CHECK(body.mappings[0].key == "ENG-1");
  CHECK_FALSE(body.mappings[1].key.has_value());
  CHECK(body.mappings[0].at < body.mappings[1].at);
}

TEST_CASE("tracker body: the digest is that of the canonical form") {
  auto body = plain();
  CHECK(accepted(body).digest == to_hex(bytes_of(sha256(canonical_json(body)))));
  const auto before = accepted(body).digest;
  body["unknown"] = json::object{{"n", 1}};
  CHECK(accepted(body).digest != before);
}

TEST_CASE("tracker body: equal bodies have one digest, however they are written") {
  const auto of = [](std::string_view head) {
    const auto text =
        std::string{head} + R"(,"workspace":"w","doctrine_mode":"split","issues":[],"mappings":[]})";
    const auto reading = read_snapshot(text, {});
    return std::get<snapshot_body>(reading).digest;
  };
  CHECK(of(R"({"provider":"jira","n":1)") == of(R"({ "n" : 1, "provider":"linear", "provider":"\u006Aira")"));
  CHECK(of(R"({"provider":"jira","n":18446744073709551616)") !=
        of(R"({"provider":"jira","n":18446744073709551617)"));
}

TEST_CASE("tracker body: the scope") {
  auto body = plain();
  body["project_uuid"] = "No-UUID";
  CHECK(accepted(body).route.scope() == "project:no-uuid");
  for (const json::value& none : {json::value(nullptr), json::value("")}) {
    body["project_uuid"] = none;
    CHECK(accepted(body).route.scope() == "route:linear|acme-eng|linear_team|ENG");
  }
  body.erase("project_uuid");
  body["external_resource_type"] = body["external_resource_id"] = nullptr;
  CHECK(accepted(body).route.scope() == "route:linear|acme-eng||");
}

TEST_CASE("tracker body: a project_uuid that is none counts as unknown, not as absent") {
  for (const auto text :
       {"", "U", "00000000-0000-0000-0000-000000000000", " 0190a000-0000-7000-8000-00000000000a"}) {
    auto body = plain();
    body["project_uuid"] = text;
    const auto read = accepted(body);
    CHECK_FALSE(read.route.project_uuid.has_value());
    CHECK(read.route.project_uuid_text == text);
    REQUIRE(read.warnings.size() == 1);
    CHECK(read.warnings[0].code == "project_uuid_invalid");
    CHECK(read.warnings[0].path == "project_uuid");
    CHECK(read.warnings[0].at == read.project_uuid_at);
  }
}

TEST_CASE("tracker body: unknown owners are shared, with a warning each, and a name wins over its alias") {
  auto body = plain();
  body["doctrine_field_owners"] = {
      {"title", "linear"}, {"assignees", "external"}, {"assignee", "local"}, {"status", "?"}};
  const auto read = accepted(body);
  CHECK(owner{read.reported.field_owners.at("title")} == owner::shared);
  CHECK(owner{read.reported.field_owners.at("assignee")} == owner::local);
  REQUIRE(read.warnings.size() == 2);
  CHECK(read.warnings[0].code == "unknown_field_owner");
  CHECK(read.warnings[0].path == "doctrine_field_owners.title");
  CHECK(read.warnings[1].path == "doctrine_field_owners.status");
}

TEST_CASE("tracker body: at most 100 warnings, the first ones in the document") {
  auto body = plain();
  auto& owners = (body["doctrine_field_owners"] = json::object{}).as_object();
  for (int i = 5000; i > 0; --i) owners["f" + std::to_string(i)] = "?";
  const auto read = accepted(body);
  REQUIRE(read.warnings.size() == 100);
  CHECK(read.warnings.front().path == "doctrine_field_owners.f5000");
  CHECK(read.warnings.back().path == "doctrine_field_owners.f4901");
  CHECK(read.reported.field_owners.size() == 5000);
}

TEST_CASE("tracker body: what belongs to another system is checked, counted and left out") {
  auto body = plain();
  ref_at(body, 0)["system"] = "jira";
  mapping_at(body, 1)["system"] = "something else";
  const auto read = accepted(body);
  CHECK(read.counts.issues == 2);
  CHECK(read.counts.issues_ignored == 1);
  CHECK(read.counts.mappings_ignored == 1);
  REQUIRE(read.issues.size() == 1);
  CHECK(read.issues[0].ref.id == "a-2");
  REQUIRE(read.mappings.size() == 1);
  CHECK(read.mappings[0].index == 0);
  REQUIRE(read.warnings.size() == 1);
  CHECK(read.warnings[0].code == "foreign_system_issue");
  CHECK(read.warnings[0].path == "issues[0]");
  CHECK(read.warnings[0].details == R"({"count":1})");
  issue_at(body, 0)["status"] = "open";
  CHECK(complaint(body) == "issues[0].status unsupported_value");
}

TEST_CASE("tracker body: a system goes by its provider's aliases") {
  auto body = plain();
  body["provider"] = "azure";
  for (const std::size_t i : {0, 1})
    ref_at(body, i)["system"] = mapping_at(body, i)["system"] = "Azure-DevOps";
  const auto read = accepted(body);
  CHECK(read.counts.issues_ignored == 0);
  CHECK(read.issues[0].ref.system == "azure_devops");
  CHECK(read.mappings[0].target.system == "azure_devops");
}

TEST_CASE("tracker body: required members") {
  for (const auto name : {"provider", "workspace", "doctrine_mode", "issues", "mappings"}) {
    auto body = plain();
    body.erase(name);
    CHECK(complaint(body) == std::string{name} + " required");
    CHECK(with(name, nullptr) == std::string{name} + " invalid_type");
    CHECK(with(name, 1) == std::string{name} + " invalid_type");
  }
  for (const auto name : {"ref", "title", "status", "issue_type"}) {
    auto body = plain();
    issue_at(body, 1).erase(name);
    CHECK(complaint(body) == "issues[1]." + std::string{name} + " required");
    CHECK(with_issue(name, true) == "issues[1]." + std::string{name} + " invalid_type");
  }
  for (const auto name : {"system", "workspace", "id"})
    CHECK(with_ref(name, "") == "issues[1].ref." + std::string{name} + " required");
  for (const auto name : {"wp_id", "system", "workspace", "external_id"}) {
    auto body = plain();
    mapping_at(body, 0).erase(name);
    CHECK(complaint(body) == "mappings[0]." + std::string{name} + " required");
    CHECK(with_mapping(name, "") == "mappings[1]." + std::string{name} + " required");
  }
  CHECK(with("workspace", " \t") == "workspace required");
}

TEST_CASE("tracker body: types, words, times and lengths") {
  const json::string nul{"a\0b", 3}, long_name(513, 'x'), long_url(4097, 'x');
  CHECK(with("provider", "trello") == "provider unsupported_value");
  CHECK(with("provider", "") == "provider unsupported_value");
  CHECK(with("workspace", long_name) == "workspace too_long");
  CHECK(with("doctrine_mode", "both") == "doctrine_mode unsupported_value");
  CHECK(with("doctrine_field_owners", nullptr) == "doctrine_field_owners invalid_type");
  CHECK(with("doctrine_field_owners", json::object{{"title", 1}}) ==
        "doctrine_field_owners.title invalid_type");
  CHECK(with("doctrine_field_owners", json::object{{"title", nul}}) ==
        "doctrine_field_owners.title unsupported_value");
  CHECK(with("doctrine_field_owners", json::object{{nul, "local"}}) ==
        "doctrine_field_owners unsupported_value");
  CHECK(with("project_uuid", 7) == "project_uuid invalid_type");
  CHECK(with("project_slug", nul) == "project_slug unsupported_value");
  CHECK(with("checkpoint", "now") == "checkpoint invalid_type");
  CHECK(with("checkpoint", json::object{{"cursor", 1}}) == "checkpoint.cursor invalid_type");
  CHECK(with("checkpoint", json::object{{"updated_since", "1"}}) == "checkpoint.updated_since invalid_time");

  CHECK(with_issue("title", nul) == "issues[1].title unsupported_value");
  CHECK(with_issue("body", 1) == "issues[1].body invalid_type");
  CHECK(with_issue("status", "open") == "issues[1].status unsupported_value");
  CHECK(with_issue("issue_type", "Bug") == "issues[1].issue_type unsupported_value");
  CHECK(with_issue("updated_at", "2026-11-01T10:00:00") == "issues[1].updated_at invalid_time");
  CHECK(with_issue("updated_at", 1) == "issues[1].updated_at invalid_type");
  CHECK(with_issue("assignees", "ann") == "issues[1].assignees invalid_type");
  CHECK(with_issue("labels", json::array{"a", 1}) == "issues[1].labels[1] invalid_type");
  CHECK(with_issue("labels", json::array{nul}) == "issues[1].labels[0] unsupported_value");

  CHECK(with_ref("id", long_name) == "issues[1].ref.id too_long");
  CHECK(with_ref("key", long_name) == "issues[1].ref.key too_long");
  CHECK(with_ref("url", long_url) == "issues[1].ref.url too_long");
  CHECK(with_mapping("wp_id", long_name) == "mappings[1].wp_id too_long");
  CHECK(with_mapping("external_url", long_url) == "mappings[1].external_url too_long");
  CHECK(with_mapping("created_at", "soon") == "mappings[1].created_at invalid_time");

  auto body = plain();
  body["issues"].as_array().push_back("a-3");
  body["mappings"].as_array().push_back(nullptr);
  CHECK(complaints(body) == std::vector<std::string>{"issues[2] invalid_type", "mappings[2] invalid_type"});
}

TEST_CASE("tracker body: lengths count code points") {
  std::string name;
  for (int i = 0; i < 512; ++i) name += "é";
  auto body = plain();
  ref_at(body, 0)["id"] = name;
  CHECK(accepted(body).issues[0].ref.id == name);
  ref_at(body, 0)["id"] = name + "é";
  CHECK(complaint(body) == "issues[0].ref.id too_long");
}

TEST_CASE("tracker body: a priority is an integer of 32 bits") {
  for (const auto number : {-2147483648LL, -1LL, 0LL, 7LL, 2147483647LL}) {
    auto body = plain();
    issue_at(body, 1)["priority"] = number;
    CHECK(accepted(body).issues[1].priority == static_cast<int>(number));
  }
  CHECK(with_issue("priority", 2147483648LL) == "issues[1].priority unsupported_value");
  for (const json::value& wrong : {json::value(true), json::value(1.5), json::value(2.0), json::value("2")})
    CHECK(with_issue("priority", wrong) == "issues[1].priority invalid_type");
}

TEST_CASE("tracker body: routing members come in pairs") {
  const auto pair = [](json::value type, json::value id) {
    auto body = plain();
    body["external_resource_type"] = std::move(type);
    body["external_resource_id"] = std::move(id);
    return complaints(body);
  };
  using list = std::vector<std::string>;
  CHECK(pair("t", nullptr) == list{"external_resource_id incomplete_pair"});
  CHECK(pair("t", " ") == list{"external_resource_id incomplete_pair"});
  CHECK(pair(nullptr, "i") == list{"external_resource_type incomplete_pair"});
  CHECK(pair("", "") ==
        list{"external_resource_type incomplete_pair", "external_resource_id incomplete_pair"});
  CHECK(pair(1, "i") == list{"external_resource_type invalid_type"});
  auto body = plain();
  body.erase("external_resource_id");
  CHECK(complaint(body) == "external_resource_id incomplete_pair");
}

TEST_CASE("tracker body: nothing is said twice") {
  auto body = plain();
  body["issues"].as_array().push_back(issue_at(body, 0));
  CHECK(complaint(body) == "issues[2].ref duplicate_issue");
  body = plain();
  body["mappings"].as_array().push_back(mapping_at(body, 0));
  mapping_at(body, 2)["external_id"] = "a-2";
  CHECK(complaint(body) == "mappings[2] duplicate_mapping");
  // The same id in another workspace is another issue; another system's row another mapping.
  body = plain();
  ref_at(body, 1)["id"] = "a-1";
  ref_at(body, 1)["workspace"] = "other";
  mapping_at(body, 1)["wp_id"] = "WP01";
  mapping_at(body, 1)["system"] = "jira";
  CHECK(accepted(body).issues.size() == 2);
}

TEST_CASE("tracker body: every complaint in document order, the first fifty of them") {
  const auto reading = read_snapshot(
      R"({"mappings":[{}],"issues":[{"labels":[1],"title":2}],"workspace":3,"provider":"jira"})", {});
  std::vector<std::string> paths;
  for (const auto& e : std::get<refused_body>(reading).errors) paths.push_back(e.path);
  CHECK(paths == std::vector<std::string>{"doctrine_mode", "mappings[0].wp_id", "mappings[0].system",
                                          "mappings[0].workspace", "mappings[0].external_id", "issues[0].ref",
                                          "issues[0].status", "issues[0].issue_type", "issues[0].labels[0]",
                                          "issues[0].title", "workspace"});

  auto body = plain();
  auto& labels = (issue_at(body, 0)["labels"] = json::array{}).as_array();
  labels.resize(5000, 1);
  issue_at(body, 0)["assignees"] = "last of this issue, first of all";
  const auto all = refused(body).errors;
  REQUIRE(all.size() == 50);
  CHECK(all.front().path == "issues[0].assignees");
  CHECK(all.back().path == "issues[0].labels[48]");
}

TEST_CASE("tracker body: a refused body still says where it was meant to go, if it says that rightly") {
  auto body = plain();
  issue_at(body, 0)["status"] = "open";
  const auto routed = refused(body).route;
  REQUIRE(routed);
  CHECK(routed->provider == provider::linear);
  CHECK(routed->workspace == "acme-eng");
  CHECK(routed->resource == resource_key{"linear_team", "ENG"});
  CHECK(routed->project_uuid == uuid::parse(project_text));
  for (const auto name : {"provider", "workspace", "external_resource_id", "project_uuid"}) {
    auto lost = plain();
    lost[name] = 1;
    CHECK_FALSE(refused(lost).route.has_value());
  }
}

TEST_CASE("tracker body: too many rows are too large, whatever else is wrong") {
  policy limits;
  limits.max_issues = 2;
  limits.max_mappings = 1;
  auto body = plain();
  const auto of = [&] { return std::get<oversized_body>(read(body, limits)); };
  CHECK(of().limit == "mappings");
  CHECK(of().max == 1);
  CHECK(of().actual == 2);
  body["issues"].as_array().push_back(1);
  CHECK(of().limit == "issues");
  CHECK(of().actual == 3);
}

TEST_CASE("tracker body: what cannot be read") {
  for (const auto text : {"", "[]", "nope", "{\"a\":\"\xff\"}"})
    CHECK(std::holds_alternative<unreadable_body>(read_snapshot(text, {})));
  CHECK(std::get<refused_body>(read_snapshot("{}", {})).errors.size() == 5);
}
