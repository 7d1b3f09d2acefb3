#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace connectord::storage {

/// All functions that read links fill in `absent_count`; `drift_open` only those that show them.

/// By wp_id.
result<std::vector<tracker::link>> links_of_binding(session& s, tenant_id tenant,
                                                    tracker::binding_id binding);
result<std::vector<tracker::link>> links_of_work_packages(session& s, tenant_id tenant,
                                                          tracker::binding_id binding,
                                                          std::span<const std::string> wp_ids);
/// All that mean the issue, of one binding.
result<std::vector<tracker::link>> links_to(session& s, tenant_id tenant, tracker::binding_id binding,
                                            const tracker::identity& target);
result<std::optional<tracker::link>> find_link(session& s, tenant_id tenant, tracker::link_id id);

/// CONFLICT when the binding has a link of that work package.
result<> insert_links(session& s, tenant_id tenant, std::span<const tracker::link> rows);
/// Everything that changes; CONFLICT as above.
result<> update_link(session& s, tenant_id tenant, const tracker::link& l);
result<> delete_link(session& s, tenant_id tenant, tracker::link_id id);

/// By work package, missions last. Without a limit, all of them: PostgreSQL plans for a tenth of the rows
/// when the limit is a parameter, and then walks them in order.
result<std::vector<tracker::link_view>> list_links(session& s, tenant_id tenant,
                                                   const tracker::link_filter& filter,
                                                   const std::optional<sort_key>& after = {},
                                                   std::optional<int> limit = {});
/// NOT_FOUND when there is none of that id in a live binding.
result<tracker::link_view> view_link(session& s, tenant_id tenant, tracker::link_id id);

}  // namespace connectord::storage
