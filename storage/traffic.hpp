#pragma once

#include "base/time.hpp"
#include "domain/traffic.hpp"
#include "storage/session.hpp"

namespace connectord::storage {

/// The 24 hours that end before `until`.
result<day_of_traffic> traffic_of(session& s, tenant_id tenant, connection_id connection, timestamp until);

}  // namespace connectord::storage
