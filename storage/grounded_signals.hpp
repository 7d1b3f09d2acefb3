#pragma once

#include "domain/grounding.hpp"
#include "domain/queries.hpp"
#include "storage/session.hpp"

#include <optional>
#include <vector>

namespace connectord::storage {

/// `cluster` is what others are compared with; `notify` asks for a notification. False when the
/// cluster has its row already.
result<bool> insert_grounded(session& s, tenant_id tenant, const grounded_signal& row,
                             const grounding::cluster& cluster, bool notify);
result<std::optional<grounded_signal>> find_grounded(session& s, tenant_id tenant, grounded_id id);
/// Everything that changes; NOT_FOUND when it is gone.
result<> update_grounded(session& s, tenant_id tenant, const grounded_signal& row);
/// NOT_FOUND when it is gone.
result<> delete_grounded(session& s, tenant_id tenant, grounded_id id);

/// Newest first; from `after`, or from so many rows on.
result<std::vector<grounded_signal>> list_grounded(session& s, tenant_id tenant,
                                                   const grounded_filter& filter,
                                                   const std::optional<position>& after, std::int64_t offset,
                                                   int limit);
result<std::int64_t> count_grounded(session& s, tenant_id tenant, const grounded_filter& filter);

/// The latest that began between the two.
result<std::vector<grounding::cluster>> clusters_between(session& s, tenant_id tenant, timestamp from,
                                                         timestamp to, int most);

// What waits to be scored.

/// The first tenant behind `after` that has signals waiting.
result<std::optional<tenant_id>> next_unscored_tenant(session& s, const std::optional<tenant_id>& after);
/// The oldest, with their payloads.
result<std::vector<signal>> unscored_signals(session& s, tenant_id tenant, int limit);
/// The right to a verdict, for whoever asks first. Without it the signal was scored, or is gone.
result<bool> take_unscored(session& s, tenant_id tenant, signal_id signal);

// What waits to be told.

struct due_notification {
  tenant_id tenant;
  grounded_signal row;
};
/// Up to `most` of those that are due by `now`, the longest waiting first, and no more than `each` of a
/// tenant at a time. Nobody else gets them before `until`.
result<std::vector<due_notification>> lease_notifications(session& s, timestamp now, timestamp until,
                                                          int most, int each);
/// It was told, or given up.
result<> settle_notification(session& s, tenant_id tenant, grounded_id id);

}  // namespace connectord::storage
