#include "actors/tracker/summaries.hpp"

#include "actors/tracker/binding_change.hpp"
#include "domain/tracker/links.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/work_packages.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace connectord::tracker {
namespace {

constexpr int all_rows = std::numeric_limits<int>::max();

void add_binding(project_summary& out, const stored_binding& b, const drift_by_kind& open, health now) {
  out.last_snapshot_at = std::max(out.last_snapshot_at, b.last_snapshot_at);
  out.issues += b.tally.issues;
  out.mappings += b.tally.links;
  for (const auto& [kind, n] : open) {
    out.drift_open += n;
    out.drift_open_by_kind[kind] += n;
  }
  out.bindings.push_back({b.id, b.ref, b.provider, b.workspace, b.state, now, b.last_snapshot_at});
}

/// A link without a mission speaks of the work packages that it may mean.
bool speaks_of(const link& l, const work_package& wp, std::span<const work_package> same_id) {
  return std::ranges::any_of(candidates(l.wp, same_id), [&](const auto* c) { return c->ref == wp.ref; });
}

}  // namespace

result<project_summary> summary_of(storage::session& db, const tenant_id& t, const project_id& p,
                                   const policy& rules, timestamp now) {
  const auto bindings = storage::bindings_of_project(db, t, p);
  if (!bindings) return bindings.error();
  project_summary out;
  std::vector<health> healths;
  for (const auto& b : *bindings) {
    const auto open = storage::count_open_drift(db, t, b.id);
    if (!open) return open.error();
    healths.push_back(health_of(b, *open, rules, now).health);
    add_binding(out, b, *open, healths.back());
  }
  out.health = worst(healths);
  const auto waits = storage::waits_for_project(db, t, p);
  if (!waits) return waits.error();
  out.queued = *waits;
  return out;
}

result<work_package_summary> summary_of(storage::session& db, const tenant_id& t, const work_package& wp) {
  const std::array ids{wp.ref.wp_id};
  const auto same_id = storage::work_packages_of(db, t, wp.project, ids);
  if (!same_id) return same_id.error();
  auto links = storage::list_links(db, t, {.projects = {wp.project.str()}, .wp_ids = {wp.ref.wp_id}},
                                   std::nullopt, all_rows);
  if (!links) return links.error();
  work_package_summary out;
  for (auto& v : *links) {
    if (!speaks_of(v.link, wp, *same_id)) continue;
    auto open = storage::open_drift_of_link(db, t, v.link.id);
    if (!open) return open.error();
    std::ranges::move(*open, std::back_inserter(out.drift));
    out.links.push_back(std::move(v));
  }
  if (!out.links.empty()) out.state = out.links.front().link.state;
  return out;
}

}  // namespace connectord::tracker
