#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// Of the same bytes under the same key. `key_reused` and the like are as they were stored.
result<std::optional<tracker::receipt>> find_receipt_of_bytes(session& s, tenant_id tenant,
                                                              std::string_view key,
                                                              std::string_view raw_sha256);
/// What is stored under (scope, key): the receipt of the digest, if there is one, and the newest revision of
/// any digest (0: none).
struct known_receipts {
  std::optional<tracker::receipt> same;
  int revision = 0;
};
result<known_receipts> find_receipts(session& s, tenant_id tenant, std::string_view scope,
                                     std::string_view key, std::string_view digest);
result<std::optional<tracker::receipt>> find_receipt(session& s, tenant_id tenant, tracker::snapshot_id id);

result<> insert_receipt(session& s, tenant_id tenant, const tracker::receipt& r);
/// What becomes of one that waited.
result<> update_receipt(session& s, tenant_id tenant, const tracker::receipt& r);

/// Newest first.
result<std::vector<tracker::receipt>> list_receipts(session& s, tenant_id tenant,
                                                    const tracker::receipt_filter& filter,
                                                    const std::optional<sort_key>& after, int limit);

// ---- bodies: packed by `compress`, but for those of an older version, which `is_compressed` tells apart

/// Of one that waits: it is kept until it does not.
result<> keep_body(session& s, tenant_id tenant, tracker::snapshot_id receipt, std::string_view body);
/// Of the newest of a binding: as many as `most`; those before them go.
result<> keep_newest_body(session& s, tenant_id tenant, tracker::binding_id binding, std::int64_t sequence,
                          tracker::snapshot_id receipt, std::string_view body, int most);
result<> drop_body(session& s, tenant_id tenant, tracker::snapshot_id receipt);
result<std::optional<std::string>> find_body(session& s, tenant_id tenant, tracker::snapshot_id receipt);

}  // namespace connectord::storage
