#include "config/provider_check.hpp"
#include "tests/domain/sync_support.hpp"

#include <filesystem>

using namespace connectord;
using namespace connectord::provider;
using namespace connectord::provider::testing;
using tracker::external_status;

namespace {

config::fixture recorded(std::string_view slug, std::string_view name) {
  const auto folder = std::filesystem::path{SOURCE_DIR} / "tests/golden" / slug;
  for (auto& f : config::load_fixtures(folder).value())
    if (f.file == folder / name) return f;
  FAIL("no recording " << name);
  return {};
}

/// The issue of a recorded delivery.
tracker_issue delivered(std::string_view slug, std::string_view name) {
  const auto sent = read_delivery(recorded(slug, name).content).value();
  auto seen = examine(definition_of(slug), {sent.headers, sent.body, sent.received_at}, true);
  REQUIRE(seen.issues.size() == 1);
  return std::move(seen.issues.front());
}

/// The issues of a recorded run.
std::vector<tracker_issue> polled(std::string_view slug, std::string_view name) {
  const auto from = read_sync(recorded(slug, name).content).value();
  std::size_t next = 0;
  const auto run = run_sync(definition_of(slug), from.context, from.cursor,
                            [&](const auto&) { return from.answers.at(next++); });
  std::vector<tracker_issue> out;
  for (const auto& page : run.pages) out.insert(out.end(), page.issues.begin(), page.issues.end());
  return out;
}

bool names(const std::vector<std::string>& all, std::string_view wanted) {
  return std::ranges::find(all, wanted) != all.end();
}

/// An item of a stream that one answer lists.
tracker_issue item(std::string_view slug, const sync_context& context, const std::string& body) {
  const auto run = run_sync(definition_of(slug), context, "", [&](const auto&) { return answer(body); });
  REQUIRE_FALSE(run.pages.empty());
  REQUIRE(run.pages.front().issues.size() == 1);
  return run.pages.front().issues.front();
}

tracker_issue jira_item(const std::string& fields) {
  return item(
      "jira", {.external_id = "c-1", .metadata = {{"site_url", "https://acme.atlassian.net"}}},
      R"({"isLast": true, "issues": [{"id": "7", "key": "EX-7", "self": "https://api.test/x", "fields": {)"
      R"("summary": "s", "updated": "2025-02-03T05:05:06.000+0100", "project": {"key": "EX"}, )" +
          fields + "}}]}");
}

tracker_issue linear_item(const std::string& members) {
  return item(
      "linear", {.external_id = "o-1"},
      R"({"data": {"issues": {"pageInfo": {"hasNextPage": false}, "nodes": [{"id": "i", "title": "t", )"
      R"("url": "https://linear.app/acme/issue/ENG-2", "updatedAt": "2025-03-02T10:00:00.250Z", )" +
          members + "}]}}}");
}

}  // namespace

TEST_CASE("deliveries and items call an issue and its place the same") {
  const auto hub = delivered("github", "issues_opened.json");
  CHECK(hub.content.ref.system == "github");
  CHECK(hub.content.ref.id == "1");
  CHECK(hub.content.key == "#1");
  CHECK(names(hub.resources, "Codertocat/Hello-World"));
  CHECK(names(hub.workspaces, "Codertocat"));
  CHECK(names(polled("github", "sync/first_run.json").front().resources, "octocat/Hello-World"));

  const auto lab = delivered("gitlab", "issue_open.json");
  CHECK(lab.content.ref.id == "23");
  CHECK(names(lab.resources, "14"));
  CHECK(names(lab.resources, "gitlabhq/gitlab-test"));
  CHECK(names(lab.workspaces, "gitlabhq"));

  for (const auto& one :
       {delivered("jira", "issue_resolved.json"), polled("jira", "sync/first_run.json").front()}) {
    CHECK(names(one.workspaces, "your-domain"));
    CHECK(names(one.identities, "https://your-domain.atlassian.net"));
  }
  CHECK(names(delivered("jira", "issue_resolved.json").resources, "JRA"));

  const auto line = delivered("linear", "issue_update.json");
  CHECK(line.content.key == "ENG-12");
  CHECK(line.identities.empty());
  CHECK(names(line.workspaces, "example"));
  CHECK(names(polled("linear", "sync/two_pages.json").front().workspaces, "acme"));
}

TEST_CASE("a pull request is no issue") {
  const auto sent = read_delivery(recorded("github", "pull_request_opened.json").content).value();
  CHECK(examine(definition_of("github"), {sent.headers, sent.body, sent.received_at}, true).issues.empty());
  for (const auto& one : polled("github", "sync/first_run.json")) CHECK(one.content.ref.id != "1348");
}

TEST_CASE("issues are read only where they are asked for") {
  const auto sent = read_delivery(recorded("github", "issues_opened.json").content).value();
  CHECK(examine(definition_of("github"), {sent.headers, sent.body, sent.received_at}).issues.empty());
}

TEST_CASE("a provider says that an issue is gone") {
  CHECK(delivered("github", "issues_deleted.json").deleted);
  CHECK(delivered("github", "issues_transferred.json").deleted);
  CHECK(delivered("jira", "issue_deleted.json").deleted);
  CHECK(delivered("linear", "issue_remove.json").deleted);
  CHECK(linear_item(R"("trashed": true)").deleted);
  CHECK_FALSE(linear_item(R"("trashed": null)").deleted);
  CHECK_FALSE(delivered("github", "issues_closed.json").deleted);
}

TEST_CASE(
    "a status that a team has named itself is judged by its category, and one without both is reported") {
  CHECK(jira_item(R"("status": {"name": "In Review", "statusCategory": {"key": "indeterminate"}})")
            .content.status == external_status::in_review);
  CHECK(jira_item(R"("status": {"name": "On the bench", "statusCategory": {"key": "indeterminate"}})")
            .content.status == external_status::in_progress);
  const auto odd =
      jira_item(R"("status": {"name": "Limbo"}, "priority": {"name": "P0"}, "issuetype": {"name": "Wish"})");
  CHECK(odd.content.status == external_status::todo);
  CHECK_FALSE(odd.content.priority.has_value());
  CHECK(odd.unmapped == std::vector<std::string>{"status: Limbo", "type: Wish", "priority: P0"});
}

TEST_CASE("states and priorities read as the published clients read them") {
  const auto status = [](const std::string& state) {
    return linear_item(R"("state": )" + state).content.status;
  };
  CHECK(status(R"({"type": "started", "name": "In Review"})") == external_status::in_review);
  CHECK(status(R"({"type": "started", "name": "On Hold"})") == external_status::blocked);
  CHECK(status(R"({"type": "started", "name": "Doing"})") == external_status::in_progress);
  CHECK(status(R"({"type": "backlog", "name": "Review later"})") == external_status::todo);
  CHECK(status(R"({"type": "canceled", "name": "Won't do"})") == external_status::canceled);
  CHECK(linear_item(R"("priority": 1)").content.priority == 0);
  CHECK(linear_item(R"("priority": 0)").content.priority == 4);
  CHECK(jira_item(R"("priority": {"name": "Highest"})").content.priority == 0);
  CHECK(jira_item(R"("issuetype": {"name": "Defect"})").content.type == tracker::issue_type::bug);
}

TEST_CASE("what a message does not say of a field that is not the provider's alone stays as it was") {
  tracker::issue_content stored;
  stored.ref = {"jira", "acme", "7"};
  stored.title = "old";
  stored.key = "EX-7";
  stored.body = "from the snapshot";
  stored.priority = 2;
  stored.labels = {"kept?"};
  auto told = stored;
  told.ref.workspace = "https://acme.atlassian.net";
  told.title = "new";
  told.key = told.body = std::nullopt;
  told.priority = std::nullopt;
  told.labels = {};
  const auto with_shared_body = merged(*definition_of("jira").tracker, stored, told);
  CHECK(with_shared_body.ref == stored.ref);
  CHECK(with_shared_body.key == "EX-7");
  CHECK(with_shared_body.title == "new");
  CHECK(with_shared_body.body == "from the snapshot");
  CHECK_FALSE(with_shared_body.priority.has_value());
  CHECK(with_shared_body.labels.empty());
  const auto without_priorities = merged(*definition_of("github").tracker, stored, told);
  CHECK(without_priorities.priority == 2);
  CHECK_FALSE(without_priorities.body.has_value());
}

TEST_CASE("a discovery that is refused says so, and one whose items have no id is malformed") {
  const auto& d = definition_of("github");
  const auto now = at("2026-01-01T00:00:00Z");
  const auto found = [&](const http_response& said) {
    return follow(
        sync_run::discovery(d, {}, {}, now), [&](const auto&) { return said; }, now);
  };
  const auto listed = found(answer(R"([{"id": 1, "full_name": "a/b", "owner": {"login": "a"}}])"));
  REQUIRE(listed.pages.size() == 1);
  REQUIRE(listed.pages.front().resources.size() == 1);
  CHECK(listed.pages.front().resources.front().ids == std::vector<std::string>{"a/b", "1"});
  CHECK(listed.pages.front().signals.empty());
  CHECK_FALSE(listed.pages.front().more);
  CHECK(found(answer("{}", {}, 401)).failure.value().what == failure_class::unauthorized);
  CHECK(found(answer("[{}]")).failure.value().what == failure_class::transient);
}
