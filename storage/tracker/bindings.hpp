#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <vector>

namespace connectord::storage {

/// CONFLICT when the project is bound to the workspace already. Makes the provider's installation if need be.
result<> insert_binding(session& s, tenant_id tenant, const tracker::stored_binding& b);
/// Everything that changes. The tally's issues and links are counted anew, `check_at` is when somebody has to
/// look next.
result<> update_binding(session& s, tenant_id tenant, const tracker::stored_binding& b,
                        std::optional<timestamp> check_at);
/// Also a deleted one.
result<std::optional<tracker::stored_binding>> find_binding(session& s, tenant_id tenant,
                                                            tracker::binding_id id);
/// By its reference; nothing for a deleted one.
result<std::optional<tracker::binding_id>> find_binding_id(session& s, tenant_id tenant,
                                                           std::string_view ref);
/// The newest of project, provider and workspace: live, or else deleted.
result<std::optional<tracker::stored_binding>> find_binding_of(session& s, tenant_id tenant,
                                                               tracker::project_id project,
                                                               tracker::provider provider,
                                                               std::string_view workspace);
/// Live ones of a workspace, at most two: more than one is as good as many.
result<std::vector<tracker::stored_binding>> bindings_of_workspace(session& s, tenant_id tenant,
                                                                   tracker::provider provider,
                                                                   std::string_view workspace);
/// Live ones of a project, oldest first.
result<std::vector<tracker::stored_binding>> bindings_of_project(session& s, tenant_id tenant,
                                                                 tracker::project_id project);

/// Those of all projects, one project after another.
result<std::vector<tracker::stored_binding>> live_bindings(session& s, tenant_id tenant);

/// Oldest first, with what is shown around them.
result<std::vector<tracker::binding_view>> list_bindings(session& s, tenant_id tenant,
                                                         const tracker::binding_filter& filter,
                                                         const std::optional<sort_key>& after, int limit);
/// NOT_FOUND when it is gone.
result<tracker::binding_view> view_binding(session& s, tenant_id tenant, tracker::binding_id id);

// ---- what is due

/// The next tenants behind `after` that have bindings to look at by `now`.
result<std::vector<tenant_id>> tenants_to_check(session& s, timestamp now,
                                                const std::optional<tenant_id>& after, int most);
result<std::vector<tracker::stored_binding>> bindings_to_check(session& s, tenant_id tenant, timestamp now,
                                                               int most);

// ---- installations

/// The provider's in the tenant; made with the first of anything that belongs to it.
result<std::string> ensure_installation(session& s, tenant_id tenant, tracker::provider provider,
                                        timestamp now);
result<std::optional<std::string>> find_installation(session& s, tenant_id tenant,
                                                     tracker::provider provider);

}  // namespace connectord::storage
