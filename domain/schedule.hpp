#pragma once

#include "base/time.hpp"

#include <cstdint>
#include <optional>

namespace connectord {

/// When the next run of a connection is due, and when the one behind it.
struct planned_run {
  timestamp due, next;
};

/// A connection's own interval; nothing when it is out of bounds, and the default serves.
inline std::optional<seconds> own_interval(std::int64_t wanted, seconds longest) {
  if (wanted < 60 || wanted > longest.count()) return std::nullopt;
  return seconds{wanted};
}

/// Exactly one run for all that were missed: the last one that should have been, so that the rhythm of
/// `next_run_at` is kept. Nothing while `next_run_at` is ahead. `interval` is positive.
inline std::optional<planned_run> plan_run(timestamp next_run_at, seconds interval, timestamp now) {
  if (next_run_at > now) return std::nullopt;
  const auto due = next_run_at + interval * ((now - next_run_at) / milliseconds{interval});
  return planned_run{due, due + interval};
}

/// The part of an interval that chance adds: from `least` to `most` of it, in whole seconds. `random`
/// is from 0 to 1.
inline seconds schedule_jitter(seconds interval, double least, double most, double random) {
  return seconds{
      static_cast<std::int64_t>((least + (most - least) * random) * static_cast<double>(interval.count()))};
}

}  // namespace connectord
