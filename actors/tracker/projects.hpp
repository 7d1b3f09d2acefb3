#pragma once

#include "actors/plan.hpp"

/// Flags, projects, work packages and what clients report of them.
namespace connectord {

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_projects& c);
result<job_value> read_tracker(storage::session& db, const tenant_id& t, const project_query& q);

namespace tracker {

struct change;
result<std::vector<event_result>> take_in(change& c, const take_events& batch);

}  // namespace tracker

}  // namespace connectord
