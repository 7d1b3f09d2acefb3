#include "actors/tracker/summaries.hpp"

namespace connectord::tracker {

/// Nothing binds a project to a tracker yet.
result<project_summary> summary_of(storage::session&, const tenant_id&, const project_id&, const policy&,
                                   timestamp) {
  return project_summary{};
}

result<work_package_summary> summary_of(storage::session&, const tenant_id&, const work_package&) {
  return work_package_summary{};
}

}  // namespace connectord::tracker
