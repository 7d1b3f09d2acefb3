#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace connectord {

/// First in, first out for each key; between keys, everyone in turn. A key with a thousand entries
/// delays another key's first entry by one entry.
template <class Key, class Entry>
class fair_queue {
 public:
  void push(const Key& key, Entry entry) {
    auto& lane = lanes_[key];
    if (lane.empty()) turns_.push_back(key);
    lane.push_back(std::move(entry));
    ++size_;
  }

  std::optional<Entry> pop() {
    return pop_if([](const Key&) { return true; });
  }
  /// The first in turn of those whose key may go; the others keep their places.
  template <class Predicate>
  std::optional<Entry> pop_if(Predicate may_go) {
    const auto next = std::find_if(turns_.begin(), turns_.end(), may_go);
    if (next == turns_.end()) return std::nullopt;
    auto key = std::move(*next);
    turns_.erase(next);
    const auto lane = lanes_.find(key);
    auto entry = std::move(lane->second.front());
    lane->second.pop_front();
    --size_;
    if (lane->second.empty())
      lanes_.erase(lane);
    else
      turns_.push_back(std::move(key));
    return entry;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t waiting(const Key& key) const {
    const auto lane = lanes_.find(key);
    return lane == lanes_.end() ? 0 : lane->second.size();
  }

 private:
  std::map<Key, std::deque<Entry>> lanes_;
  std::deque<Key> turns_;
  std::size_t size_ = 0;
};

}  // namespace connectord
