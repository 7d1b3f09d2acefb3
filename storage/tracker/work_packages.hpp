#pragma once

#include "domain/ids.hpp"
#include "domain/queries.hpp"
#include "domain/tracker/client_event.hpp"
#include "domain/tracker/queries.hpp"
#include "storage/session.hpp"

#include <span>
#include <vector>

namespace connectord::storage {

/// Inserts it, or replaces title, lane, assignee and priority.
result<> put_work_package(session& s, tenant_id tenant, const tracker::work_package& wp);
/// The event that set the lane last; nothing when none did.
result<std::optional<tracker::event_rank>> rank_of_lane(session& s, tenant_id tenant,
                                                        const tracker::project_id& p,
                                                        const tracker::wp_ref& wp);
result<> set_rank_of_lane(session& s, tenant_id tenant, const tracker::project_id& p,
                          const tracker::wp_ref& wp, const tracker::event_rank& rank);

result<std::optional<tracker::work_package>> find_work_package(session& s, tenant_id tenant,
                                                               const tracker::project_id& p,
                                                               const tracker::wp_ref& wp);
/// Of every mission, in the order of missions.
result<std::vector<tracker::work_package>> work_packages_of(session& s, tenant_id tenant,
                                                            const tracker::project_id& p,
                                                            std::span<const std::string> wp_ids);
/// By wp_id and mission, byte by byte, none first; the key is both.
result<std::vector<tracker::work_package>> list_work_packages(session& s, tenant_id tenant,
                                                              const tracker::project_id& p,
                                                              const tracker::work_package_filter& filter,
                                                              const keyset& at, int limit);

/// Stores how these work packages of a project are mapped now that some are new, their links are others or
/// their missions were closed; the project's tally follows. Ids that no work package has are none.
result<> settle_mappings(session& s, tenant_id tenant, const tracker::project_id& p,
                         std::span<const std::string> wp_ids);
/// The same for all of the project's.
result<> settle_all_mappings(session& s, tenant_id tenant, const tracker::project_id& p);

/// False when it was closed already.
result<bool> close_mission(session& s, tenant_id tenant, const tracker::project_id& p,
                           std::string_view mission, timestamp now);
/// Of the work packages of a mission.
result<std::vector<std::string>> wp_ids_of_mission(session& s, tenant_id tenant, const tracker::project_id& p,
                                                   std::string_view mission);

}  // namespace connectord::storage
