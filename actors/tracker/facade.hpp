#pragma once

#include "actors/plan.hpp"
#include "actors/tracker/evaluate.hpp"

/// The facade: what published control-plane clients ask (contract tracker-api, 7).
namespace connectord {

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_facade& c);
result<job_value> read_tracker(storage::session& db, const tenant_id& t, const facade_query& q);

namespace tracker {

/// UNKNOWN_BINDING_REF, MAPPING_DISABLED, PROJECT_MISMATCH or PROJECT_NOT_FOUND.
result<routed> find_way(storage::session& db, const tenant_id& t, const facade_route& r);
/// All live bindings of a provider, oldest first.
result<std::vector<binding_view>> bindings_of(storage::session& db, const tenant_id& t, provider p);
result<std::vector<attachable>> attachables_of(storage::session& db, const tenant_id& t, provider p);

}  // namespace tracker

}  // namespace connectord
