#pragma once

#include "domain/ids.hpp"
#include "domain/queries.hpp"
#include "domain/tracker/summary.hpp"
#include "storage/session.hpp"

#include <span>
#include <vector>

namespace connectord::storage {

/// CONFLICT when the tenant has its slug or uuid already; `details.constraint` names the column.
result<> insert_project(session& s, tenant_id tenant, const tracker::project& p);
/// Name, slug and uuid.
result<> update_project(session& s, tenant_id tenant, const tracker::project& p);

/// By id, or by project_uuid.
result<std::optional<tracker::project>> find_project(session& s, tenant_id tenant, const uuid& id_or_uuid);
result<std::optional<tracker::project>> find_project_by_uuid(session& s, tenant_id tenant, const uuid& u);
result<std::optional<tracker::project>> find_project_by_slug(session& s, tenant_id tenant,
                                                             std::string_view slug);
/// The ids of those that exist, for filters.
result<std::vector<tracker::project_id>> projects_named(session& s, tenant_id tenant,
                                                        std::span<const uuid> ids_or_uuids);

/// By slug, byte by byte; the key is {slug}.
result<std::vector<tracker::project>> list_projects(session& s, tenant_id tenant, const keyset& at,
                                                    int limit);
/// Nothing but zeros for a project that is not there.
result<tracker::project_tally> tally_of(session& s, tenant_id tenant, const tracker::project_id& p);

struct counted_project {
  tracker::project row;
  tracker::project_tally tally;
};
/// By slug, byte by byte.
result<std::vector<counted_project>> all_projects(session& s, tenant_id tenant);

}  // namespace connectord::storage
