#pragma once

#include "base/ip_network.hpp"
#include "base/time.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace connectord::web {

/// The socket's peer, unless that is a trusted proxy: then the right-most address of
/// X-Forwarded-For that is not one.
ip_address client_address(const ip_address& peer, std::string_view forwarded_for,
                          const std::vector<ip_network>& trusted);

/// Bounds webhook requests (contract, 6.3): per caller in a window of 60 s and in any second, and
/// overall in a window of 60 s. Pure: time is an argument. Memory is bounded: the caller that has
/// been quiet for longest is forgotten first.
class rate_limiter {
 public:
  struct limits {
    std::uint32_t per_minute = 300, burst = 50, global_per_minute = 1'000'000;
    std::size_t most_callers = 50'000;
  };

  explicit rate_limiter(limits l) : limits_(l) {}

  /// Nothing when the request may pass; else the seconds to wait, 1..60. What is refused does not count.
  std::optional<int> admit(std::string_view provider, std::string_view tenant, const ip_address& client,
                           steady_time now);
  std::size_t callers() const noexcept { return callers_.size(); }

 private:
  /// Opens with its first request.
  struct minute {
    steady_time began{};
    std::uint32_t used = 0;
    /// What is left of the window when it is used up.
    std::optional<seconds> full(std::uint32_t most, steady_time now);
  };
  /// Counts in slots of 50 ms; the slot that is half outside still counts, so that no second ever
  /// holds more than the limit.
  struct second {
    static constexpr std::size_t slots = 21;
    std::int64_t head = 0;
    std::uint32_t used = 0;
    std::array<std::uint32_t, slots> counts{};
    void advance(steady_time now);
    void add() { ++counts[static_cast<std::size_t>(head) % slots], ++used; }
  };
  struct caller {
    std::string key;
    minute window;
    second burst;
  };
  caller& find(std::string key);
  void forget_idle(steady_time now);

  limits limits_;
  minute global_;
  std::list<caller> callers_;  ///< the latest first
  std::unordered_map<std::string_view, std::list<caller>::iterator> index_;
};

}  // namespace connectord::web
