#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace connectord {

/// The right to have one command in flight. Taken at the door, carried by the message, given back
/// when the last copy dies, on whatever thread. CAF's mailboxes are unbounded; this is the bound.
class permit {
 public:
  permit() = default;
  explicit permit(const std::shared_ptr<std::atomic<int>>& in_use)
      : held_(in_use.get(), [in_use](std::atomic<int>* count) { count->fetch_sub(1); }) {}

 private:
  std::shared_ptr<std::atomic<int>> held_;
};

/// Counts by key. Used by one thread; the permits that it hands out may travel.
template <class Key>
class permit_pool {
 public:
  explicit permit_pool(int most) : most_(most) {}

  /// Nothing when `key` has `most` permits out.
  std::optional<permit> take(const Key& key) {
    if (counts_.size() > 4096) std::erase_if(counts_, [](const auto& c) { return c.second->load() == 0; });
    auto& count = counts_[key];
    if (!count) count = std::make_shared<std::atomic<int>>(0);
    if (count->load() >= most_) return std::nullopt;
    count->fetch_add(1);
    return permit{count};
  }

 private:
  int most_;
  std::map<Key, std::shared_ptr<std::atomic<int>>> counts_;
};

}  // namespace connectord
