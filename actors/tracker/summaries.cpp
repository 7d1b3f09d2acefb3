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
#include <iterator>

namespace connectord::tracker {
namespace {

void add_binding(project_summary& out, const stored_binding& b, health_report now) {
  out.last_snapshot_at = std::max(out.last_snapshot_at, b.last_snapshot_at);
  out.issues += b.tally.issues;
  out.mappings += b.tally.links;
  for (const auto& [kind, n] : b.tally.drift_open) {
    out.drift_open += n;
    out.drift_open_by_kind[kind] += n;
  }
  out.bindings.push_back({b.id, b.ref, b.provider, b.workspace, b.state, now.health, std::move(now.reasons),
                          b.last_snapshot_at});
}

/// A link without a mission speaks of the work packages that it may mean.
bool speaks_of(const link& l, const work_package& wp, std::span<const work_package> same_id) {
  return std::ranges::any_of(possible_work_packages(l.wp, same_id),
                             [&](const auto* c) { return c->ref == wp.ref; });
}

/// What is known of some work packages and of all others of their ids, looked up once.
struct known_links {
  std::vector<work_package> work_packages;  ///< by wp_id
  std::vector<link_view> links;             ///< by wp_id, mission and id
  std::vector<drift_record> drift;          ///< open

  work_package_summary summary_of(const work_package& wp) const {
    const auto id = [](const work_package& x) { return std::string_view{x.ref.wp_id}; };
    const auto [first, last] =
        std::ranges::equal_range(work_packages, std::string_view{wp.ref.wp_id}, {}, id);
    work_package_summary out;
    for (const auto& v : links) {
      if (v.link.wp.wp_id != wp.ref.wp_id || !speaks_of(v.link, wp, {first, last})) continue;
      std::ranges::copy_if(drift, std::back_inserter(out.drift),
                           [&](const auto& d) { return d.link == v.link.id; });
      out.links.push_back(v);
    }
    if (!out.links.empty()) out.state = out.links.front().link.state;
    return out;
  }
};

}  // namespace

project_summary summary_of(std::span<const stored_binding> bindings, const policy& rules, timestamp now) {
  project_summary out;
  std::vector<health> healths;
  for (const auto& b : bindings) {
    add_binding(out, b, health_of(b, rules, now));
    healths.push_back(out.bindings.back().health);
  }
  out.health = worst(healths);
  return out;
}

result<project_summary> summary_of(storage::session& db, const tenant_id& t, const project_id& p,
                                   const policy& rules, timestamp now) {
  const auto bindings = storage::bindings_of_project(db, t, p);
  if (!bindings) return bindings.error();
  auto out = summary_of(*bindings, rules, now);
  const auto waits = storage::waits_for_project(db, t, p);
  if (!waits) return waits.error();
  out.queued = *waits;
  return out;
}

result<std::vector<work_package_summary>> summaries_of(storage::session& db, const tenant_id& t,
                                                       const project_id& p,
                                                       std::span<const work_package> wps) {
  std::vector<std::string> ids;
  for (const auto& wp : wps)
    if (ids.empty() || ids.back() != wp.ref.wp_id) ids.push_back(wp.ref.wp_id);
  if (ids.empty()) return std::vector<work_package_summary>{};
  auto same_ids = storage::work_packages_of(db, t, p, ids);
  if (!same_ids) return same_ids.error();
  auto links = storage::list_links(db, t, {.projects = {p.str()}, .wp_ids = ids});
  if (!links) return links.error();
  std::vector<link_id> linked;
  for (const auto& v : *links) linked.push_back(v.link.id);
  auto drift = storage::open_drift_of_links(db, t, linked);
  if (!drift) return drift.error();
  const known_links known{std::move(*same_ids), std::move(*links), std::move(*drift)};
  std::vector<work_package_summary> out;
  for (const auto& wp : wps) out.push_back(known.summary_of(wp));
  return out;
}

}  // namespace connectord::tracker
