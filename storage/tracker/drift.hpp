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
/// Of each of these links.
result<std::vector<tracker::drift_record>> open_drift_of_links(session& s, tenant_id tenant,
                                                               std::span<const tracker::link_id> links);
/// Those of the binding itself.
result<std::vector<tracker::drift_record>> open_drift_of_binding(session& s, tenant_id tenant,
                                                                 tracker::binding_id binding);
result<tracker::drift_by_kind> count_open_drift(session& s, tenant_id tenant, tracker::binding_id binding);

/// Adds to what opened and ended in a project on that UTC day.
result<> count_drift_of_day(session& s, tenant_id tenant, tracker::project_id project, timestamp day,
                            std::int64_t opened, std::int64_t resolved);
/// What was open in a project when each of the last UTC days ended, oldest first; the last one is `now`, when
/// `open` are.
result<std::vector<std::int64_t>> drift_by_day(session& s, tenant_id tenant, tracker::project_id project,
                                               std::int64_t open, timestamp now, int days);
result<> insert_drift(session& s, tenant_id tenant, std::span<const tracker::drift_record> rows);
/// Everything that changes while it is open, and its end.
result<> update_drift(session& s, tenant_id tenant, const tracker::drift_record& d);

/// Newest first.
result<std::vector<tracker::drift_record>> list_drift(session& s, tenant_id tenant,
                                                      const tracker::drift_filter& filter,
                                                      const std::optional<sort_key>& after, int limit);
result<std::optional<tracker::drift_record>> find_drift(session& s, tenant_id tenant, tracker::drift_id id);

}  // namespace connectord::storage
