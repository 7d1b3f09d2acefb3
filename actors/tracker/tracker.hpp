#pragma once

#include "actors/plan.hpp"

namespace connectord {

/// A change of bindings, links, the queue, or a snapshot: decided on the rows, inside its transaction.
decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_tracker& c);
/// What answers a tracker_query: the value that the query names.
result<job_value> read_tracker(storage::session& db, const tenant_id& t, const tracker_query& q);

}  // namespace connectord
