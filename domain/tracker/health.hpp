#pragma once

#include "domain/tracker/model.hpp"

#include <optional>
#include <span>
#include <vector>

/// How a binding is, and when time alone may change that (contract tracker-api, 6.1).
namespace connectord::tracker {

struct health_facts {
  binding_state state = binding_state::discovered;
  std::optional<timestamp> last_snapshot_at;  ///< of the last applied one
  int failures = 0;                           ///< newest sync runs in a row that are rejected or failed
  int open_warnings = 0;                      ///< open drift of severity warning, stale_snapshot not counted
};

struct health_report {
  tracker::health health = tracker::health::healthy;
  /// Everything that speaks against it, not only what decided; stale_age is left out when disconnected_age
  /// holds.
  std::vector<health_reason> reasons;
};

health_report assess(const health_facts& facts, const policy& limits, timestamp now);

/// A project's: the worst of its live bindings; not_bound for none.
health worst(std::span<const health> bindings);

/// Whole seconds, never negative.
std::optional<std::int64_t> age_seconds(std::optional<timestamp> last, timestamp now);

/// The snapshot's age is beyond the limit (stale_snapshot, health stale).
bool is_stale(std::optional<timestamp> last, const policy& limits, timestamp now);

/// The first instant after `now` at which, with nothing else happening, health or stale_snapshot may change.
std::optional<timestamp> next_check(binding_state state, std::optional<timestamp> last_snapshot_at,
                                    const policy& limits, timestamp now);

}  // namespace connectord::tracker
