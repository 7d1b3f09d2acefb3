#include "domain/tracker/bind.hpp"

#include <algorithm>
#include <tuple>

namespace connectord::tracker {
namespace {

attachable bound_entry(const binding_view& b, place at, std::string row) {
  return {.at = std::move(at),
          .label = b.row.display_label,
          .row = std::move(row),
          .bound = attachable::owner{b.row.id, b.row.ref, b.project.slug, b.row.created_at}};
}

void add_bound(std::vector<attachable>& out, const binding_view& b) {
  const place whole{b.row.provider, b.row.workspace, std::nullopt};
  if (b.resources.empty()) return out.push_back(bound_entry(b, whole, b.row.id.str()));
  for (const auto& r : b.resources) {
    auto at = whole;
    at.resource = resource_key{r.type, r.external_id};
    out.push_back(bound_entry(b, std::move(at), r.id.str()));
  }
}

/// Snapshots of an active resource have a place to land already, or wait for its binding to be enabled.
bool bound_for_good(std::span<const binding_view> bindings, const place& at) {
  return at.resource && std::ranges::any_of(bindings, [&](const binding_view& b) {
           return b.row.provider == at.provider && b.row.workspace == at.workspace &&
                  std::ranges::any_of(b.resources, [&](const resource& r) {
                    return r.state == binding_state::active && r.type == at.resource->type &&
                           r.external_id == at.resource->id;
                  });
         });
}

void add_queued(std::vector<attachable>& out, const queue_item& q) {
  const place at{q.route.provider, q.route.workspace, q.route.resource};
  auto entry = std::ranges::find_if(out, [&](const auto& a) { return !a.bound && a.at == at; });
  if (entry == out.end())
    entry = out.insert(out.end(), {.at = at, .label = label_of(at), .row = q.id.str(), .bound = {}});
  if (q.route.project_uuid) entry->queued_uuids.push_back(*q.route.project_uuid);
  if (q.route.project_slug) entry->queued_slugs.push_back(*q.route.project_slug);
}

template <class Range, class Value>
bool contains(const Range& all, const Value& one) {
  return std::ranges::find(all, one) != all.end();
}

candidate rated(attachable a, const project_identity& p) {
  const auto as = [&a](confidence c, std::string_view why) { return candidate{std::move(a), c, why}; };
  if (contains(a.queued_uuids, p.project_uuid)) return as(confidence::high, "project_uuid");
  if (p.repo_slug && a.at.resource && a.at.resource->id == *p.repo_slug)
    return as(confidence::high, "repo_slug");
  if (contains(a.queued_slugs, p.slug)) return as(confidence::medium, "project_slug");
  if (a.label.find(p.slug) != std::string::npos) return as(confidence::medium, "label");
  return as(confidence::low, "same_provider");
}

}  // namespace

std::vector<std::pair<std::string_view, std::string>> context_of(const place& at) {
  std::vector<std::pair<std::string_view, std::string>> out{{"workspace_name", at.workspace}};
  if (!at.resource) return out;
  const auto& [type, id] = *at.resource;
  if (type == "linear_team") out.emplace_back("team_id", id);
  if (type == "jira_project") out.emplace_back("project_key", id);
  if (type == "github_repo") out.emplace_back("repository", id);
  if (type == "gitlab_project") out.emplace_back("project_path", id);
  return out;
}

std::string label_of(const place& at) {
  const auto whole = std::string{name_of(at.provider)} + ":" + at.workspace;
  return at.resource ? whole + "/" + at.resource->id : whole;
}

place place_of(const binding_view& b) {
  place at{b.row.provider, b.row.workspace, std::nullopt};
  const auto active = std::ranges::find(b.resources, binding_state::active, &resource::state);
  if (active != b.resources.end()) at.resource = resource_key{active->type, active->external_id};
  return at;
}

std::vector<attachable> attachables(std::span<const binding_view> bindings,
                                    std::span<const queue_item> pending) {
  std::vector<attachable> out;
  for (const auto& b : bindings) add_bound(out, b);
  for (const auto& q : pending)
    if (!bound_for_good(bindings, {q.route.provider, q.route.workspace, q.route.resource}))
      add_queued(out, q);
  std::ranges::sort(out, {}, [](const attachable& a) { return std::tie(a.label, a.row); });
  return out;
}

bind_proposal propose(const project_identity& project, std::vector<attachable> known) {
  candidates all;
  for (auto& a : known)
    if (!a.bound) all.push_back(rated(std::move(a), project));
  if (all.empty()) return no_match{};
  std::ranges::sort(all, {},
                    [](const candidate& c) { return std::tie(c.confidence, c.what.label, c.what.row); });
  const auto best = std::ranges::count(all, confidence::high, &candidate::confidence);
  if (best == 1) return exact_match{std::move(all.front().what)};
  return all;
}

}  // namespace connectord::tracker
