#include "storage/deliveries.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

#define DELIVERY_COLUMNS                                                                          \
  "id, receipt_id, provider, connection_id, dedupe_id, status, event_type, provider_delivery_id," \
  " body_sha256, body_bytes, duplicates, attempts, received_at, processed_at, error"

delivery read_delivery(const row& r) {
  return {.id = read_id<delivery_id>(r, 0),
          .receipt = read_id<receipt_id>(r, 1),
          .provider = r.str(2),
          .connection = maybe_id<connection_id>(r, 3),
          .dedupe_id = r.str(4),
          .status = read_name<delivery_status>(r, 5),
          .event_type = r.maybe_str(6),
          .provider_delivery_id = r.maybe_str(7),
          .headers{},
          .body{},
          .body_sha256 = r.str(8),
          .body_bytes = r.integer(9),
          .duplicates = r.integer(10),
          .attempts = r.integer(11),
          .received_at = r.time(12),
          .processed_at = r.maybe_time(13),
          .error = r.maybe_str(14)};
}

delivery read_whole_delivery(const row& r) {
  auto d = read_delivery(r);
  d.headers = decode_headers(r.text(15));
  d.body = r.bytes(16);
  return d;
}

result<> insert_delivery(session& s, tenant_id tenant, const delivery& d, std::string_view dedupe_id) {
  return done(
      s.execute("INSERT INTO deliveries (tenant_id, " DELIVERY_COLUMNS ", headers, body) VALUES"
                " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
                {tenant, d.id, d.receipt, d.provider, d.connection, dedupe_id, text_of(d.status),
                 d.event_type, d.provider_delivery_id, d.body_sha256, d.body_bytes, d.duplicates, d.attempts,
                 d.received_at, d.processed_at, d.error, encode_headers(d.headers), blob{d.body}}));
}

struct known_key {
  accepted ids;
  std::string body_sha256;
};

/// Takes the dedupe id, or answers who has it.
result<std::optional<known_key>> take_key(session& s, tenant_id tenant, const delivery& d,
                                          std::string_view dedupe_id, timestamp expires) {
  const auto taken = s.execute(
      "INSERT INTO delivery_keys"
      " (tenant_id, provider, dedupe_id, delivery_id, receipt_id, body_sha256, expires_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_id, provider, dedupe_id) DO NOTHING",
      {tenant, d.provider, dedupe_id, d.id, d.receipt, d.body_sha256, expires});
  if (!taken) return taken.error();
  if (*taken > 0) return std::nullopt;
  auto known =
      find_one(s,
               "SELECT delivery_id, receipt_id, body_sha256 FROM delivery_keys"
               " WHERE tenant_id = $1 AND provider = $2 AND dedupe_id = $3",
               {tenant, d.provider, dedupe_id}, [](const row& r) {
                 return known_key{{read_id<delivery_id>(r, 0), read_id<receipt_id>(r, 1), true}, r.str(2)};
               });
  if (!known) return known;
  if (!*known) return error{errc::database_unavailable};  // expired between the two statements
  return known;
}

}  // namespace

result<accepted> accept_delivery(session& s, tenant_id tenant, const delivery& d, timestamp key_expires) {
  auto dedupe_id = d.dedupe_id;
  auto known = take_key(s, tenant, d, dedupe_id, key_expires);
  if (known && *known && (*known)->body_sha256 != d.body_sha256) {
    dedupe_id.append("#").append(d.body_sha256, 0, 16);
    known = take_key(s, tenant, d, dedupe_id, key_expires);
  }
  if (!known) return known.error();
  if (!*known) {
    if (auto ok = insert_delivery(s, tenant, d, dedupe_id); !ok) return ok.error();
    return accepted{d.id, d.receipt, false};
  }
  const auto first = (*known)->ids;
  const auto counted =
      s.execute("UPDATE deliveries SET duplicates = duplicates + 1 WHERE tenant_id = $1 AND id = $2",
                {tenant, first.delivery});
  if (!counted) return counted.error();
  return first;
}

result<> finish_delivery(session& s, tenant_id tenant, const delivery& d) {
  return changed_one(
      s.execute("UPDATE deliveries SET status = $3, attempts = $4, connection_id = $5,"
                " processed_at = $6, error = $7 WHERE tenant_id = $1 AND id = $2",
                {tenant, d.id, text_of(d.status), d.attempts, d.connection, d.processed_at, d.error}));
}

result<> link_signals(session& s, tenant_id tenant, delivery_id id, std::span<const signal_id> signals) {
  for (const auto& signal : signals) {
    const auto linked = s.execute(
        "INSERT INTO delivery_signals (tenant_id, delivery_id, position, signal_id)"
        " SELECT $1, $2, COALESCE(MAX(position) + 1, 0), $3 FROM delivery_signals"
        " WHERE tenant_id = $1 AND delivery_id = $2"
        " HAVING COUNT(CASE WHEN signal_id = $3 THEN 1 END) = 0",
        {tenant, id, signal});
    if (!linked) return linked.error();
  }
  return {};
}

result<std::vector<signal_id>> receipt_signal_ids(session& s, tenant_id tenant, delivery_id id) {
  return all_of(s,
                select{"SELECT signal_id FROM delivery_signals"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND delivery_id = ", id)
                    .raw(" ORDER BY position"),
                [](const row& r) { return read_id<signal_id>(r, 0); });
}

result<std::optional<delivery>> find_delivery(session& s, tenant_id tenant, delivery_id id) {
  return find_one(
      s, "SELECT " DELIVERY_COLUMNS ", headers, body FROM deliveries WHERE tenant_id = $1 AND id = $2",
      {tenant, id}, read_whole_delivery);
}

result<std::vector<delivery>> list_deliveries(session& s, tenant_id tenant, const delivery_filter& filter,
                                              const std::optional<position>& after, int limit) {
  select q{"SELECT " DELIVERY_COLUMNS " FROM deliveries"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_any(" AND provider = ", filter.provider)
      .with_any(" AND status = ", text_of(filter.status))
      .with_any(" AND connection_id = ", filter.connection)
      .with_any(" AND received_at >= ", filter.received_after)
      .with_any(" AND received_at <= ", filter.received_before);
  if (after) q.with(" AND (received_at, id) < (", after->sort).with(", ", after->id).raw(")");
  return all_of(s, q.raw(" ORDER BY received_at DESC, id DESC").with(" LIMIT ", limit), read_delivery);
}

result<std::vector<delivery>> received_deliveries(session& s, tenant_id tenant, int limit) {
  return all_of(s,
                select{"SELECT " DELIVERY_COLUMNS ", headers, body FROM deliveries"}
                    .with(" WHERE tenant_id = ", tenant)
                    .raw(" AND status = 'received' ORDER BY received_at, id")
                    .with(" LIMIT ", limit),
                read_whole_delivery);
}

result<std::int64_t> count_received(session& s, tenant_id tenant) {
  const auto count =
      find_one(s, "SELECT COUNT(*) FROM deliveries WHERE tenant_id = $1 AND status = 'received'", {tenant},
               [](const row& r) { return r.integer(0); });
  if (!count) return count.error();
  return count->value_or(0);
}

}  // namespace connectord::storage
