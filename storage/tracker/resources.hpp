#pragma once

#include "domain/ids.hpp"
#include "domain/queries.hpp"
#include "domain/tracker/model.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// CONFLICT when the tuple is active elsewhere, or the binding has a row of it.
result<> insert_resource(session& s, tenant_id tenant, const tracker::resource& r);
/// State and time; CONFLICT when the tuple is active elsewhere.
result<> update_resource(session& s, tenant_id tenant, const tracker::resource& r);
result<> delete_resources(session& s, tenant_id tenant, tracker::binding_id binding, timestamp now);

result<std::optional<tracker::resource>> find_resource(session& s, tenant_id tenant, tracker::resource_id id);
/// The active one of a tuple.
result<std::optional<tracker::resource>> find_active_resource(session& s, tenant_id tenant,
                                                              tracker::provider provider,
                                                              std::string_view workspace,
                                                              std::string_view type,
                                                              std::string_view external_id);
/// All active ones of a provider's resource type: what its messages are routed by.
result<std::vector<tracker::resource>> active_resources(session& s, tenant_id tenant,
                                                        tracker::provider provider, std::string_view type);
/// Those that are not deleted, oldest first.
result<std::vector<tracker::resource>> resources_of(session& s, tenant_id tenant,
                                                    tracker::binding_id binding);

/// The same, a page of them.
result<std::vector<tracker::resource>> list_resources(session& s, tenant_id tenant,
                                                      tracker::binding_id binding,
                                                      const std::optional<sort_key>& after, int limit);

}  // namespace connectord::storage
