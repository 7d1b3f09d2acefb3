#include "actors/tracker/projects.hpp"

#include "actors/tracker/family.hpp"
#include "base/json.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/flags.hpp"

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
  tracker::activity row{.id = tracker::activity_id::make(), .type = "feature_flag_changed"};
  row.occurred_at = row.recorded_at = c.now;
  row.actor = c.by;
  row.summary = flag->key + (f.enabled ? " was switched on" : " was switched off");
  row.payload.clear();
  json_writer{row.payload}.open().member("key", flag->key).member("enabled", f.enabled).close();
  if (const auto told = storage::append_activity(c.db, c.tenant, {&row, 1}); !told) return told.error();
  return flag;
}

std::string object_of(const put_flag&) { return std::string{tracker::tracker_flag}; }

struct reader {
  storage::session& db;
  const tenant_id& t;
  const tracker::policy& rules;

  result<job_value> operator()(const get_flag&) const {
    auto flag = storage::find_flag(db, t, tracker::tracker_flag, rules.flag_default);
    if (!flag) return flag.error();
    return job_value::of(std::move(*flag));
  }
};

}  // namespace

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_projects& c) {
  auto object = std::visit([](const auto& x) { return object_of(x); }, c.what);
  return tracker_plan<project_outcome>(s, state.row().id, c, std::move(object),
                                       [](change& at, const auto& command) { return run(at, command); });
}

result<job_value> read_tracker(storage::session& db, const tenant_id& t, const project_query& q) {
  return std::visit(reader{db, t, q.rules}, q.what);
}

}  // namespace connectord
