#include "storage/grounded_signals.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

#define GROUNDED_COLUMNS "id, signal_id, scores, status, evidence, recommendation, created_at, updated_at"

grounded_signal read_grounded(const row& r) {
  return {.id = read_id<grounded_id>(r, 0),
          .signal = read_id<signal_id>(r, 1),
          .scores = grounding::scores_from(r.text(2)),
          .status = read_name<grounded_status>(r, 3),
          .evidence = r.str(4),
          .recommendation = r.maybe_str(5),
          .created_at = r.time(6),
          .updated_at = r.time(7)};
}

/// Three bytes a bucket: its number, the lower byte first, and its count.
std::string encode_words(const grounding::bag_of_words& words) {
  std::string out;
  for (const auto& [bucket, n] : words) {
    out.push_back(static_cast<char>(bucket & 0xff));
    out.push_back(static_cast<char>(bucket >> 8));
    out.push_back(static_cast<char>(n));
  }
  return out;
}

grounding::bag_of_words decode_words(std::string_view bytes) {
  grounding::bag_of_words out;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  for (std::size_t i = 0; i + 2 < bytes.size(); i += 3)
    out.emplace_back(static_cast<std::uint16_t>(byte(i) | byte(i + 1) << 8), byte(i + 2));
  return out;
}

select& narrowed(select& q, const tenant_id& tenant, const grounded_filter& filter) {
  return q.with(" WHERE tenant_id = ", tenant)
      .with_any(" AND status = ", text_of(filter.status))
      .with_any(" AND total >= ", filter.min_score);
}

}  // namespace

result<bool> insert_grounded(session& s, tenant_id tenant, const grounded_signal& row,
                             const grounding::cluster& cluster, bool notify) {
  const auto key = grounding::key_of_cluster(tenant, row.signal);
  const auto scores = grounding::to_json(row.scores);
  const auto words = encode_words(cluster.words);
  const auto notify_at = notify ? std::optional{row.created_at} : std::nullopt;
  return any(s.execute(
      "INSERT INTO grounded_signals (tenant_id, " GROUNDED_COLUMNS
      ", idempotency_key, total, words, began_at, notify_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
      " ON CONFLICT (tenant_id, idempotency_key) DO NOTHING",
      {tenant, row.id, row.signal, scores, text_of(row.status), row.evidence, row.recommendation,
       row.created_at, row.updated_at, key, row.scores.total, blob{words}, cluster.began, notify_at}));
}

result<std::optional<grounded_signal>> find_grounded(session& s, tenant_id tenant, grounded_id id) {
  return find_one(s, "SELECT " GROUNDED_COLUMNS " FROM grounded_signals WHERE tenant_id = $1 AND id = $2",
                  {tenant, id}, read_grounded);
}

result<> update_grounded(session& s, tenant_id tenant, const grounded_signal& row) {
  const auto scores = grounding::to_json(row.scores);
  return changed_one(
      s.execute("UPDATE grounded_signals SET scores = $3, total = $4, status = $5, evidence = $6,"
                " recommendation = $7, updated_at = $8 WHERE tenant_id = $1 AND id = $2",
                {tenant, row.id, scores, row.scores.total, text_of(row.status), row.evidence,
                 row.recommendation, row.updated_at}));
}

result<> delete_grounded(session& s, tenant_id tenant, grounded_id id) {
  return changed_one(
      s.execute("DELETE FROM grounded_signals WHERE tenant_id = $1 AND id = $2", {tenant, id}));
}

result<std::vector<grounded_signal>> list_grounded(session& s, tenant_id tenant,
                                                   const grounded_filter& filter,
                                                   const std::optional<position>& after, std::int64_t offset,
                                                   int limit) {
  select q{"SELECT " GROUNDED_COLUMNS " FROM grounded_signals"};
  narrowed(q, tenant, filter);
  if (after) q.with(" AND (created_at, id) < (", after->sort).with(", ", after->id).raw(")");
  q.raw(" ORDER BY created_at DESC, id DESC").with(" LIMIT ", limit).with(" OFFSET ", offset);
  return all_of(s, q, read_grounded);
}

result<std::int64_t> count_grounded(session& s, tenant_id tenant, const grounded_filter& filter) {
  select q{"SELECT COUNT(*) FROM grounded_signals"};
  const auto counts = all_of(s, narrowed(q, tenant, filter), [](const row& r) { return r.integer(0); });
  if (!counts) return counts.error();
  return counts->front();
}

result<std::vector<grounding::cluster>> clusters_between(session& s, tenant_id tenant, timestamp from,
                                                         timestamp to, int most) {
  return all_of(s,
                select{"SELECT id, words, began_at FROM grounded_signals"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND began_at >= ", from)
                    .with(" AND began_at <= ", to)
                    .raw(" ORDER BY began_at DESC, id DESC")
                    .with(" LIMIT ", most),
                [](const row& r) {
                  return grounding::cluster{read_id<grounded_id>(r, 0), decode_words(r.bytes(1)), r.time(2)};
                });
}

result<std::optional<tenant_id>> next_unscored_tenant(session& s, const std::optional<tenant_id>& after) {
  return find_one(s, "SELECT tenant_id FROM unscored_signals WHERE tenant_id > $1 ORDER BY tenant_id LIMIT 1",
                  {after ? after->text() : std::string_view{}},
                  [](const row& r) { return read_id<tenant_id>(r, 0); });
}

result<std::vector<signal>> unscored_signals(session& s, tenant_id tenant, int limit) {
  return all_of(
      s,
      select{"SELECT s.id, s.provider, s.connection_id, s.kind, s.occurred_at, s.received_at, s.payload"
             " FROM unscored_signals u JOIN signals s ON s.tenant_id = u.tenant_id AND s.id = u.signal_id"}
          .with(" WHERE u.tenant_id = ", tenant)
          .raw(" ORDER BY u.signal_id")
          .with(" LIMIT ", limit),
      [](const row& r) {
        signal x;
        x.id = read_id<signal_id>(r, 0);
        x.provider = r.text(1);
        x.connection = read_id<connection_id>(r, 2);
        x.kind = r.text(3);
        x.occurred_at = r.time(4);
        x.received_at = r.time(5);
        x.payload = r.text(6);
        return x;
      });
}

result<bool> take_unscored(session& s, tenant_id tenant, signal_id signal) {
  return any(
      s.execute("DELETE FROM unscored_signals WHERE tenant_id = $1 AND signal_id = $2", {tenant, signal}));
}

result<std::vector<due_notification>> lease_notifications(session& s, timestamp now, timestamp until,
                                                          int most, int each) {
  // A lease lies in the future and comes first among the tenant's, so it takes up one of its places.
  struct due {
    tenant_id tenant;
    timestamp at;
    grounded_signal row;
  };
  const auto waiting =
      all_of(s,
             select{"SELECT " GROUNDED_COLUMNS ", tenant_id, notify_at FROM (SELECT " GROUNDED_COLUMNS
                    ", tenant_id, notify_at, ROW_NUMBER() OVER (PARTITION BY tenant_id"}
                 .with(" ORDER BY CASE WHEN notify_at > ", now)
                 .raw(" THEN 0 ELSE 1 END, notify_at, id) AS place FROM grounded_signals"
                      " WHERE notify_at IS NOT NULL) AS waiting")
                 .with(" WHERE place <= ", each)
                 .with(" AND notify_at <= ", now)
                 .raw(" ORDER BY notify_at, id")
                 .with(" LIMIT ", most),
             [](const row& r) {
               return due{read_id<tenant_id>(r, 8), r.time(9), read_grounded(r)};
             });
  if (!waiting) return waiting.error();
  std::vector<due_notification> leased;
  for (const auto& d : *waiting) {
    const auto ours = s.execute(
        "UPDATE grounded_signals SET notify_at = $4 WHERE tenant_id = $1 AND id = $2 AND notify_at = $3",
        {d.tenant, d.row.id, d.at, until});
    if (!ours) return ours.error();
    if (*ours > 0) leased.push_back({d.tenant, d.row});
  }
  return leased;
}

result<> settle_notification(session& s, tenant_id tenant, grounded_id id) {
  return done(s.execute("UPDATE grounded_signals SET notify_at = NULL WHERE tenant_id = $1 AND id = $2",
                        {tenant, id}));
}

}  // namespace connectord::storage
