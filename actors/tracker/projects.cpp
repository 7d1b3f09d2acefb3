#include "actors/tracker/projects.hpp"

#include "actors/tracker/family.hpp"
#include "actors/tracker/feed.hpp"
#include "actors/tracker/project_views.hpp"
#include "base/json.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/flags.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/work_packages.hpp"

#include <array>

namespace connectord {
namespace {

using tracker::change;

result<tracker::feature_flag> run(change& c, const put_flag& f) {
  auto flag = storage::find_flag(c.db, c.tenant, tracker::tracker_flag, c.rules.flag_default);
  if (!flag) return flag.error();
  const bool moved = flag->enabled != f.enabled;
  if (!moved && flag->updated_at) return flag;
  flag->enabled = f.enabled;
  flag->updated_at = c.now;
  if (const auto stored = storage::put_flag(c.db, c.tenant, *flag); !stored) return stored.error();
  if (!moved) return flag;
  auto row = tracker::told_by(c, "feature_flag_changed",
                              flag->key + (f.enabled ? " was switched on" : " was switched off"));
  row.payload.clear();
  json_writer{row.payload}.open().member("key", flag->key).member("enabled", f.enabled).close();
  if (const auto told = storage::append_activity(c.db, c.tenant, {&row, 1}); !told) return told.error();
  return flag;
}

/// CONFLICT of the store as the wire calls it.
result<> taken(const result<>& stored) {
  if (stored || stored.error().code() != errc::conflict) return stored;
  return error{errc::project_exists};
}

result<project_view> run(change& c, const create_project& m) {
  if (const auto stored = taken(storage::insert_project(c.db, c.tenant, m.row)); !stored)
    return stored.error();
  return tracker::view_of({c.db, c.tenant, c.rules, c.now, m.with_tracker}, m.row);
}

result<project_view> run(change& c, const patch_project& m) {
  auto row = tracker::existing_project(c.db, c.tenant, m.project);
  if (!row) return row.error();
  if (m.name) row->name = *m.name;
  if (m.slug) row->slug = *m.slug;
  if (m.project_uuid && row->project_uuid && *row->project_uuid != *m.project_uuid)
    return error{errc::invalid_transition, "The project has a project_uuid already."};
  if (m.project_uuid) row->project_uuid = m.project_uuid;
  row->updated_at = c.now;
  if (const auto stored = taken(storage::update_project(c.db, c.tenant, *row)); !stored)
    return stored.error();
  return tracker::view_of({c.db, c.tenant, c.rules, c.now, m.with_tracker}, std::move(*row));
}

/// The row that is meant, or a new one.
result<work_package_view> wanted(change& c, const tracker::project_id& p, const put_work_package& m) {
  auto found = tracker::only_work_package(c.db, c.tenant, p, m.wp_id, m.mission);
  if (found) return work_package_view{std::move(*found), std::nullopt};
  if (found.error().code() != errc::work_package_not_found) return found.error();
  tracker::work_package fresh;
  fresh.project = p;
  fresh.ref = {m.wp_id, m.mission.value_or("")};
  fresh.created_at = c.now;
  return work_package_view{std::move(fresh), std::nullopt, true};
}

result<work_package_view> run(change& c, const put_work_package& m) {
  const auto project = tracker::existing_project(c.db, c.tenant, m.project);
  if (!project) return project.error();
  auto view = wanted(c, project->id, m);
  if (!view) return view.error();
  auto& wp = view->row;
  if (m.lane) wp.lane = *m.lane;
  if (m.title) wp.title = *m.title;
  if (m.assignee) wp.assignee = *m.assignee;
  if (m.priority) wp.priority = *m.priority;
  wp.updated_at = c.now;
  if (const auto stored = storage::put_work_package(c.db, c.tenant, wp); !stored) return stored.error();
  if (const auto followed = tracker::work_packages_changed(c, project->id, std::array{wp.ref.wp_id});
      !followed)
    return followed.error();
  auto now = tracker::view_of({c.db, c.tenant, c.rules, c.now, m.with_tracker}, wp);
  if (now) now->created = view->created;
  return now;
}

std::string object_of(const put_flag&) { return std::string{tracker::tracker_flag}; }
std::string object_of(const create_project& m) { return m.row.id.str(); }
std::string object_of(const patch_project& m) { return m.project.str(); }
std::string object_of(const put_work_package& m) { return m.project.str() + "/" + m.wp_id; }
std::string object_of(const take_events&) { return {}; }

}  // namespace

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_projects& c) {
  auto object = std::visit([](const auto& x) { return object_of(x); }, c.what);
  auto p = tracker_plan<project_outcome>(
      s, state.row().id, c, std::move(object), [](change& at, const auto& command) {
        if constexpr (std::is_same_v<std::decay_t<decltype(command)>, take_events>)
          return tracker::take_in(at, command);
        else
          return run(at, command);
      });
  // The rows that events have in the feed tell of all that they change.
  p.shows = !std::holds_alternative<take_events>(c.what);
  return p;
}

}  // namespace connectord
