#pragma once

#include "domain/delivery.hpp"
#include "domain/queries.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <vector>

namespace connectord::storage {

struct accepted {
  delivery_id delivery;
  receipt_id receipt;
  bool deduplicated = false;
};
struct arrival {
  const delivery* row;
  timestamp key_expires;
};
/// Stores each delivery as it stands (a status other than `received` means that its work is part of
/// this transaction), unless its dedupe id was seen, be it in this call: then counts a duplicate and
/// answers the first ids. The same id with another body is no duplicate: it is stored under
/// `<id>#<16 hex of digest>`. One answer a delivery, in order.
result<std::vector<accepted>> accept_deliveries(session& s, tenant_id tenant,
                                                std::span<const arrival> arrivals);
result<accepted> accept_delivery(session& s, tenant_id tenant, const delivery& d, timestamp key_expires);

/// Writes what became of a stored delivery: status, attempts, connection, `processed_at` and error.
result<> finish_delivery(session& s, tenant_id tenant, const delivery& d);

struct signal_link {
  delivery_id delivery;
  signal_id signal;
  std::int64_t position;  ///< among the delivery's signals, from 0; free
};
/// What receipts name.
result<> link_signals(session& s, tenant_id tenant, std::span<const signal_link> links);
result<std::vector<signal_id>> receipt_signal_ids(session& s, tenant_id tenant, delivery_id id);

/// With headers and body.
result<std::optional<delivery>> find_delivery(session& s, tenant_id tenant, delivery_id id);

/// Newest first, without headers and bodies.
result<std::vector<delivery>> list_deliveries(session& s, tenant_id tenant, const delivery_filter& filter,
                                              const std::optional<position>& after, int limit);

/// What waits to be processed, with headers and bodies, in the order of arrival.
result<std::vector<delivery>> received_deliveries(session& s, tenant_id tenant, int limit);
result<std::int64_t> count_received(session& s, tenant_id tenant);

}  // namespace connectord::storage
