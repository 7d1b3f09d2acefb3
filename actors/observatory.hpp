#pragma once

#include "actors/protocol/message.hpp"
#include "actors/protocol/ops.hpp"
#include "base/metrics.hpp"

#include <caf/fwd.hpp>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace connectord {

/// Who an actor is, for operators: the id is a path in the supervision tree.
struct identity_card {
  std::string id, kind;
  std::optional<std::string> parent;
  std::optional<tenant_id> tenant;
};

enum class vital_state { running, idle, restarting, suspended, stopped };

/// How long the turns of one kind of actor took. Counted by whoever runs them, for a scrape to collect.
class turn_times {
 public:
  void took(std::chrono::nanoseconds t) noexcept;
  /// Hands on what was counted since the last time.
  void collect(prometheus::Histogram& into);

 private:
  std::array<std::atomic<std::uint64_t>, duration_bounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
};

/// The record of one place in the tree; its incarnations share it. Written by senders and by the
/// thread that runs the actor, read by operators, hence atomics.
class vital_signs {
 public:
  vital_signs(identity_card c, turn_times& t) : card(std::move(c)), turns_(t) {}

  void arrived() noexcept {
    const auto n = enqueued_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (sampled_.load(std::memory_order_relaxed) == 0) sample(n);
  }
  void begun() noexcept {
    const auto n = processed_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (n == sampled_.load(std::memory_order_acquire)) measure();
  }
  void spent(std::chrono::nanoseconds t) noexcept { turns_.took(t); }

  void turn(vital_state s) noexcept;
  vital_state state() const noexcept { return state_.load(std::memory_order_relaxed); }
  /// Unread messages of a dead incarnation died with it.
  void born() noexcept;
  void restarted() noexcept { restarts_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t restarts() const noexcept { return restarts_.load(std::memory_order_relaxed); }
  void last_words(std::string text);
  std::optional<std::string> last_error() const;
  timestamp since() const noexcept { return from_millis(since_ms_.load(std::memory_order_relaxed)); }

  std::int64_t mailbox_depth() const noexcept;
  actor_view view() const;

  const identity_card card;

 private:
  void sample(std::uint64_t number) noexcept;
  void measure() noexcept;

  turn_times& turns_;
  std::atomic<std::uint64_t> enqueued_{0}, processed_{0}, restarts_{0};
  std::atomic<std::uint64_t> sampled_{0};  ///< number of the message under measurement, or 0
  std::atomic<std::int64_t> sampled_at_ns_{0}, longest_wait_ns_{0};
  std::atomic<vital_state> state_{vital_state::idle};
  std::atomic<std::int64_t> since_ms_{0};
  mutable std::mutex mutex_;
  std::optional<std::string> last_error_;
};

/// Where every actor is entered at birth; outlives the actor system. Safe from any thread.
class observatory {
 public:
  explicit observatory(metrics& m) : metrics_(m) {}

  /// The record of that id: a new one, or that of the incarnations before.
  std::shared_ptr<vital_signs> admit(const identity_card& card);
  void dismiss(const std::string& id);
  void record(const black_box& last_words);

  std::vector<actor_view> views(const read_tree& question) const;
  /// Brings the actor metrics up to date; called before a scrape, by one at a time.
  void measure();
  metrics& meters() const noexcept { return metrics_; }

  /// Actors run where they are addressed from; with a home, always there. Set before the first spawn.
  void set_home(caf::execution_unit* unit) noexcept { home_ = unit; }
  caf::execution_unit* home() const noexcept { return home_; }

 private:
  metrics& metrics_;
  caf::execution_unit* home_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, turn_times> turns_;  ///< by kind; they stay where they are
  std::map<std::string, std::shared_ptr<vital_signs>> admitted_;
};

}  // namespace connectord
