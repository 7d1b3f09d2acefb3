#pragma once

#include "base/time.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace connectord {

/// How often a child may crash, and how long to wait before its next incarnation.
struct restart_policy {
  std::size_t most = 5;
  seconds window{60};
  milliseconds first{200};
  milliseconds longest{30'000};
};

/// Counts the crashes of one child. Pure: the time and the jitter (-1 to 1) are passed in.
class restart_history {
 public:
  /// The pause before the next incarnation; nothing when the budget of the window is spent.
  std::optional<milliseconds> crashed(const restart_policy& p, steady_time now, double jitter) {
    while (!crashes_.empty() && now - crashes_.front() > p.window) crashes_.erase(crashes_.begin());
    crashes_.push_back(now);
    if (crashes_.size() > p.most) return std::nullopt;
    const auto doubled = p.first * (1LL << std::min<std::size_t>(crashes_.size() - 1, 20));
    const auto pause = std::min<milliseconds>(doubled, p.longest);
    return milliseconds{static_cast<std::int64_t>(static_cast<double>(pause.count()) * (1.0 + 0.2 * jitter))};
  }
  void forget() { crashes_.clear(); }

 private:
  std::vector<steady_time> crashes_;  ///< few, and mostly none: every known tenant has a history
};

/// The wait before an unavailable tenant is probed again: 5, 10, 20 … minutes, an hour at most.
inline seconds probe_pause(int failed_probes) {
  return std::min(seconds{300} * (1 << std::min(failed_probes, 8)), seconds{3600});
}

/// Remembers which messages an incarnation died on; the second death locks the message out.
/// Bounded: beyond `most`, the longest remembered one is forgotten.
class quarantine {
 public:
  static constexpr std::size_t most = 256;

  /// True when this death is the one that locks the message out.
  bool died_on(std::uint64_t fingerprint) {
    if (fingerprint == 0) return false;
    if (deaths_.size() >= most && !deaths_.contains(fingerprint)) {
      deaths_.erase(order_.front());
      order_.erase(order_.begin());
    }
    auto& count = deaths_[fingerprint];
    if (count == 0) order_.push_back(fingerprint);
    return ++count == 2;
  }
  bool holds(std::uint64_t fingerprint) const {
    const auto found = deaths_.find(fingerprint);
    return found != deaths_.end() && found->second >= 2;
  }
  void release() {
    deaths_.clear();
    order_.clear();
  }

 private:
  std::map<std::uint64_t, int> deaths_;
  std::vector<std::uint64_t> order_;
};

}  // namespace connectord
