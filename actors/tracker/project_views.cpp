#include "actors/tracker/project_views.hpp"

#include "actors/tracker/projects.hpp"
#include "actors/tracker/summaries.hpp"
#include "base/json.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/flags.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/work_packages.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace connectord {
namespace tracker {

result<project> existing_project(storage::session& db, const tenant_id& t, const uuid& id_or_uuid) {
  auto row = storage::find_project(db, t, id_or_uuid);
  if (!row) return row.error();
  if (!*row) return error{errc::project_not_found};
  return std::move(**row);
}

result<work_package> only_work_package(storage::session& db, const tenant_id& t, const project_id& p,
                                       const std::string& wp_id, const std::optional<std::string>& mission) {
  auto found = storage::work_packages_of(db, t, p, std::array{wp_id});
  if (!found) return found.error();
  if (mission) std::erase_if(*found, [&](const auto& wp) { return wp.ref.mission != *mission; });
  if (found->empty()) return error{errc::work_package_not_found};
  if (found->size() == 1) return std::move(found->front());
  json::array missions;
  for (const auto& wp : *found)
    missions.push_back(wp.ref.mission.empty() ? json::value(nullptr) : json::value(wp.ref.mission));
  return error{errc::ambiguous_work_package}.with("candidates", std::move(missions));
}

result<project_view> view_of(const viewpoint& v, project row) {
  const auto tally = storage::tally_of(v.db, v.tenant, row.id);
  if (!tally) return tally.error();
  project_view view{std::move(row), *tally, std::nullopt};
  if (!v.with_tracker) return view;
  auto summary = summary_of(v.db, v.tenant, view.row.id, v.rules, v.now);
  if (!summary) return summary.error();
  view.tracker = std::move(*summary);
  return view;
}

namespace {

struct placed_project {
  std::int64_t place = 0;
  project_view view;

  auto key() const { return std::pair{place, std::string_view{view.row.slug}}; }
};

/// All of the tenant's projects. What they are ordered by is theirs and their bindings' to tell, so that none
/// of their work packages is looked at.
result<std::vector<placed_project>> in_order(const viewpoint& v, project_order order) {
  auto rows = storage::all_projects(v.db, v.tenant);
  if (!rows) return rows.error();
  auto live = storage::live_bindings(v.db, v.tenant);
  if (!live) return live.error();
  std::map<project_id, std::vector<stored_binding>> bindings;
  for (auto& b : *live) bindings[b.project].push_back(std::move(b));
  std::vector<placed_project> all;
  for (auto& p : *rows) {
    auto summary = summary_of(bindings[p.row.id], v.rules, v.now);
    const auto place = place_in(order, p.tally, summary);
    all.push_back({place, {std::move(p.row), p.tally, std::move(summary)}});
  }
  std::ranges::stable_sort(all, {}, &placed_project::place);  // they came by slug
  return all;
}

result<list_projects::answer> page_in_order(const viewpoint& v, const list_projects& q) {
  auto all = in_order(v, q.order);
  if (!all) return all.error();
  auto from = all->begin();
  if (q.at.after) {
    const auto& after = *q.at.after;
    const std::pair last{std::get<std::int64_t>(after.at(0)),
                         std::string_view{std::get<std::string>(after.at(1))}};
    from = std::ranges::upper_bound(*all, last, {}, &placed_project::key);
  }
  list_projects::answer page;
  for (; from != all->end() && std::ssize(page.rows) < q.at.limit; ++from) {
    const auto waits = storage::waits_for_project(v.db, v.tenant, from->view.row.id);
    if (!waits) return waits.error();
    from->view.tracker->queued = *waits;
    page.rows.push_back(std::move(from->view));
  }
  page.more = from != all->end();
  return page;
}

}  // namespace

result<work_package_view> view_of(const viewpoint& v, work_package row) {
  work_package_view view{std::move(row), std::nullopt};
  if (!v.with_tracker) return view;
  auto summaries = summaries_of(v.db, v.tenant, view.row.project, {&view.row, 1});
  if (!summaries) return summaries.error();
  view.tracker = std::move(summaries->front());
  return view;
}

}  // namespace tracker

namespace {

template <class T>
result<job_value> valued(result<T> found) {
  if (!found) return found.error();
  return job_value::of(std::move(*found));
}

/// One row more than a page holds was asked for; true when it was there.
template <class Row>
bool cut(std::vector<Row>& rows, int limit) {
  const bool more = rows.size() > static_cast<std::size_t>(limit);
  if (more) rows.pop_back();
  return more;
}

struct reader {
  storage::session& db;
  const tenant_id& t;
  const project_query& asked;

  tracker::viewpoint seen(bool with_tracker) const { return {db, t, asked.rules, asked.now, with_tracker}; }

  result<job_value> operator()(const get_flag&) const {
    return valued(storage::find_flag(db, t, tracker::tracker_flag, asked.rules.flag_default));
  }
  result<job_value> operator()(const list_projects& q) const {
    if (q.order != tracker::project_order::name) return valued(tracker::page_in_order(seen(true), q));
    auto rows = storage::list_projects(db, t, q.at, q.at.limit + 1);
    if (!rows) return rows.error();
    list_projects::answer page;
    page.more = cut(*rows, q.at.limit);
    for (auto& row : *rows) {
      auto view = tracker::view_of(seen(q.with_tracker), std::move(row));
      if (!view) return view.error();
      page.rows.push_back(std::move(*view));
    }
    return job_value::of(std::move(page));
  }
  result<job_value> operator()(const name_projects& q) const {
    return valued(storage::list_projects(db, t, {}, q.limit));
  }
  result<job_value> operator()(const trace_drift& q) const {
    const auto bindings = storage::bindings_of_project(db, t, q.project);
    if (!bindings) return bindings.error();
    std::int64_t open = 0;
    for (const auto& b : *bindings) open += total_of(b.tally.drift_open);
    return valued(storage::drift_by_day(db, t, q.project, open, asked.now, q.days));
  }
  result<job_value> operator()(const get_project& q) const {
    auto row = tracker::existing_project(db, t, q.project);
    if (!row) return row.error();
    return valued(tracker::view_of(seen(q.with_tracker), std::move(*row)));
  }
  result<job_value> operator()(const list_work_packages& q) const {
    const auto project = tracker::existing_project(db, t, q.project);
    if (!project) return project.error();
    auto rows = storage::list_work_packages(db, t, project->id, q.filter, q.at, q.at.limit + 1);
    if (!rows) return rows.error();
    list_work_packages::answer page;
    page.more = cut(*rows, q.at.limit);
    std::vector<tracker::work_package_summary> summaries;
    if (q.with_tracker) {
      auto found = tracker::summaries_of(db, t, project->id, *rows);
      if (!found) return found.error();
      summaries = std::move(*found);
    }
    for (std::size_t i = 0; i < rows->size(); ++i) {
      page.rows.push_back({std::move((*rows)[i]), std::nullopt});
      if (q.with_tracker) page.rows.back().tracker = std::move(summaries[i]);
    }
    return job_value::of(std::move(page));
  }
  result<job_value> operator()(const get_work_package& q) const {
    const auto project = tracker::existing_project(db, t, q.project);
    if (!project) return project.error();
    auto row = tracker::only_work_package(db, t, project->id, q.wp_id, q.mission);
    if (!row) return row.error();
    return valued(tracker::view_of(seen(q.with_tracker), std::move(*row)));
  }
  result<job_value> operator()(const list_activity& q) const {
    auto found = storage::list_activity(db, t, q.filter, q.at, list_activity::most_looked_at);
    if (!found) return found.error();
    list_activity::answer page;
    page.rows = std::move(found->rows);
    page.more = found->next.has_value();
    page.next = found->next.value_or(0);
    page.stopped = found->stopped;
    return job_value::of(std::move(page));
  }
  result<job_value> operator()(const follow_activity& q) const {
    follow_activity::answer out;
    const auto head = storage::feed_head(db, t);
    if (!head) return head.error();
    out.seen = *head;
    if (!q.after) return job_value::of(std::move(out));
    const auto on = storage::tracker_on(db, t, asked.rules.flag_default);
    if (!on) return on.error();
    auto filter = q.filter;
    filter.with_tracker = *on;
    auto rows = storage::activity_after(db, t, filter, *q.after, q.limit + 1);
    if (!rows) return rows.error();
    out.page.more = rows->size() > static_cast<std::size_t>(q.limit);
    if (out.page.more) rows->pop_back();
    // The end was read first: what came since may be among the rows, but nothing below it is missing.
    if (!rows->empty()) out.seen = out.page.more ? rows->back().seq : std::max(*head, rows->back().seq);
    out.page.rows = std::move(*rows);
    return job_value::of(std::move(out));
  }
};

}  // namespace

result<job_value> read_tracker(storage::session& db, const tenant_id& t, const project_query& q) {
  return std::visit(reader{db, t, q}, q.what);
}

}  // namespace connectord
