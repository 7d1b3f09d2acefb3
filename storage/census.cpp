#include "storage/census.hpp"

#include "storage/codec.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

// CROSS JOIN keeps SQLite to the order that is written: few rows first.

result<> count_inbox(session& s, census& c) {
  const auto waiting = s.query(
      "SELECT COUNT(*), MIN(d.received_at) FROM deliveries d CROSS JOIN tenants t"
      " WHERE d.status = 'received' AND t.id = d.tenant_id AND t.status = 'active'",
      {}, [&](const row& r) {
        c.received = r.integer(0);
        c.oldest_received = r.maybe_time(1);
      });
  if (!waiting) return waiting;
  return s.query(
      "SELECT status, COUNT(*) FROM deliveries WHERE status IN ('failed', 'quarantined') GROUP BY status", {},
      [&](const row& r) {
        (read_name<delivery_status>(r, 0) == delivery_status::failed ? c.failed : c.quarantined) =
            r.integer(1);
      });
}

result<> count_jobs(session& s, census& c) {
  return s.query(
      "SELECT job_type, status, COUNT(*) FROM sync_jobs WHERE status IN ('queued', 'running')"
      " GROUP BY job_type, status",
      {}, [&](const row& r) {
        c.jobs.push_back({read_name<job_type>(r, 0), read_name<job_status>(r, 1), r.integer(2)});
      });
}

result<> count_connections(session& s, census& c) {
  return s.query(
      "SELECT provider, status, COUNT(*), MIN(expires_at) FROM connections GROUP BY provider, status", {},
      [&](const row& r) {
        c.connections.push_back(
            {r.str(0), read_name<connection_status>(r, 1), r.integer(2), r.maybe_time(3)});
      });
}

result<> count_snapshots(session& s, census& c) {
  return s.query(
      "SELECT provider, MIN(last_snapshot_at), MIN(CASE WHEN 20 * place > total THEN last_snapshot_at END)"
      " FROM (SELECT provider, last_snapshot_at, COUNT(*) OVER (PARTITION BY provider) AS total,"
      " ROW_NUMBER() OVER (PARTITION BY provider ORDER BY last_snapshot_at) AS place FROM tracker_bindings"
      " WHERE state IN ('discovered', 'active') AND last_snapshot_at IS NOT NULL) ranked GROUP BY provider",
      {}, [&](const row& r) {
        c.snapshots.push_back({read_word<tracker::provider>(r, 0), r.time(1), r.time(2)});
      });
}

result<> count_drift(session& s, census& c) {
  return s.query(
      "SELECT b.provider, CAST(SUM(d.found) AS BIGINT)"
      " FROM (SELECT tenant_id, binding_id, COUNT(*) AS found FROM tracker_drift WHERE state = 'open'"
      " GROUP BY tenant_id, binding_id) d CROSS JOIN tracker_bindings b"
      " WHERE b.tenant_id = d.tenant_id AND b.id = d.binding_id GROUP BY b.provider",
      {}, [&](const row& r) {
        c.drift.push_back({read_word<tracker::provider>(r, 0), r.integer(1)});
      });
}

}  // namespace

result<census> take_census(session& s) {
  census c;
  for (const auto count : {count_inbox, count_jobs, count_connections, count_snapshots, count_drift})
    if (const auto ok = count(s, c); !ok) return ok.error();
  return c;
}

}  // namespace connectord::storage
