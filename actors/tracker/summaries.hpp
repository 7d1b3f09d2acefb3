#pragma once

#include "base/result.hpp"
#include "domain/ids.hpp"
#include "domain/tracker/summary.hpp"

namespace connectord::storage {
class session;
}

namespace connectord::tracker {

/// What the pages of a project and of its work packages show of the tracker, as of `now`.
result<project_summary> summary_of(storage::session& db, const tenant_id& t, const project_id& p,
                                   const policy& rules, timestamp now);
result<work_package_summary> summary_of(storage::session& db, const tenant_id& t, const work_package& wp);

}  // namespace connectord::tracker
