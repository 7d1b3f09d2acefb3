#include "actors/tracker/project_views.hpp"

#include "actors/tracker/projects.hpp"
#include "actors/tracker/summaries.hpp"
#include "base/json.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/flags.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/work_packages.hpp"

#include <array>

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
  const auto count = storage::count_work_packages(v.db, v.tenant, row.id);
  if (!count) return count.error();
  project_view view{std::move(row), *count, std::nullopt};
  if (!v.with_tracker) return view;
  auto summary = summary_of(v.db, v.tenant, view.row.id, v.rules, v.now);
  if (!summary) return summary.error();
  view.tracker = std::move(*summary);
  return view;
}

result<work_package_view> view_of(const viewpoint& v, work_package row) {
  work_package_view view{std::move(row), std::nullopt};
  if (!v.with_tracker) return view;
  auto summary = summary_of(v.db, v.tenant, view.row);
  if (!summary) return summary.error();
  view.tracker = std::move(*summary);
  return view;
}

}  // namespace tracker

namespace {

template <class T>
result<job_value> valued(result<T> found) {
  if (!found) return found.error();
  return job_value::of(std::move(*found));
}

/// One row more than a page holds was asked for.
template <class Row, class View>
result<job_value> page_of(result<std::vector<Row>> rows, int limit, View view) {
  if (!rows) return rows.error();
  rows_page<decltype(view(std::move(rows->front())).value())> page;
  page.more = rows->size() > static_cast<std::size_t>(limit);
  if (page.more) rows->pop_back();
  for (auto& row : *rows) {
    auto one = view(std::move(row));
    if (!one) return one.error();
    page.rows.push_back(std::move(*one));
  }
  return job_value::of(std::move(page));
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
    return page_of(storage::list_projects(db, t, q.at, q.at.limit + 1), q.at.limit,
                   [&](tracker::project p) { return tracker::view_of(seen(q.with_tracker), std::move(p)); });
  }
  result<job_value> operator()(const name_projects& q) const {
    return valued(storage::list_projects(db, t, {}, q.limit));
  }
  result<job_value> operator()(const survey_project& q) const {
    tracker::project_survey out;
    auto counts = storage::count_by_mapping(db, t, q.project);
    if (!counts) return counts.error();
    out.work_packages = std::move(*counts);
    auto open = storage::drift_by_day(db, t, q.project, asked.now, q.days);
    if (!open) return open.error();
    out.drift_open = std::move(*open);
    return job_value::of(std::move(out));
  }
  result<job_value> operator()(const get_project& q) const {
    auto row = tracker::existing_project(db, t, q.project);
    if (!row) return row.error();
    return valued(tracker::view_of(seen(q.with_tracker), std::move(*row)));
  }
  result<job_value> operator()(const list_work_packages& q) const {
    const auto project = tracker::existing_project(db, t, q.project);
    if (!project) return project.error();
    return page_of(
        storage::list_work_packages(db, t, project->id, q.filter, q.at, q.at.limit + 1), q.at.limit,
        [&](tracker::work_package wp) { return tracker::view_of(seen(q.with_tracker), std::move(wp)); });
  }
  result<job_value> operator()(const get_work_package& q) const {
    const auto project = tracker::existing_project(db, t, q.project);
    if (!project) return project.error();
    auto row = tracker::only_work_package(db, t, project->id, q.wp_id, q.mission);
    if (!row) return row.error();
    return valued(tracker::view_of(seen(q.with_tracker), std::move(*row)));
  }
  result<job_value> operator()(const list_activity& q) const {
    return page_of(storage::list_activity(db, t, q.filter, q.at, q.at.limit + 1), q.at.limit,
                   [](tracker::activity a) { return result<tracker::activity>{std::move(a)}; });
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
