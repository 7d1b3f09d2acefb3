#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace connectord {

/// When to leave somebody alone who does not answer, and for how long.
struct breaker_policy {
  int failures = 5;  ///< in a row
  milliseconds first{2'000}, longest{60'000};
};

/// Closed until that many failures in a row. Then open: nothing is admitted. After the pause half
/// open: one call is admitted, the probe, which closes it or doubles the pause. Pure: the time is
/// passed in.
class breaker {
 public:
  enum class phase { closed, open, half_open };

  phase at(steady_time now) const noexcept {
    if (pauses_ == 0) return phase::closed;
    return now < retry_at_ ? phase::open : phase::half_open;
  }
  bool admits(steady_time now) const noexcept {
    const auto phase_now = at(now);
    return phase_now == phase::closed || (phase_now == phase::half_open && !probing_);
  }
  bool probing() const noexcept { return probing_; }

  /// A call that was admitted begins. It ends in succeeded() or failed().
  void begin() noexcept { probing_ = pauses_ > 0; }
  void succeeded() noexcept { *this = breaker{}; }
  /// True when this very failure opened it; a failed probe keeps it open.
  bool failed(const breaker_policy& p, steady_time now) {
    const bool closed = pauses_ == 0;
    if (closed && ++failures_ < p.failures) return false;
    if (!closed && !probing_) return false;  // begun before it opened
    probing_ = false;
    retry_at_ = now + std::min<milliseconds>(p.first * (1LL << std::min(pauses_, 16)), p.longest);
    ++pauses_;
    return closed;
  }

 private:
  int failures_ = 0;
  int pauses_ = 0;  ///< since it was closed
  bool probing_ = false;
  steady_time retry_at_{};
};

/// A breaker for each caller of a host, and one for the host. The host's counts callers whose own
/// breaker opened with no success of anyone between them: so an outage spares everybody the waiting,
/// and a single tenant whose calls fail cannot close a host for its neighbours.
class breakers {
 public:
  using caller = std::optional<tenant_id>;  ///< none: the service itself
  static constexpr std::size_t most = 4096;

  explicit breakers(breaker_policy each = {}, breaker_policy host = {.failures = 3})
      : each_(each), host_(host) {}

  bool admits(const caller& who, const std::string& host, steady_time now) const {
    const auto mine = callers_.find({who, host});
    const auto all = hosts_.find(host);
    return (mine == callers_.end() || mine->second.admits(now)) &&
           (all == hosts_.end() || all->second.admits(now));
  }
  void begin(const caller& who, const std::string& host) {
    if (const auto mine = callers_.find({who, host}); mine != callers_.end()) mine->second.begin();
    if (const auto all = hosts_.find(host); all != hosts_.end()) all->second.begin();
  }
  void succeeded(const caller& who, const std::string& host) {
    callers_.erase({who, host});
    hosts_.erase(host);
  }
  /// True when calls of this caller stop here and now.
  bool failed(const caller& who, const std::string& host, steady_time now) {
    make_room(callers_, now);
    const bool opened = callers_[{who, host}].failed(each_, now);
    const auto all = hosts_.find(host);
    if (opened || (all != hosts_.end() && all->second.probing())) {
      make_room(hosts_, now);
      hosts_[host].failed(host_, now);
    }
    return opened;
  }

 private:
  /// What is forgotten counts from nothing again; whoever is left alone stays so.
  template <class Map>
  static void make_room(Map& all, steady_time now) {
    if (all.size() >= most)
      std::erase_if(all, [now](const auto& b) { return b.second.at(now) != breaker::phase::open; });
  }

  breaker_policy each_, host_;
  std::map<std::pair<caller, std::string>, breaker> callers_;
  std::map<std::string, breaker> hosts_;
};

}  // namespace connectord
