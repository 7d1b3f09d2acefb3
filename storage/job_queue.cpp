#include "storage/job_queue.hpp"

#include "storage/job_row.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

/// Beside the status that is meant: SQLite uses a partial index only where its condition is spelled out.
#define LIVE "status IN ('queued', 'running')"

/// That `j`, queued, need not wait for an older webhook job of its connection.
#define IN_ORDER                                                                                      \
  "(j.job_type <> 'webhook' OR NOT EXISTS (SELECT 1 FROM sync_jobs e WHERE e.tenant_id = j.tenant_id" \
  " AND e.connection_id = j.connection_id AND e." LIVE                                                \
  " AND e.status = 'queued' AND e.job_type = 'webhook'"                                               \
  " AND (e.scheduled_at, e.id) < (j.scheduled_at, j.id)))"

/// Behind JOB_COLUMNS.
constexpr int own_columns = 15;

claimed_job read_claimed(const row& r) {
  return {read_job(r), r.integer(own_columns), r.integer(own_columns + 1), r.maybe_str(own_columns + 2)};
}

result<std::vector<tenant_id>> tenants_of(session& s, std::string_view sql, params arguments) {
  std::vector<tenant_id> found;
  const auto ok = s.query(sql, arguments, [&](const row& r) { found.push_back(read_id<tenant_id>(r, 0)); });
  if (!ok) return ok.error();
  return found;
}

void keep_earlier(std::optional<timestamp>& first, std::optional<timestamp> other) {
  if (other && (!first || *other < *first)) first = other;
}

/// The earliest time that a statement names.
result<> look_ahead(session& s, std::string_view sql, params arguments, std::optional<timestamp>& next) {
  return s.query(sql, arguments, [&](const row& r) { keep_earlier(next, r.maybe_time(0)); });
}

}  // namespace

result<queued_job> enqueue_job(session& s, tenant_id tenant, const job& j, pausing waiting,
                               const std::optional<std::string>& cursor) {
  const auto ends = waiting == pausing::ended ? std::optional{j.scheduled_at} : std::nullopt;
  const auto stored = find_one(
      s,
      "INSERT INTO sync_jobs (tenant_id, id, provider, connection_id, job_type, status, priority,"
      " scheduled_at, created_at, cursor) VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, $9)"
      " ON CONFLICT (tenant_id, connection_id) WHERE job_type = 'incremental' AND status IN "
      "('queued', 'running')"
      " DO UPDATE SET"
      " scheduled_at = CASE WHEN sync_jobs.status = 'queued' AND sync_jobs.scheduled_at > $7 THEN $7"
      " ELSE sync_jobs.scheduled_at END,"
      " retry_after = CASE WHEN sync_jobs.status = 'queued' AND sync_jobs.retry_after > $10 THEN NULL"
      " ELSE sync_jobs.retry_after END"
      " RETURNING " JOB_COLUMNS,
      {tenant, j.id, j.provider, j.connection, text_of(j.type), j.priority, j.scheduled_at, j.created_at,
       cursor, ends},
      read_job);
  if (!stored) return stored.error();
  return queued_job{**stored, (*stored)->id != j.id};
}

result<std::optional<claimed_job>> claim_job(session& s, tenant_id tenant, const job_lease& lease,
                                             timestamp now) {
  return find_one(
      s,
      "UPDATE sync_jobs SET status = 'running', started_at = $2, attempts = attempts + 1,"
      " retry_after = NULL, lease_owner = $3, lease_expires_at = $4, fence = fence + 1"
      " WHERE tenant_id = $1 AND id = ("
      "SELECT j.id FROM sync_jobs j JOIN connections c ON c.tenant_id = j.tenant_id AND c.id = "
      "j.connection_id"
      " WHERE j.tenant_id = $1 AND j." LIVE
      " AND j.status = 'queued' AND COALESCE(j.retry_after, j.scheduled_at) <= $2"
      " AND c.status = 'active' AND NOT EXISTS (SELECT 1 FROM sync_jobs o WHERE o.tenant_id = j.tenant_id"
      " AND o.connection_id = j.connection_id AND o." LIVE " AND o.status = 'running') AND " IN_ORDER
      " ORDER BY j.priority DESC, j.scheduled_at, j.id LIMIT 1) AND status = 'queued'"
      " RETURNING " JOB_COLUMNS ", fence, counted_failures, cursor",
      {tenant, now, lease.owner, lease.expires_at}, read_claimed);
}

result<bool> renew_lease(session& s, tenant_id tenant, job_id id, std::int64_t fence, timestamp until) {
  return any(
      s.execute("UPDATE sync_jobs SET lease_expires_at = $4"
                " WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'running'",
                {tenant, id, fence, until}));
}

result<bool> save_checkpoint(session& s, tenant_id tenant, job_id id, std::int64_t fence,
                             std::string_view cursor, std::int64_t signals, timestamp lease_until) {
  return any(
      s.execute("UPDATE sync_jobs SET cursor = $4, signals_emitted = signals_emitted + $5,"
                " lease_expires_at = $6"
                " WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'running'",
                {tenant, id, fence, cursor, signals, lease_until}));
}

result<std::optional<claimed_job>> find_running(session& s, tenant_id tenant, job_id id) {
  return find_one(s,
                  "SELECT " JOB_COLUMNS
                  ", fence, counted_failures, cursor FROM sync_jobs"
                  " WHERE tenant_id = $1 AND id = $2 AND status = 'running'",
                  {tenant, id}, read_claimed);
}

result<bool> finish_job(session& s, tenant_id tenant, const claimed_job& of) {
  const auto& j = of.row;
  const auto error = error_text(j);
  return any(
      s.execute("UPDATE sync_jobs SET status = $4, attempts = $5, counted_failures = $6, retry_after = $7,"
                " finished_at = $8, error = $9, lease_owner = NULL, lease_expires_at = NULL"
                " WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND status = 'running'",
                {tenant, j.id, of.fence, text_of(j.status), j.attempts, of.counted_failures, j.retry_after,
                 j.finished_at, error}));
}

result<reclaimed_jobs> reclaim_jobs(session& s, tenant_id tenant, int most_failures, std::string_view owner,
                                    timestamp now) {
  reclaimed_jobs out;
  const auto died = encode_error({"attempts_exhausted", "the run ended with its process", now, {}});
  const auto failed = s.query(
      "UPDATE sync_jobs SET status = 'failed', finished_at = $2, error = $5,"
      " counted_failures = counted_failures + 1, fence = fence + 1, lease_owner = NULL,"
      " lease_expires_at = NULL WHERE tenant_id = $1 AND " LIVE
      " AND status = 'running'"
      " AND (lease_expires_at <= $2 OR lease_owner = $3) AND counted_failures + 1 >= $4"
      " RETURNING connection_id, job_type",
      {tenant, now, owner, most_failures, died}, [&](const row& r) {
        ++out.count;
        if (read_name<job_type>(r, 1) != job_type::webhook)
          out.exhausted.push_back(read_id<connection_id>(r, 0));
      });
  if (!failed) return failed.error();
  const auto queued = s.execute(
      "UPDATE sync_jobs SET status = 'queued', counted_failures = counted_failures + 1,"
      " fence = fence + 1, lease_owner = NULL, lease_expires_at = NULL"
      " WHERE tenant_id = $1 AND " LIVE
      " AND status = 'running' AND (lease_expires_at <= $2 OR lease_owner = $3)",
      {tenant, now, owner});
  if (!queued) return queued.error();
  out.count += *queued;
  return out;
}

result<std::int64_t> expire_job_leases(session& s, std::optional<std::string_view> owner, timestamp now) {
  if (owner)
    return s.execute(
        "UPDATE sync_jobs SET lease_expires_at = $1"
        " WHERE " LIVE " AND status = 'running' AND lease_expires_at > $1 AND lease_owner = $2",
        {now, *owner});
  return s.execute("UPDATE sync_jobs SET lease_expires_at = $1 WHERE " LIVE
                   " AND status = 'running' AND lease_expires_at > $1",
                   {now});
}

result<std::int64_t> cancel_jobs(session& s, tenant_id tenant, connection_id connection, timestamp now) {
  const auto why = encode_error({"permanent", "the connection was removed", now, {}});
  return s.execute(
      "UPDATE sync_jobs SET status = 'failed', finished_at = $3, error = $4, fence = fence + 1,"
      " lease_owner = NULL, lease_expires_at = NULL"
      " WHERE tenant_id = $1 AND connection_id = $2 AND status IN ('queued', 'running')",
      {tenant, connection, now, why});
}

/// Queued jobs whose tenant and connection may run something.
#define CLAIMABLE                                                               \
  " FROM sync_jobs j JOIN tenants t ON t.id = j.tenant_id"                      \
  " JOIN connections c ON c.tenant_id = j.tenant_id AND c.id = j.connection_id" \
  " WHERE j." LIVE " AND j.status = 'queued' AND t.status = 'active' AND c.status = 'active' AND " IN_ORDER

result<due_work> find_due_work(session& s, timestamp now, int most_tenants) {
  due_work out;
  auto run = tenants_of(s,
                        "SELECT DISTINCT j.tenant_id" CLAIMABLE
                        " AND COALESCE(j.retry_after, j.scheduled_at) <= $1 LIMIT $2",
                        {now, most_tenants});
  if (!run) return run.error();
  out.to_run = std::move(*run);
  auto schedule =
      tenants_of(s,
                 "SELECT c.tenant_id FROM connections c JOIN tenants t ON t.id = c.tenant_id"
                 " WHERE c.status = 'active' AND c.next_run_at <= $1 AND t.status = 'active'"
                 " UNION SELECT j.tenant_id FROM sync_jobs j JOIN tenants t ON t.id = j.tenant_id"
                 " WHERE j." LIVE
                 " AND j.status = 'running' AND j.lease_expires_at <= $1 AND t.status = 'active'"
                 " UNION SELECT d.tenant_id FROM deliveries d JOIN tenants t ON t.id = d.tenant_id"
                 " WHERE d.status = 'received' AND t.status = 'active' LIMIT $2",
                 {now, most_tenants});
  if (!schedule) return schedule.error();
  out.to_schedule = std::move(*schedule);
  const auto waiting = s.query("SELECT COUNT(*), MIN(COALESCE(j.retry_after, j.scheduled_at))" CLAIMABLE
                               " AND COALESCE(j.retry_after, j.scheduled_at) <= $1",
                               {now}, [&](const row& r) {
                                 out.backlog = r.integer(0);
                                 out.oldest = r.maybe_time(1);
                               });
  if (!waiting) return waiting.error();
  for (const std::string_view sql :
       {"SELECT MIN(COALESCE(j.retry_after, j.scheduled_at))" CLAIMABLE
        " AND COALESCE(j.retry_after, j.scheduled_at) > $1",
        "SELECT MIN(lease_expires_at) FROM sync_jobs WHERE " LIVE
        " AND status = 'running' AND lease_expires_at > $1",
        "SELECT MIN(next_run_at) FROM connections WHERE status = 'active' AND next_run_at > $1"})
    if (const auto ok = look_ahead(s, sql, {now}, out.next); !ok) return ok.error();
  return out;
}

result<std::int64_t> count_stalled(session& s) {
  std::int64_t n = 0;
  const auto ok = s.query(
      "SELECT COUNT(*) FROM connections WHERE status = 'active' AND next_run_at IS NOT NULL"
      " AND metadata LIKE '%\"stalled\":true%'",
      {}, [&](const row& r) { n = r.integer(0); });
  if (!ok) return ok.error();
  return n;
}

result<std::vector<expiring_connection>> find_expiring(session& s, timestamp before, int most) {
  std::vector<expiring_connection> found;
  const auto ok = s.query(
      "SELECT c.tenant_id, c.id, c.expires_at FROM connections c JOIN tenants t ON t.id = c.tenant_id"
      " WHERE c.expires_at IS NOT NULL AND c.expires_at <= $1 AND c.status = 'active'"
      " AND c.refresh_ciphertext IS NOT NULL AND t.status = 'active' ORDER BY c.expires_at LIMIT $2",
      {before, most}, [&](const row& r) {
        found.push_back({read_id<tenant_id>(r, 0), read_id<connection_id>(r, 1), r.time(2)});
      });
  if (!ok) return ok.error();
  return found;
}

result<std::vector<live_job>> live_jobs(session& s, tenant_id tenant) {
  std::vector<live_job> found;
  const auto ok = s.query(
      "SELECT connection_id, status FROM sync_jobs"
      " WHERE tenant_id = $1 AND status IN ('queued', 'running')",
      {tenant}, [&](const row& r) {
        found.push_back({read_id<connection_id>(r, 0), read_name<job_status>(r, 1)});
      });
  if (!ok) return ok.error();
  return found;
}

}  // namespace connectord::storage
