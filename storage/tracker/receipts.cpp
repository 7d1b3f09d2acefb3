#include "storage/tracker/receipts.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define RECEIPT_COLUMNS                                                                                \
  "r.id, r.state, r.scope, r.idempotency_key, r.body_digest, r.raw_sha256, r.revision, r.received_at," \
  " r.applied_at, r.sequence, r.provider, r.workspace, r.binding_id, r.binding_created, r.matched_by," \
  " r.fallback_used, r.counts, r.warnings, r.effects, b.ref, p.id, p.project_uuid, p.slug"
#define WITH_PROJECT                                                                   \
  " FROM tracker_receipts r"                                                           \
  " LEFT JOIN tracker_bindings b ON b.tenant_id = r.tenant_id AND b.id = r.binding_id" \
  " LEFT JOIN projects p ON p.tenant_id = b.tenant_id AND p.id = b.project_id"

tracker::receipt read_receipt(const row& r) {
  tracker::receipt x;
  x.id = read_id<tracker::snapshot_id>(r, 0);
  x.state = read_word<tracker::receipt_state>(r, 1);
  x.scope = r.text(2);
  x.key = r.text(3);
  x.body_digest = r.text(4);
  x.raw_sha256 = r.text(5);
  x.revision = static_cast<int>(r.integer(6));
  x.received_at = r.time(7);
  x.applied_at = r.maybe_time(8);
  if (!r.is_null(9)) x.sequence = r.integer(9);
  x.provider = read_word<tracker::provider>(r, 10);
  x.workspace = r.text(11);
  x.binding = maybe_id<tracker::binding_id>(r, 12);
  x.binding_created = r.integer(13) != 0;
  x.matched = read_word<tracker::matched_by>(r, 14);
  x.fallback_used = r.integer(15) != 0;
  x.counts = r.text(16);
  x.warnings = r.text(17);
  x.effects = r.text(18);
  x.binding_ref = r.maybe_str(19);
  if (!r.is_null(20))
    x.project = tracker::project_ref{read_id<tracker::project_id>(r, 20), maybe_uuid(r, 21), r.str(22)};
  return x;
}

}  // namespace

result<std::optional<tracker::receipt>> find_receipt_of_bytes(session& s, tenant_id tenant,
                                                              std::string_view key,
                                                              std::string_view raw_sha256) {
  return find_one(s,
                  "SELECT " RECEIPT_COLUMNS WITH_PROJECT
                  " WHERE r.tenant_id = $1 AND r.idempotency_key = $2 AND r.raw_sha256 = $3",
                  {tenant, key, raw_sha256}, read_receipt);
}

result<known_receipts> find_receipts(session& s, tenant_id tenant, std::string_view scope,
                                     std::string_view key, std::string_view digest) {
  known_receipts known;
  const auto ok = s.query(
      "SELECT COALESCE(MAX(revision), 0) FROM tracker_receipts"
      " WHERE tenant_id = $1 AND scope = $2 AND idempotency_key = $3",
      {tenant, scope, key}, [&](const row& r) { known.revision = static_cast<int>(r.integer(0)); });
  if (!ok) return ok.error();
  if (known.revision == 0) return known;
  auto same = find_one(s,
                       "SELECT " RECEIPT_COLUMNS WITH_PROJECT
                       " WHERE r.tenant_id = $1 AND r.scope = $2 AND r.idempotency_key = $3"
                       " AND r.body_digest = $4",
                       {tenant, scope, key, digest}, read_receipt);
  if (!same) return same.error();
  known.same = std::move(*same);
  return known;
}

result<std::optional<tracker::receipt>> find_receipt(session& s, tenant_id tenant, tracker::snapshot_id id) {
  return find_one(s, "SELECT " RECEIPT_COLUMNS WITH_PROJECT " WHERE r.tenant_id = $1 AND r.id = $2",
                  {tenant, id}, read_receipt);
}

result<> insert_receipt(session& s, tenant_id tenant, const tracker::receipt& r) {
  return done(s.execute(
      "INSERT INTO tracker_receipts (tenant_id, id, scope, idempotency_key, body_digest, raw_sha256, "
      "revision,"
      " state, received_at, applied_at, sequence, provider, workspace, binding_id, binding_created, "
      "matched_by,"
      " fallback_used, counts, warnings, effects) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
      " $13, $14, $15, $16, $17, $18, $19, $20)",
      {tenant,
       r.id,
       r.scope,
       r.key,
       r.body_digest,
       r.raw_sha256,
       r.revision,
       name_of(r.state),
       r.received_at,
       r.applied_at,
       r.sequence,
       name_of(r.provider),
       r.workspace,
       r.binding,
       r.binding_created ? 1 : 0,
       name_of(r.matched),
       r.fallback_used ? 1 : 0,
       r.counts,
       r.warnings,
       r.effects}));
}

result<> update_receipt(session& s, tenant_id tenant, const tracker::receipt& r) {
  return changed_one(s.execute(
      "UPDATE tracker_receipts SET state = $3, applied_at = $4, sequence = $5, binding_id = $6,"
      " binding_created = $7, matched_by = $8, fallback_used = $9, counts = $10, warnings = $11,"
      " effects = $12 WHERE tenant_id = $1 AND id = $2",
      {tenant, r.id, name_of(r.state), r.applied_at, r.sequence, r.binding, r.binding_created ? 1 : 0,
       name_of(r.matched), r.fallback_used ? 1 : 0, r.counts, r.warnings, r.effects}));
}

result<std::vector<tracker::receipt>> list_receipts(session& s, tenant_id tenant,
                                                    const tracker::receipt_filter& filter,
                                                    const std::optional<sort_key>& after, int limit) {
  select q{"SELECT " RECEIPT_COLUMNS WITH_PROJECT};
  q.with(" WHERE r.tenant_id = ", tenant)
      .raw(" AND (b.state IS NULL OR b.state <> 'deleted')")
      .with_one_of(" AND r.binding_id", filter.bindings)
      .with_one_of(" AND r.state", filter.states)
      .with_one_of(" AND r.idempotency_key", filter.keys);
  q.beyond(" AND (r.received_at, r.id) < (", after);
  return all_of(s, q.raw(" ORDER BY r.received_at DESC, r.id DESC").with(" LIMIT ", limit), read_receipt);
}

result<> keep_body(session& s, tenant_id tenant, tracker::snapshot_id receipt, std::string_view body) {
  return done(s.execute("INSERT INTO tracker_bodies (tenant_id, receipt_id, body) VALUES ($1, $2, $3)",
                        {tenant, receipt, blob{body}}));
}

result<> keep_newest_body(session& s, tenant_id tenant, tracker::binding_id binding, std::int64_t sequence,
                          tracker::snapshot_id receipt, std::string_view body, int most) {
  const auto gone = s.execute(
      "DELETE FROM tracker_bodies WHERE tenant_id = $1 AND binding_id = $2"
      " AND sequence <= $3",
      {tenant, binding, sequence - most});
  if (!gone) return gone.error();
  if (most == 0) return drop_body(s, tenant, receipt);
  return done(
      s.execute("INSERT INTO tracker_bodies (tenant_id, receipt_id, binding_id, sequence, body)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, receipt_id)"
                " DO UPDATE SET binding_id = excluded.binding_id, sequence = excluded.sequence",
                {tenant, receipt, binding, sequence, blob{body}}));
}

result<> drop_body(session& s, tenant_id tenant, tracker::snapshot_id receipt) {
  return done(
      s.execute("DELETE FROM tracker_bodies WHERE tenant_id = $1 AND receipt_id = $2", {tenant, receipt}));
}

result<std::optional<std::string>> find_body(session& s, tenant_id tenant, tracker::snapshot_id receipt) {
  return find_one(s, "SELECT body FROM tracker_bodies WHERE tenant_id = $1 AND receipt_id = $2",
                  {tenant, receipt}, [](const row& r) { return std::string{r.bytes(0)}; });
}

}  // namespace connectord::storage
