#pragma once

#include "base/result.hpp"
#include "domain/ids.hpp"
#include "domain/tracker/summary.hpp"

#include <span>
#include <vector>

namespace connectord::storage {
class session;
}

namespace connectord::tracker {

/// What the pages of a project show of its live bindings, as of `now`; not whether a snapshot waits.
project_summary summary_of(std::span<const stored_binding> bindings, const policy& rules, timestamp now);
result<project_summary> summary_of(storage::session& db, const tenant_id& t, const project_id& p,
                                   const policy& rules, timestamp now);

/// The same for work packages of a project, in their order.
result<std::vector<work_package_summary>> summaries_of(storage::session& db, const tenant_id& t,
                                                       const project_id& p,
                                                       std::span<const work_package> wps);

}  // namespace connectord::tracker
