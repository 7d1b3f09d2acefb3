#include "domain/tracker/summary.hpp"

#include <limits>

namespace connectord::tracker {

std::int64_t project_tally::count(mapping m) const {
  switch (m) {
    case mapping::mapped: return mapped;
    case mapping::not_mapped: return not_mapped();
    case mapping::ambiguous: return ambiguous;
  }
  return 0;
}

std::optional<std::int64_t> project_tally::mapped_percent() const {
  return work_packages > 0 ? std::optional{mapped * 100 / work_packages} : std::nullopt;
}

std::int64_t place_in(project_order order, const project_tally& tally, const project_summary& tracker) {
  constexpr auto last = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t never = -1;
  if (order == project_order::name) return 0;
  if (!tracker.bound()) return last;
  switch (order) {
    case project_order::name: break;
    case project_order::health: return static_cast<std::int64_t>(tracker.health);
    case project_order::mapped: return tally.mapped_percent().value_or(last - 1);
    case project_order::drift: return -tracker.drift_open;
    case project_order::snapshot:
      return tracker.last_snapshot_at ? tracker.last_snapshot_at->time_since_epoch().count() : never;
  }
  return 0;
}

}  // namespace connectord::tracker
