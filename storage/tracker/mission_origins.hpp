#pragma once

#include "domain/ids.hpp"
#include "domain/tracker/origin.hpp"
#include "storage/session.hpp"

namespace connectord::storage {

struct claimed_origin {
  tracker::mission_origin row;  ///< the one that stands
  bool created = false;
};
/// Stores it, unless the project's mission has an origin: the first one stays.
result<claimed_origin> claim_mission_origin(session& s, tenant_id tenant, const tracker::mission_origin& o);

}  // namespace connectord::storage
