#include "storage/unrouted.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

#define UNROUTED_COLUMNS                                                                \
  "id, provider, event_type, dedupe_id, provider_delivery_id, identities, body_sha256," \
  " body_bytes, received_at"

unrouted_row read_unrouted(const row& r) {
  return {.id = read_id<unrouted_id>(r, 0),
          .provider = r.str(1),
          .event_type = r.maybe_str(2),
          .dedupe_id = r.str(3),
          .provider_delivery_id = r.maybe_str(4),
          .identities = decode_identities(r.text(5)),
          .body_sha256 = r.str(6),
          .body_bytes = r.integer(7),
          .received_at = r.time(8),
          .headers{},
          .body{}};
}

}  // namespace

result<std::int64_t> insert_unrouted(session& s, const unrouted_row& u, std::int64_t most) {
  const auto stored = s.execute(
      "INSERT INTO unrouted_deliveries (" UNROUTED_COLUMNS
      ", headers, body)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
      " ON CONFLICT (provider, dedupe_id, body_sha256) DO NOTHING",
      {u.id, u.provider, u.event_type, u.dedupe_id, u.provider_delivery_id, encode_identities(u.identities),
       u.body_sha256, u.body_bytes, u.received_at, encode_headers(u.headers), blob{u.body}});
  if (!stored || *stored == 0) return stored;
  // Walks the provider's index entries; unrouted deliveries are too few for that to matter.
  return s.execute(
      "DELETE FROM unrouted_deliveries WHERE id IN (SELECT id FROM unrouted_deliveries WHERE provider = $1"
      " ORDER BY received_at DESC, id DESC LIMIT 1000 OFFSET $2)",
      {u.provider, most});
}

result<std::vector<unrouted_row>> list_unrouted(session& s, const unrouted_filter& filter,
                                                const std::optional<position>& after, int limit) {
  select q{"SELECT " UNROUTED_COLUMNS " FROM unrouted_deliveries WHERE 1 = 1"};
  q.with_any(" AND provider = ", filter.provider).with_any(" AND received_at >= ", filter.received_after);
  if (after) q.with(" AND (received_at, id) < (", after->sort).with(", ", after->id).raw(")");
  return all_of(s, q.raw(" ORDER BY received_at DESC, id DESC").with(" LIMIT ", limit), read_unrouted);
}

result<std::optional<unrouted_row>> find_unrouted(session& s, unrouted_id id) {
  return find_one(s, "SELECT " UNROUTED_COLUMNS ", headers, body FROM unrouted_deliveries WHERE id = $1",
                  {id}, [](const row& r) {
                    auto u = read_unrouted(r);
                    u.headers = decode_headers(r.text(9));
                    u.body = r.bytes(10);
                    return u;
                  });
}

result<bool> remove_unrouted(session& s, unrouted_id id) {
  return any(s.execute("DELETE FROM unrouted_deliveries WHERE id = $1", {id}));
}

}  // namespace connectord::storage
