#include "storage/retention.hpp"

namespace connectord::storage {

result<std::int64_t> purge_deliveries(session& s, tenant_id tenant, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM deliveries WHERE tenant_id = $1 AND id IN (SELECT id FROM deliveries"
      " WHERE tenant_id = $1 AND received_at < $2 AND status <> 'received' ORDER BY received_at LIMIT $3)",
      {tenant, before, limit});
}

result<std::int64_t> purge_delivery_keys(session& s, tenant_id tenant, timestamp now, int limit) {
  return s.execute(
      "DELETE FROM delivery_keys WHERE tenant_id = $1 AND (provider, dedupe_id) IN"
      " (SELECT provider, dedupe_id FROM delivery_keys WHERE tenant_id = $1 AND expires_at <= $2 LIMIT $3)",
      {tenant, now, limit});
}

result<std::int64_t> purge_jobs(session& s, tenant_id tenant, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM sync_jobs WHERE tenant_id = $1 AND id IN (SELECT id FROM sync_jobs"
      " WHERE tenant_id = $1 AND scheduled_at < $2 AND finished_at < $2 AND status IN ('succeeded', 'failed')"
      " ORDER BY scheduled_at LIMIT $3)",
      {tenant, before, limit});
}

result<std::int64_t> purge_signals(session& s, tenant_id tenant, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM signals WHERE tenant_id = $1 AND id IN (SELECT id FROM signals"
      " WHERE tenant_id = $1 AND occurred_at < $2 AND received_at < $2 ORDER BY occurred_at LIMIT $3)",
      {tenant, before, limit});
}

result<std::int64_t> purge_unscored(session& s, tenant_id tenant, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM unscored_signals WHERE tenant_id = $1 AND signal_id IN (SELECT signal_id"
      " FROM unscored_signals WHERE tenant_id = $1 AND occurred_at < $2 ORDER BY signal_id LIMIT $3)",
      {tenant, before, limit});
}

result<std::int64_t> purge_idempotency(session& s, timestamp now, int limit) {
  return s.execute(
      "DELETE FROM idempotency_keys WHERE (scope, key) IN"
      " (SELECT scope, key FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
      {now, limit});
}

result<std::int64_t> purge_oauth_states(session& s, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM oauth_states WHERE (tenant_id, id) IN"
      " (SELECT tenant_id, id FROM oauth_states WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
      {before, limit});
}

result<std::int64_t> purge_refresh_intents(session& s, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM refresh_intents WHERE (tenant_id, id) IN"
      " (SELECT tenant_id, id FROM refresh_intents WHERE outcome IS NOT NULL AND started_at < $1"
      " ORDER BY started_at LIMIT $2)",
      {before, limit});
}

result<std::int64_t> purge_previous_refresh(session& s, timestamp now, int limit) {
  return s.execute(
      "UPDATE connections SET previous_refresh_ciphertext = NULL, previous_refresh_valid_until = NULL"
      " WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM connections"
      " WHERE previous_refresh_valid_until <= $1 ORDER BY previous_refresh_valid_until LIMIT $2)",
      {now, limit});
}

result<std::int64_t> purge_unrouted(session& s, timestamp before, int limit) {
  return s.execute(
      "DELETE FROM unrouted_deliveries WHERE id IN"
      " (SELECT id FROM unrouted_deliveries WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
      {before, limit});
}

}  // namespace connectord::storage
