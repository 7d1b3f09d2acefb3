#include "domain/tracker/bind.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace connectord;
using namespace connectord::tracker;

namespace {

const project_identity me{uuid::make(), "shop", "acme/shop"};

binding_view bound(std::string label, std::vector<resource_key> resources = {},
                   binding_state state = binding_state::active) {
  binding_view b;
  b.row.id = binding_id::make();
  b.row.provider = provider::linear;
  b.row.workspace = "acme";
  b.row.display_label = std::move(label);
  b.project.slug = "bound-project";
  for (auto& r : resources) {
    resource row;
    row.id = resource_id::make();
    row.type = r.type;
    row.external_id = r.id;
    row.state = state;
    b.resources.push_back(std::move(row));
  }
  return b;
}

queue_item waiting(std::string id, std::optional<uuid> project = {}, std::optional<std::string> slug = {}) {
  queue_item q;
  q.id = queue_id::make();
  q.route.provider = provider::linear;
  q.route.workspace = "acme";
  if (!id.empty()) q.route.resource = resource_key{"linear_team", std::move(id)};
  q.route.project_uuid = project;
  q.route.project_slug = std::move(slug);
  return q;
}

std::vector<std::string> labels(const std::vector<attachable>& all) {
  std::vector<std::string> out;
  for (const auto& a : all) out.push_back((a.bound ? "+" : "") + a.label);
  return out;
}

using texts = std::vector<std::string>;

bind_proposal proposed(std::vector<queue_item> pending) { return propose(me, attachables({}, pending)); }

}  // namespace

TEST_CASE("resources are those of bindings, a workspace for each without, and what waits, by label") {
  const std::vector bindings{bound("b", {{"linear_team", "x"}, {"linear_team", "y"}}), bound("a")};
  const std::vector pending{waiting("z"), waiting("z"), waiting("")};
  CHECK(labels(attachables(bindings, pending)) == texts{"+a", "+b", "+b", "linear:acme", "linear:acme/z"});
}

TEST_CASE("what waits for an active resource is that resource; for one that was only seen, it is not") {
  const std::vector pending{waiting("x")};
  const std::vector active{bound("b", {{"linear_team", "x"}})};
  CHECK(labels(attachables(active, pending)) == texts{"+b"});
  const std::vector seen{bound("b", {{"linear_team", "x"}}, binding_state::discovered)};
  CHECK(labels(attachables(seen, pending)) == texts{"+b", "linear:acme/x"});
}

TEST_CASE("nothing fits where nothing is free") {
  CHECK(std::holds_alternative<no_match>(proposed({})));
  const std::vector bindings{bound("shop")};
  CHECK(std::holds_alternative<no_match>(propose(me, attachables(bindings, {}))));
}

TEST_CASE("the one resource that waits for the project, or is named like its repository, is exact") {
  const auto by_uuid = proposed({waiting("a"), waiting("b", me.project_uuid), waiting("c", uuid::make())});
  REQUIRE(std::holds_alternative<exact_match>(by_uuid));
  CHECK(std::get<exact_match>(by_uuid).what.label == "linear:acme/b");
  const auto by_repo = proposed({waiting("a"), waiting("acme/shop")});
  REQUIRE(std::holds_alternative<exact_match>(by_repo));
  CHECK(std::get<exact_match>(by_repo).what.label == "linear:acme/acme/shop");
  // One place that waits twice is still one.
  CHECK(std::holds_alternative<exact_match>(
      proposed({waiting("a", uuid::make()), waiting("a", me.project_uuid)})));
}

TEST_CASE("two that could be exact are candidates; confidence goes before the label") {
  auto both = proposed({waiting("z", me.project_uuid), waiting("acme/shop"), waiting("b", {}, "shop"),
                        waiting("a"), waiting("my-shop-2")});
  REQUIRE(std::holds_alternative<candidates>(both));
  texts seen;
  for (const auto& c : std::get<candidates>(both))
    seen.push_back(c.what.label + " " + std::string{name_of(c.confidence)} + " " + std::string{c.reason});
  CHECK(seen == texts{"linear:acme/acme/shop high repo_slug", "linear:acme/z high project_uuid",
                      "linear:acme/b medium project_slug", "linear:acme/my-shop-2 medium label",
                      "linear:acme/a low same_provider"});
}

TEST_CASE("the order of candidates does not depend on the order in which they were found") {
  std::vector pending{waiting("c"), waiting("a"), waiting("b", {}, "shop"), waiting("")};
  const auto first = std::get<candidates>(proposed(pending));
  std::ranges::reverse(pending);
  const auto again = std::get<candidates>(proposed(pending));
  REQUIRE(first.size() == again.size());
  for (std::size_t i = 0; i < first.size(); ++i) CHECK(first[i].what.row == again[i].what.row);
}

TEST_CASE("a provider's context names what its resource is") {
  using context = std::vector<std::pair<std::string_view, std::string>>;
  const auto of = [](provider p, std::string_view type) {
    return context_of({p, "w", resource_key{std::string{type}, "r"}});
  };
  CHECK(of(provider::linear, "linear_team") == context{{"workspace_name", "w"}, {"team_id", "r"}});
  CHECK(of(provider::jira, "jira_project") == context{{"workspace_name", "w"}, {"project_key", "r"}});
  CHECK(of(provider::github, "github_repo") == context{{"workspace_name", "w"}, {"repository", "r"}});
  CHECK(of(provider::gitlab, "gitlab_project") == context{{"workspace_name", "w"}, {"project_path", "r"}});
  CHECK(of(provider::fp, "fp_workspace") == context{{"workspace_name", "w"}});
  CHECK(context_of({provider::linear, "w", std::nullopt}) == context{{"workspace_name", "w"}});
}

TEST_CASE("a binding is called by its oldest active resource, else by its workspace") {
  auto b = bound("b", {{"linear_team", "x"}, {"linear_team", "y"}});
  CHECK(place_of(b).resource == resource_key{"linear_team", "x"});
  b.resources.front().state = binding_state::disabled;
  CHECK(place_of(b).resource == resource_key{"linear_team", "y"});
  b.resources.clear();
  CHECK_FALSE(place_of(b).resource.has_value());
}
