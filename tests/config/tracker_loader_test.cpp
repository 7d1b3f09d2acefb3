#include "config/provider_loader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace connectord;
using connectord::config::load_provider;

namespace {

constexpr std::string_view good = R"(slug: acme
version: 1.0.0
display_name: Acme
auth_type: oauth2
oauth:
  authorize_url: https://a.test/authorize
  token_url: https://a.test/token
  pkce: required
  refresh: reusable
  account: {external_id: "{token.id}"}
webhook:
  secret_key: WEBHOOK_ACME_SECRET
  verify: [{scheme: token, header: x-acme-token}]
  rules: [{effect: ignore}]
sync:
  headers: {x-acme-version: "3"}
  streams:
    - name: items
      request: {url: "https://a.test/items"}
      records: items
      cursor: {name: since, newest: {rfc3339: at}}
      rules: [{effect: ignore}]
tracker:
  system: beads
  resource:
    type: beads_workspace
    discover: {request: {url: "https://a.test/boards"}, page: {style: link}, records: boards}
    id: "{id}"
  belongs_to: {resource: "{board}", workspace: "{team}"}
  webhook: {at: item}
  sync: {when: {$event: items}}
  issue: {id: "{id}", title: "{title}", updated_at: {rfc3339: at}, labels: "tags[].name"}
  maps:
    status: {of: "{state}", cases: [{when: {state: shut}, is: done}], default: todo}
    type: {default: task}
    priority: {cases: [{when: {urgent: true}, is: 1}]}
  ownership: {labels: shared}
)";

std::string problem(std::string_view from, std::string_view to) {
  std::string text{good};
  const auto where = text.find(from);
  REQUIRE(where != std::string::npos);
  const auto d = load_provider(text.replace(where, from.size(), to), "acme.yaml");
  return d ? "loaded" : std::string{d.error().message()};
}

}  // namespace

TEST_CASE("a tracker loads into data, and its discovery calls as the sync does") {
  const auto d = load_provider(good, "acme.yaml").value();
  REQUIRE(d.tracker.has_value());
  const auto& t = *d.tracker;
  CHECK(t.system == tracker::provider::beads);
  CHECK(t.resource.type == "beads_workspace");
  CHECK(t.resource.discover.headers == d.sync->headers);
  REQUIRE(t.resource.discover.streams.size() == 1);
  CHECK(t.resource.discover.streams.front().page.how == provider::paging::link);
  REQUIRE(t.status.cases.size() == 1);
  CHECK(t.status.cases.front().second == tracker::external_status::done);
  CHECK(t.status.otherwise == tracker::external_status::todo);
  CHECK(t.priority.cases.front().second == 1);
  CHECK_FALSE(t.priority.otherwise.has_value());
  CHECK(t.owner_of("labels") == tracker::owner::shared);
  CHECK(t.owner_of("title") == tracker::owner::external);
}

TEST_CASE("a tracker that is wrong says in which line and field") {
  struct wrong {
    std::string_view from, to, said;
  };
  constexpr wrong cases[]{
      {"system: beads", "system: acme", "acme.yaml:24: tracker.system: is no word of the tracker"},
      {"  system: beads\n", "", "tracker.system: is required"},
      {"type: beads_workspace", "typ: beads_workspace",
       "acme.yaml:26: tracker.resource.typ: is not a known field"},
      {"    id: \"{id}\"\n", "", "tracker.resource.id: is required"},
      {"https://a.test/boards", "http://a.test/boards",
       "tracker.resource.discover.request.url: must be an https URL"},
      {", records: boards", "", "tracker.resource.discover.records: is required"},
      {", workspace: \"{team}\"", "", "tracker.belongs_to.workspace: is required"},
      {"  webhook: {at: item}\n", "", "tracker.webhook: is required"},
      {"webhook: {at: item}", "webhook: {at: \"items[]\"}", "tracker.webhook.at: must name one value"},
      {"title: \"{title}\", ", "", "tracker.issue.title: is required"},
      {"updated_at: {rfc3339: at}", "updated_at: {date: at}",
       "tracker.issue.updated_at: names an unknown time format"},
      {"is: done", "is: closed", "tracker.maps.status.cases[0].is: is no word of the tracker"},
      {"is: 1", "is: urgent", "tracker.maps.priority.cases[0].is: is no word of the tracker"},
      {"when: {state: shut}, is", "is", "tracker.maps.status.cases[0].when: is required"},
      {", default: todo", "", "tracker.maps.status.default: is required"},
      {"type: {default: task}", "type: {}", "tracker.maps.type.default: is required"},
      {"labels: shared", "labels: nobody",
       "tracker.ownership.labels: must be one of external, local, shared"},
      {"labels: shared", "status: local", "tracker.ownership.status: is no field that can be owned"},
      {"state: shut", "state: {contains: Shut}", "must be in lower case"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.to);
    const auto said = problem(c.from, c.to);
    CHECK_MESSAGE(said.find(c.said) != std::string::npos, said);
  }
}

TEST_CASE("a tracker needs a webhook and a sync that feed it") {
  std::string text{good};
  text.erase(text.find("sync:\n"), text.find("tracker:\n") - text.find("sync:\n"));
  const auto d = load_provider(text, "acme.yaml");
  REQUIRE_FALSE(d.has_value());
  CHECK(std::string{error{d.error()}.message()}.find("tracker: needs webhook and sync") != std::string::npos);
}
