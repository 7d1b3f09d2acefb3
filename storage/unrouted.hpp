#pragma once

#include "domain/connection.hpp"
#include "domain/delivery.hpp"
#include "domain/queries.hpp"
#include "storage/session.hpp"

#include <vector>

namespace connectord::storage {

/// A proven delivery of an app-level URL that no connection answers to, yet. It has no tenant.
struct unrouted_row {
  unrouted_id id;
  std::string provider;
  std::optional<std::string> event_type;
  std::string dedupe_id;
  std::optional<std::string> provider_delivery_id;
  std::vector<identity> identities;
  std::string body_sha256;
  std::int64_t body_bytes = 0;
  timestamp received_at{};
  header_list headers;
  std::string body;
};

/// Unless the same dedupe id with the same body is there already: a provider repeats itself. Keeps at
/// most `most` rows of a provider; answers how many of the oldest had to go.
result<std::int64_t> insert_unrouted(session& s, const unrouted_row& u, std::int64_t most);
/// Newest first, without headers and bodies.
result<std::vector<unrouted_row>> list_unrouted(session& s, const unrouted_filter& filter,
                                                const std::optional<position>& after, int limit);
/// With headers and body.
result<std::optional<unrouted_row>> find_unrouted(session& s, unrouted_id id);
/// False when it was not there: somebody else has routed it.
result<bool> remove_unrouted(session& s, unrouted_id id);

}  // namespace connectord::storage
