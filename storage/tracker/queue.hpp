#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// CONFLICT when one of the scope is pending.
result<> insert_queue_item(session& s, tenant_id tenant, const tracker::queue_item& q);
/// State, reason and the time of its end.
result<> update_queue_item(session& s, tenant_id tenant, const tracker::queue_item& q);

result<std::optional<tracker::queue_item>> find_queue_item(session& s, tenant_id tenant,
                                                           tracker::queue_id id);
result<std::optional<tracker::queue_item>> find_pending(session& s, tenant_id tenant, std::string_view scope);
/// Of a workspace, oldest first.
result<std::vector<tracker::queue_item>> pending_of_workspace(session& s, tenant_id tenant,
                                                              tracker::provider provider,
                                                              std::string_view workspace);
/// Whether one waits that names the project.
result<bool> waits_for_project(session& s, tenant_id tenant, tracker::project_id project);
result<std::int64_t> count_pending(session& s, tenant_id tenant);

/// Newest first.
result<std::vector<tracker::queue_item>> list_queue(session& s, tenant_id tenant,
                                                    const tracker::queue_filter& filter,
                                                    const std::optional<sort_key>& after, int limit);

}  // namespace connectord::storage
