#include "storage/deliveries.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/codec.hpp"
#include "storage/select.hpp"

#include <deque>
#include <set>

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

struct known_key {
  accepted ids;
  std::string body_sha256;
};

/// A delivery on its way in.
struct arriving {
  arrival from;
  std::string dedupe_id;           ///< under which it is stored
  std::optional<known_key> known;  ///< who has its dedupe id already
};

/// Takes the dedupe ids that are free; answers the deliveries that got theirs.
result<std::set<delivery_id>> take_keys(session& s, tenant_id tenant, std::span<const arriving> rows) {
  static const bulk_statement insert{
      "INSERT INTO delivery_keys"
      " (tenant_id, provider, dedupe_id, delivery_id, receipt_id, body_sha256, expires_at)",
      7, " ON CONFLICT (tenant_id, provider, dedupe_id) DO NOTHING RETURNING delivery_id"};
  std::vector<param> arguments;
  arguments.reserve(7 * rows.size());
  for (const auto& r : rows) {
    const auto& d = *r.from.row;
    arguments.insert(arguments.end(),
                     {tenant, d.provider, r.dedupe_id, d.id, d.receipt, d.body_sha256, r.from.key_expires});
  }
  std::set<delivery_id> taken;
  const auto ok = insert.run(s, arguments, [&](const row& r) { taken.insert(read_id<delivery_id>(r, 0)); });
  if (!ok) return ok.error();
  return taken;
}

result<known_key> holder_of(session& s, tenant_id tenant, const arriving& r) {
  const auto known =
      find_one(s,
               "SELECT delivery_id, receipt_id, body_sha256 FROM delivery_keys"
               " WHERE tenant_id = $1 AND provider = $2 AND dedupe_id = $3",
               {tenant, r.from.row->provider, r.dedupe_id}, [](const row& r) {
                 return known_key{{read_id<delivery_id>(r, 0), read_id<receipt_id>(r, 1), true}, r.str(2)};
               });
  if (!known) return known.error();
  if (!*known) return error{errc::database_unavailable};  // expired between the two statements
  return **known;
}

/// Finds who has the dedupe id. When that one has another body, tries again under an id of its own.
result<> resolve_taken(session& s, tenant_id tenant, arriving& r) {
  const auto& d = *r.from.row;
  auto holder = holder_of(s, tenant, r);
  if (holder && holder->body_sha256 != d.body_sha256) {
    r.dedupe_id.append("#").append(d.body_sha256, 0, 16);
    const auto taken = take_keys(s, tenant, {&r, 1});
    if (!taken) return taken.error();
    if (!taken->empty()) return {};
    holder = holder_of(s, tenant, r);
  }
  if (!holder) return holder.error();
  r.known = std::move(*holder);
  return {};
}

result<> insert_fresh(session& s, tenant_id tenant, std::span<const arriving> rows) {
  static const bulk_statement insert{
      "INSERT INTO deliveries (tenant_id, " DELIVERY_COLUMNS ", headers, body)", 18};
  std::vector<param> arguments;
  arguments.reserve(18 * rows.size());
  std::deque<std::string> headers;  // the arguments point into it
  for (const auto& r : rows) {
    if (r.known) continue;
    const auto& d = *r.from.row;
    arguments.insert(
        arguments.end(),
        {tenant, d.id, d.receipt, d.provider, d.connection, r.dedupe_id, text_of(d.status), d.event_type,
         d.provider_delivery_id, d.body_sha256, d.body_bytes, d.duplicates, d.attempts, d.received_at,
         d.processed_at, d.error, headers.emplace_back(encode_headers(d.headers)), blob{d.body}});
  }
  return insert.run(s, arguments);
}

result<> count_duplicate(session& s, tenant_id tenant, delivery_id first) {
  return done(s.execute("UPDATE deliveries SET duplicates = duplicates + 1 WHERE tenant_id = $1 AND id = $2",
                        {tenant, first}));
}

}  // namespace

result<std::vector<accepted>> accept_deliveries(session& s, tenant_id tenant,
                                                std::span<const arrival> arrivals) {
  std::vector<arriving> rows;
  rows.reserve(arrivals.size());
  for (const auto& a : arrivals) rows.push_back({a, a.row->dedupe_id, std::nullopt});
  const auto taken = take_keys(s, tenant, rows);
  if (!taken) return taken.error();
  for (auto& r : rows)
    if (!taken->contains(r.from.row->id))
      if (const auto ok = resolve_taken(s, tenant, r); !ok) return ok.error();
  if (const auto ok = insert_fresh(s, tenant, rows); !ok) return ok.error();
  std::vector<accepted> out;
  out.reserve(rows.size());
  for (const auto& r : rows) {
    if (r.known)
      if (const auto ok = count_duplicate(s, tenant, r.known->ids.delivery); !ok) return ok.error();
    out.push_back(r.known ? r.known->ids : accepted{r.from.row->id, r.from.row->receipt, false});
  }
  return out;
}

result<accepted> accept_delivery(session& s, tenant_id tenant, const delivery& d, timestamp key_expires) {
  const auto one = accept_deliveries(s, tenant, std::array{arrival{&d, key_expires}});
  if (!one) return one.error();
  return one->front();
}

result<> finish_delivery(session& s, tenant_id tenant, const delivery& d) {
  return changed_one(
      s.execute("UPDATE deliveries SET status = $3, attempts = $4, connection_id = $5,"
                " processed_at = $6, error = $7 WHERE tenant_id = $1 AND id = $2",
                {tenant, d.id, text_of(d.status), d.attempts, d.connection, d.processed_at, d.error}));
}

result<> link_signals(session& s, tenant_id tenant, std::span<const signal_link> links) {
  static const bulk_statement insert{
      "INSERT INTO delivery_signals (tenant_id, delivery_id, position, signal_id)", 4};
  std::vector<param> arguments;
  arguments.reserve(4 * links.size());
  for (const auto& l : links) arguments.insert(arguments.end(), {tenant, l.delivery, l.position, l.signal});
  return insert.run(s, arguments);
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
