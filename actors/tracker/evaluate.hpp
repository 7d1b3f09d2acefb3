#pragma once

#include "domain/ids.hpp"
#include "domain/tracker/model.hpp"
#include "storage/session.hpp"

#include <span>
#include <string>

namespace connectord::tracker {

/// What a transaction of the tracker works with. `by` is who is named in the feed.
struct change {
  storage::session& db;
  tenant_id tenant;
  timestamp now;
  const policy& rules;
  actor_ref by;
};

/// These work packages of the project were made or changed (a closed mission changes all of its own): drift
/// and health of whatever is linked to them follow, with their rows of the feed. Nothing else is evaluated.
result<> work_packages_changed(change& c, const project_id& p, std::span<const std::string> wp_ids);

}  // namespace connectord::tracker
