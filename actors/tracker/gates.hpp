#pragma once

#include "actors/plan.hpp"

/// GitHub gates and the deliveries that come to them.
namespace connectord {

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_gates& c);
result<job_value> read_tracker(storage::session& db, const tenant_id& t, const gate_query& q);

}  // namespace connectord
