#include "storage/signals.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

#define SIGNAL_COLUMNS                                                                               \
  "id, provider, connection_id, kind, entity, entity_version, occurred_at, received_at, dedupe_key," \
  " delivery_id, job_id"

signal read_signal(const row& r) {
  return {.id = read_id<signal_id>(r, 0),
          .provider = r.str(1),
          .connection = read_id<connection_id>(r, 2),
          .kind = r.str(3),
          .entity = r.str(4),
          .entity_version = r.str(5),
          .occurred_at = r.time(6),
          .received_at = r.time(7),
          .payload{},
          .dedupe_key = r.str(8),
          .delivery = maybe_id<delivery_id>(r, 9),
          .job = maybe_id<job_id>(r, 10)};
}

signal read_whole_signal(const row& r) {
  auto signal = read_signal(r);
  signal.payload = r.text(11);
  return signal;
}

}  // namespace

result<stored_signal> insert_signal(session& s, tenant_id tenant, const signal& x) {
  const auto inserted = s.execute("INSERT INTO signals (tenant_id, " SIGNAL_COLUMNS
                                  ", payload)"
                                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
                                  " ON CONFLICT (tenant_id, provider, dedupe_key) DO NOTHING",
                                  {tenant, x.id, x.provider, x.connection, x.kind, x.entity, x.entity_version,
                                   x.occurred_at, x.received_at, x.dedupe_key, x.delivery, x.job, x.payload});
  if (!inserted) return inserted.error();
  if (*inserted > 0) return stored_signal{x.id, true};
  const auto first =
      find_one(s, "SELECT id FROM signals WHERE tenant_id = $1 AND provider = $2 AND dedupe_key = $3",
               {tenant, x.provider, x.dedupe_key}, [](const row& r) { return read_id<signal_id>(r, 0); });
  if (!first) return first.error();
  if (!*first) return error{errc::database_unavailable};  // retention took it between the two statements
  return stored_signal{**first, false};
}

result<std::optional<signal>> find_signal(session& s, tenant_id tenant, signal_id id) {
  return find_one(s, "SELECT " SIGNAL_COLUMNS ", payload FROM signals WHERE tenant_id = $1 AND id = $2",
                  {tenant, id}, read_whole_signal);
}

result<std::vector<signal>> list_signals(session& s, tenant_id tenant, const signal_filter& filter,
                                         const std::optional<position>& after, int limit, bool with_payload) {
  auto q = with_payload ? select{"SELECT " SIGNAL_COLUMNS ", payload FROM signals"}
                        : select{"SELECT " SIGNAL_COLUMNS " FROM signals"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_any(" AND provider = ", filter.provider)
      .with_any(" AND connection_id = ", filter.connection)
      .with_any(" AND kind = ", filter.kind)
      .with_any(" AND occurred_at >= ", filter.occurred_after)
      .with_any(" AND occurred_at <= ", filter.occurred_before);
  if (after) q.with(" AND (occurred_at, id) < (", after->sort).with(", ", after->id).raw(")");
  q.raw(" ORDER BY occurred_at DESC, id DESC").with(" LIMIT ", limit);
  return all_of(s, q, with_payload ? read_whole_signal : read_signal);
}

}  // namespace connectord::storage
