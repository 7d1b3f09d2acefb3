#pragma once

#include "actors/protocol/tracker.hpp"
#include "actors/tracker/binding_change.hpp"

namespace connectord::tracker {

/// A snapshot, from the look at its receipts to everything that follows (contract tracker-api, 4).
/// IDEMPOTENCY_KEY_CONFLICT, QUEUE_FULL.
result<snapshot_outcome> ingest(change& c, const ingest_snapshot& asked, timestamp received);

/// The sync run of a refused body, if there is a live binding that it would have hit.
result<> note_rejection(change& c, const note_rejected& refused);

/// Where a snapshot comes from when it is applied: as it arrives, or out of the queue.
struct arrival {
  const parsed_snapshot& snapshot;
  receipt row;  ///< state, revision, scope, key and time are filled in
  run_trigger cause = run_trigger::snapshot;
  bool stored = false;  ///< the receipt is there already
};
/// The snapshot becomes the binding's next one: receipt, sync run, rows of the feed.
result<receipt> land(binding_change& b, arrival from);

}  // namespace connectord::tracker
