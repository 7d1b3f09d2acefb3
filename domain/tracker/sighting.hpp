#pragma once

#include "domain/tracker/model.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// An issue is seen in three ways: in snapshots of clients, and in the provider's own answers and deliveries.
namespace connectord::tracker {

/// What one view said of an issue when it last showed it.
struct sighting {
  tracker::view view{};
  external_status status{};
  std::optional<external_time> updated_at;
  timestamp seen_at{};
  std::vector<std::string> unmapped;  ///< the provider's words that none of ours stand for: "status: Waiting"
};

/// All views show the same status.
inline bool agree(std::span<const sighting> all) {
  return std::ranges::all_of(all, [&](const sighting& s) { return s.status == all.front().status; });
}

/// Of an issue with what is stored of its views: without anything, snapshots alone have shown it. When they
/// showed it last is known of the issue.
inline std::vector<sighting> views_of(const issue& i, std::vector<sighting> stored) {
  if (stored.empty()) stored.push_back({view::snapshot, i.content.status, i.content.updated_at, {}, {}});
  for (auto& s : stored)
    if (s.view == view::snapshot) s.seen_at = i.last_seen_at;
  return stored;
}

}  // namespace connectord::tracker
