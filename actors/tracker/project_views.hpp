#pragma once

#include "actors/protocol/projects.hpp"
#include "base/result.hpp"
#include "domain/ids.hpp"

namespace connectord::storage {
class session;
}

/// Projects and work packages as they are shown, and as they are named.
namespace connectord::tracker {

/// PROJECT_NOT_FOUND.
result<project> existing_project(storage::session& db, const tenant_id& t, const uuid& id_or_uuid);
/// The one of that mission, or the only one; WORK_PACKAGE_NOT_FOUND, AMBIGUOUS_WORK_PACKAGE.
result<work_package> only_work_package(storage::session& db, const tenant_id& t, const project_id& p,
                                       const std::string& wp_id, const std::optional<std::string>& mission);

struct viewpoint {
  storage::session& db;
  const tenant_id& tenant;
  const policy& rules;
  timestamp now;
  bool with_tracker;
};
result<project_view> view_of(const viewpoint& v, project row);
result<work_package_view> view_of(const viewpoint& v, work_package row);

}  // namespace connectord::tracker
