#include "domain/tracker/health.hpp"

#include <algorithm>

namespace connectord::tracker {
namespace {

bool older_than(std::optional<timestamp> last, std::chrono::seconds limit, timestamp now) {
  return last && now - *last > limit;
}

health verdict(health_reason r) {
  switch (r) {
    case health_reason::disabled:
    case health_reason::never_synced:
    case health_reason::disconnected_age: return health::disconnected;
    case health_reason::consecutive_failures: return health::degraded;
    case health_reason::stale_age: return health::stale;
    case health_reason::open_drift: return health::drifting;
  }
  return health::healthy;
}

}  // namespace

health_report assess(const health_facts& facts, const policy& limits, timestamp now) {
  health_report out;
  const auto speaks = [&](health_reason r, bool holds) {
    if (holds) out.reasons.push_back(r);
  };
  const bool lost = older_than(facts.last_snapshot_at, limits.disconnected_after, now);
  speaks(health_reason::disabled, facts.state == binding_state::disabled);
  speaks(health_reason::never_synced, !facts.last_snapshot_at);
  speaks(health_reason::disconnected_age, lost);
  speaks(health_reason::consecutive_failures, facts.failures >= limits.degraded_after);
  speaks(health_reason::stale_age, !lost && is_stale(facts.last_snapshot_at, limits, now));
  speaks(health_reason::open_drift, facts.open_warnings > 0);
  // Reasons stand in the order of the verdicts.
  if (!out.reasons.empty()) out.health = verdict(out.reasons.front());
  return out;
}

health worst(std::span<const health> bindings) {
  return bindings.empty() ? health::not_bound : *std::ranges::min_element(bindings);
}

std::optional<std::int64_t> age_seconds(std::optional<timestamp> last, timestamp now) {
  if (!last) return std::nullopt;
  return std::max<std::int64_t>(std::chrono::floor<std::chrono::seconds>(now - *last).count(), 0);
}

bool is_stale(std::optional<timestamp> last, const policy& limits, timestamp now) {
  return older_than(last, limits.stale_after, now);
}

std::optional<timestamp> next_check(binding_state state, std::optional<timestamp> last_snapshot_at,
                                    const policy& limits, timestamp now) {
  if ((state != binding_state::discovered && state != binding_state::active) || !last_snapshot_at)
    return std::nullopt;
  for (const auto limit : {limits.stale_after, limits.disconnected_after}) {
    const auto passed = *last_snapshot_at + limit + milliseconds{1};
    if (passed > now) return passed;
  }
  return std::nullopt;
}

}  // namespace connectord::tracker
