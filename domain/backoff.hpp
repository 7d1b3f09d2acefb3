#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <cstdint>

namespace connectord {

struct backoff_policy {
  seconds base{5}, max{900};
  double jitter = 0.1;  ///< share of the delay that chance may add
};

/// The wait before the next attempt: max(min(base·2ⁿ, max), hint) and up to `jitter` of that on top.
/// `failures` counts the earlier ones, `hint` is what the provider asks for (zero: nothing) and may
/// exceed `max`; `random` is from 0 to 1. Without jitter it is exact.
inline milliseconds backoff_delay(const backoff_policy& p, std::int64_t failures, seconds hint,
                                  double random) {
  const auto doublings =
      std::clamp<std::int64_t>(failures, 0, 20);  // an hour's base is past any maximum then
  const auto delay = std::max(std::min(p.base * (std::int64_t{1} << doublings), p.max), hint);
  const auto extra = p.jitter * random * static_cast<double>(milliseconds{delay}.count());
  return milliseconds{delay} + milliseconds{static_cast<std::int64_t>(extra)};
}

}  // namespace connectord
