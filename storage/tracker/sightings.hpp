#pragma once

#include "domain/ids.hpp"
#include "domain/tracker/sighting.hpp"
#include "storage/session.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace connectord::storage {

/// Replaces what the view said before, unless that is newer.
result<> put_sighting(session& s, tenant_id tenant, tracker::binding_id binding, tracker::issue_id issue,
                      const tracker::sighting& seen);
/// In the order of the views.
result<std::vector<tracker::sighting>> sightings_of(session& s, tenant_id tenant, tracker::binding_id binding,
                                                    tracker::issue_id issue);
/// What snapshots said of the issues that other views have shown; nothing for one that only those know.
using snapshot_sightings = std::vector<std::pair<tracker::issue_id, std::optional<tracker::sighting>>>;
result<snapshot_sightings> sighted_issues(session& s, tenant_id tenant, tracker::binding_id binding);
/// Issues whose views show different statuses.
result<std::int64_t> count_disagreeing(session& s, tenant_id tenant, tracker::binding_id binding);

}  // namespace connectord::storage
