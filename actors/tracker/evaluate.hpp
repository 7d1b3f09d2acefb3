#pragma once

#include "base/result.hpp"
#include "domain/ids.hpp"
#include "domain/tracker/model.hpp"

#include <span>

namespace connectord::storage {
class session;
}

namespace connectord::tracker {

/// What every piece of a tracker transaction needs: where it writes, for whom, when, and by which rules.
struct change {
  storage::session& db;
  tenant_id tenant;
  timestamp now;
  const policy& rules;
  actor_ref by;
};

/// Drift follows in the same transaction.
result<> work_packages_changed(change& c, const project_id& p, std::span<const std::string> wp_ids);

}  // namespace connectord::tracker
