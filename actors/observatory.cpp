#include "actors/observatory.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace connectord {
namespace {

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

constexpr std::string_view name_of(vital_state s) {
  switch (s) {
    case vital_state::running: return "running";
    case vital_state::idle: return "idle";
    case vital_state::restarting: return "restarting";
    case vital_state::suspended: return "suspended";
    case vital_state::stopped: return "stopped";
  }
  return "stopped";
}

}  // namespace

void turn_times::took(std::chrono::nanoseconds t) noexcept {
  const auto bound = std::ranges::lower_bound(duration_bounds, std::chrono::duration<double>(t).count());
  const auto bucket = static_cast<std::size_t>(bound - duration_bounds.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(static_cast<std::uint64_t>(t.count()), std::memory_order_relaxed);
}

void turn_times::collect(prometheus::Histogram& into) {
  std::vector<double> counted;
  for (auto& c : counts_) counted.push_back(static_cast<double>(c.exchange(0, std::memory_order_relaxed)));
  into.ObserveMultiple(counted, 1e-9 * static_cast<double>(sum_ns_.exchange(0, std::memory_order_relaxed)));
}

void vital_signs::turn(vital_state s) noexcept {
  if (state_.exchange(s) != s) since_ms_.store(to_millis(now_utc()));
}

void vital_signs::born() noexcept {
  enqueued_.store(processed_.load());
  sampled_.store(0);
  turn(vital_state::running);
}

void vital_signs::last_words(std::string text) {
  const std::lock_guard lock{mutex_};
  last_error_ = std::move(text);
}

std::optional<std::string> vital_signs::last_error() const {
  const std::lock_guard lock{mutex_};
  return last_error_;
}

void vital_signs::sample(std::uint64_t number) noexcept {
  sampled_at_ns_.store(now_ns(), std::memory_order_relaxed);
  sampled_.store(number, std::memory_order_release);
}

void vital_signs::measure() noexcept {
  const auto waited = now_ns() - sampled_at_ns_.load();
  if (waited > longest_wait_ns_.load(std::memory_order_relaxed)) longest_wait_ns_.store(waited);
  sampled_.store(0, std::memory_order_release);
}

std::int64_t vital_signs::mailbox_depth() const noexcept {
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(enqueued_.load() - processed_.load()));
}

actor_view vital_signs::view() const {
  actor_view v;
  v.id = card.id;
  v.kind = card.kind;
  v.tenant = card.tenant;
  v.parent = card.parent;
  v.state = name_of(state());
  v.processed = processed_.load();
  v.mailbox_depth = mailbox_depth();
  v.restarts = restarts();
  v.last_error = last_error();
  v.since = since();
  return v;
}

std::shared_ptr<vital_signs> observatory::admit(const identity_card& card) {
  const std::lock_guard lock{mutex_};
  auto& signs = admitted_[card.id];
  if (!signs) signs = std::make_shared<vital_signs>(card, turns_[card.kind]);
  return signs;
}

void observatory::dismiss(const std::string& id) {
  const std::lock_guard lock{mutex_};
  admitted_.erase(id);
}

void observatory::record(const black_box& b) {
  log::error("actor.crashed",
             {{"actor", b.actor}, {"kind", b.kind}, {"error", b.text}, {"trace_id", b.trace_id}});
  const std::lock_guard lock{mutex_};
  const auto found = admitted_.find(b.actor);
  if (found != admitted_.end()) found->second->last_words(b.text);
}

std::vector<actor_view> observatory::views(const read_tree& question) const {
  const std::lock_guard lock{mutex_};
  std::vector<actor_view> out;
  for (auto at = admitted_.upper_bound(question.after);
       at != admitted_.end() && static_cast<int>(out.size()) <= question.limit; ++at) {
    const auto& card = at->second->card;
    if (question.tenant && card.tenant != question.tenant) continue;
    if (question.kind && card.kind != *question.kind) continue;
    out.push_back(at->second->view());
  }
  return out;
}

void observatory::measure() {
  std::map<std::string, std::pair<double, double>> by_kind;  // living, depth
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [id, signs] : admitted_) {
      auto& [living, depth] = by_kind[signs->card.kind];
      living += signs->state() == vital_state::running ? 1 : 0;
      depth += static_cast<double>(signs->mailbox_depth());
    }
    for (auto& [kind, times] : turns_) times.collect(metrics_.actor_turns({kind}));
  }
  for (const auto& [kind, sums] : by_kind) {
    metrics_.actors_live({kind}).Set(sums.first);
    metrics_.actor_mailbox_depth({kind}).Set(sums.second);
  }
}

}  // namespace connectord
