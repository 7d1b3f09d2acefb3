#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace connectord::storage {

/// A link as it is stored. `evidence` is its binding's: with it the two say how often the target was absent.
/// All functions that read links fill in `absent_count`; `drift_open` only those that show them.
struct stored_link : tracker::link {
  std::optional<std::int64_t> absent_since;

  void count_absences(std::int64_t evidence) {
    absent_count = absent_since ? static_cast<int>(evidence - *absent_since) : 0;
  }
};

/// By wp_id.
result<std::vector<stored_link>> links_of_binding(session& s, tenant_id tenant, tracker::binding_id binding);
result<std::vector<stored_link>> links_of_work_packages(session& s, tenant_id tenant,
                                                        tracker::binding_id binding,
                                                        std::span<const std::string> wp_ids);
/// All that mean the issue, of one binding.
result<std::vector<stored_link>> links_to(session& s, tenant_id tenant, tracker::binding_id binding,
                                          const tracker::identity& target);
result<std::optional<stored_link>> find_link(session& s, tenant_id tenant, tracker::link_id id);

/// CONFLICT when the binding has a link of that work package.
result<> insert_links(session& s, tenant_id tenant, std::span<const stored_link* const> rows);
/// Everything that changes; CONFLICT as above.
result<> update_link(session& s, tenant_id tenant, const stored_link& l);
result<> delete_link(session& s, tenant_id tenant, tracker::link_id id);

/// By work package, missions last.
result<std::vector<tracker::link_view>> list_links(session& s, tenant_id tenant,
                                                   const tracker::link_filter& filter,
                                                   const std::optional<tracker::text_position>& after,
                                                   int limit);
/// NOT_FOUND when there is none of that id in a live binding.
result<tracker::link_view> view_link(session& s, tenant_id tenant, tracker::link_id id);

}  // namespace connectord::storage
