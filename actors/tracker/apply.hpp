#pragma once

#include "actors/protocol/tracker.hpp"
#include "actors/tracker/binding_change.hpp"

#include <string>
#include <vector>

namespace connectord::tracker {

/// What a snapshot did, beside the drift that the binding_change holds.
struct applied {
  ingest_counts counts;                    ///< without drift
  std::vector<snapshot_warning> warnings;  ///< the body's own, and those of its links
  std::vector<std::string> issues_created, issues_updated, issues_absent;  ///< external ids
  std::vector<link_id> links_created, links_updated;
};

/// Brings doctrine, issues, links, presence and their drift to what the snapshot says (contract
/// tracker-api, 4.6). Its sequence is the binding's next one. Nothing is concluded: the receipt and its row
/// of the feed come between.
result<applied> apply(binding_change& b, const parsed_snapshot& s);

}  // namespace connectord::tracker
