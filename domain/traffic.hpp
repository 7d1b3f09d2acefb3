#pragma once

#include "domain/ids.hpp"

#include <array>
#include <cstdint>

/// What went through a connection lately.
namespace connectord {

struct hour_of_traffic {
  std::int64_t deliveries = 0,
               failed_deliveries = 0;      ///< by when they were received; quarantined ones failed too
  std::int64_t runs = 0, failed_runs = 0;  ///< jobs of a sync, by when they ended
};
/// The newest hour is last.
using day_of_traffic = std::array<hour_of_traffic, 24>;

}  // namespace connectord
