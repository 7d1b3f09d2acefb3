#include "actors/tracker/feed.hpp"
#include "actors/tracker/new_project.hpp"
#include "actors/tracker/projects.hpp"
#include "base/json.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/client_events.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/work_packages.hpp"

#include <map>
#include <set>

namespace connectord::tracker {
namespace {

/// One batch in one transaction: what it touches is followed once, at its end.
class intake_of_events {
 public:
  explicit intake_of_events(change& c) : c_(c) {}

  result<std::vector<event_result>> run(const std::vector<client_event>& events);

 private:
  result<> admit(const std::vector<client_event>& events);
  result<event_result> take(const client_event& e);
  result<> apply(const client_event& e, const project& p);
  result<> close(const client_event& e, const project& p);
  result<> follow();
  void tell(const client_event& e, const project& p);

  change& c_;
  std::map<uuid, project> projects_;  ///< by project_uuid
  std::map<project_id, std::set<std::string>> touched_;
  std::vector<activity> told_;
};

/// Every project is known before the first event has an effect.
result<> intake_of_events::admit(const std::vector<client_event>& events) {
  json::array strangers;
  for (const auto& e : events) {
    if (e.fault || projects_.contains(e.project)) continue;
    auto known = storage::find_project_by_uuid(c_.db, c_.tenant, e.project);
    if (!known) return known.error();
    if (!*known && !c_.rules.autocreate_projects) {
      strangers.push_back(json::object{{"event_id", e.id}, {"error", "the project is not known here"}});
      continue;
    }
    auto p = *known ? result<project>{std::move(**known)}
                    : make_project(c_, e.project, e.project_slug.value_or("project"));
    if (!p) return p.error();
    projects_.emplace(e.project, std::move(*p));
  }
  if (strangers.empty()) return {};
  return error{errc::project_not_admitted}.with("events", std::move(strangers));
}

result<> intake_of_events::apply(const client_event& e, const project& p) {
  if (e.effect == event_effect::none) return {};
  if (e.effect == event_effect::close_mission) return close(e, p);
  auto known = storage::find_work_package(c_.db, c_.tenant, p.id, *e.wp);
  if (!known) return known.error();
  auto wp = known->value_or(work_package{.project = p.id, .ref = *e.wp, .created_at = c_.now});
  wp.updated_at = c_.now;
  if (e.effect == event_effect::move) {
    const auto last = storage::rank_of_lane(c_.db, c_.tenant, p.id, *e.wp);
    if (!last) return last.error();
    if (*last && e.rank <= **last) return {};
    wp.lane = e.lane;
  }
  if (e.title) wp.title = e.title;
  if (e.assignee) wp.assignee = e.assignee;
  if (const auto stored = storage::put_work_package(c_.db, c_.tenant, wp); !stored) return stored;
  touched_[p.id].insert(e.wp->wp_id);
  if (e.effect != event_effect::move) return {};
  return storage::set_rank_of_lane(c_.db, c_.tenant, p.id, *e.wp, e.rank);
}

result<> intake_of_events::close(const client_event& e, const project& p) {
  const auto closed = storage::close_mission(c_.db, c_.tenant, p.id, e.mission, c_.now);
  if (!closed) return closed.error();
  if (!*closed) return {};
  const auto ids = storage::wp_ids_of_mission(c_.db, c_.tenant, p.id, e.mission);
  if (!ids) return ids.error();
  touched_[p.id].insert(ids->begin(), ids->end());
  return {};
}

std::string summary_of(const client_event& e) {
  const auto what = e.wp ? e.wp->wp_id : e.mission;
  switch (e.effect) {
    case event_effect::create: return what + " was created" + (e.title ? ": " + *e.title : "");
    case event_effect::move: return what + " moved to " + std::string{name_of(e.lane)};
    case event_effect::assign: return what + " was assigned to " + *e.assignee;
    case event_effect::close_mission: return what + " was closed";
    case event_effect::none: break;
  }
  return what.empty() ? e.type : e.type + ": " + what;
}

void intake_of_events::tell(const client_event& e, const project& p) {
  auto row = told_by(c_, e.type, summary_of(e));
  row.occurred_at = e.occurred_at;
  row.project = p.id;
  row.project_slug = p.slug;
  row.wp = e.wp;
  row.url = page_of(p.id, e.wp);
  row.payload = e.payload;
  told_.push_back(std::move(row));
}

result<event_result> intake_of_events::take(const client_event& e) {
  if (e.fault) return event_result{e.id, "rejected", e.fault};
  const auto& p = projects_.at(e.project);
  const auto fresh = storage::insert_client_event(c_.db, c_.tenant, {e.key, p.id, c_.now, e.envelope});
  if (!fresh) return fresh.error();
  if (!*fresh) return event_result{e.id, "duplicate", std::nullopt};
  if (const auto applied = apply(e, p); !applied) return applied.error();
  tell(e, p);
  return event_result{e.id, "success", std::nullopt};
}

/// The rows of the events come before those of the drift that they cause.
result<> intake_of_events::follow() {
  if (const auto told = storage::append_activity(c_.db, c_.tenant, told_); !told) return told;
  for (const auto& [p, ids] : touched_) {
    const std::vector<std::string> all{ids.begin(), ids.end()};
    if (const auto followed = work_packages_changed(c_, p, all); !followed) return followed;
  }
  return {};
}

result<std::vector<event_result>> intake_of_events::run(const std::vector<client_event>& events) {
  if (const auto known = admit(events); !known) return known.error();
  std::vector<event_result> out;
  for (const auto& e : events) {
    auto taken = take(e);
    if (!taken) return taken.error();
    out.push_back(std::move(*taken));
  }
  if (const auto done = follow(); !done) return done.error();
  return out;
}

}  // namespace

result<std::vector<event_result>> take_in(change& c, const take_events& batch) {
  return intake_of_events{c}.run(batch.events);
}

}  // namespace connectord::tracker
