#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <vector>

namespace connectord::storage {

/// Open ones of a binding, its own (stale_snapshot) too.
result<std::vector<tracker::drift_record>> open_drift(session& s, tenant_id tenant,
                                                      tracker::binding_id binding);
result<std::vector<tracker::drift_record>> open_drift_of_link(session& s, tenant_id tenant,
                                                              tracker::link_id link);
/// Those of the binding itself.
result<std::vector<tracker::drift_record>> open_drift_of_binding(session& s, tenant_id tenant,
                                                                 tracker::binding_id binding);
result<tracker::drift_by_kind> count_open_drift(session& s, tenant_id tenant, tracker::binding_id binding);

/// Of a project: what was open when each of the last UTC days ended, oldest first; the last one is `now`.
result<std::vector<std::int64_t>> drift_by_day(session& s, tenant_id tenant, tracker::project_id project,
                                               timestamp now, int days);
result<> insert_drift(session& s, tenant_id tenant, std::span<const tracker::drift_record> rows);
/// Everything that changes while it is open, and its end.
result<> update_drift(session& s, tenant_id tenant, const tracker::drift_record& d);

/// Newest first.
result<std::vector<tracker::drift_record>> list_drift(session& s, tenant_id tenant,
                                                      const tracker::drift_filter& filter,
                                                      const std::optional<sort_key>& after, int limit);
result<std::optional<tracker::drift_record>> find_drift(session& s, tenant_id tenant, tracker::drift_id id);

}  // namespace connectord::storage
