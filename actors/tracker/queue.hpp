#pragma once

#include "actors/protocol/tracker.hpp"
#include "actors/tracker/evaluate.hpp"

/// Snapshots without a place to land (contract tracker-api, 3.6).
namespace connectord::tracker {

/// Pending snapshots that now route to the binding are applied, oldest first.
result<> apply_pending(change& c, const binding_id& to);

/// NOT_FOUND, QUEUE_ITEM_CLOSED, PROJECT_NOT_FOUND, ALREADY_BOUND.
result<queue_resolution> resolve(change& c, const resolve_queue_item& asked);
result<queue_item> dismiss(change& c, const dismiss_queue_item& asked);

}  // namespace connectord::tracker
