#pragma once

#include "domain/queries.hpp"
#include "domain/tracker/queries.hpp"
#include "storage/session.hpp"

#include <span>
#include <vector>

namespace connectord::storage {

/// Gives each row the next number of its tenant's feed, in this order, and stores it. For transactions of
/// the tenant alone: they commit one after another, so numbers rise in the order of commits. So do the times
/// of recording, even where the clock went back.
result<> append_activity(session& s, tenant_id tenant, std::span<tracker::activity> rows);

struct activity_page {
  std::vector<tracker::activity> rows;
  std::optional<std::int64_t> next;  ///< older ones are below this `seq`
  bool stopped = false;              ///< before the page was full: so many rows were looked at
};
/// Newest first; the key is {seq}. Where no index has just the rows that fit, at most `most_looked_at` are
/// looked at.
result<activity_page> list_activity(session& s, tenant_id tenant, const tracker::activity_filter& filter,
                                    const keyset& at, std::int64_t most_looked_at);
/// Oldest first, behind `seq`.
result<std::vector<tracker::activity>> activity_after(session& s, tenant_id tenant,
                                                      const tracker::activity_filter& filter,
                                                      std::int64_t seq, int limit);
/// The number of the newest row, shown or not; 0 for none.
result<std::int64_t> feed_head(session& s, tenant_id tenant);

}  // namespace connectord::storage
