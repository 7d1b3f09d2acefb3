#pragma once

#include "domain/job.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Jobs as work: who is due, who runs, and how a run ends. Every write of a run carries its fence, and a
/// stale fence writes nothing.
namespace connectord::storage {

struct queued_job {
  job row;
  bool coalesced = false;  ///< it was there: queued, and now due no later than asked for, or running
};
/// What becomes of the pause that a queued job waits out, because its provider or a failure asked for one.
enum class pausing { kept, ended };
/// A connection has one queued or running incremental job; jobs of other types are not restricted.
result<queued_job> enqueue_job(session& s, tenant_id tenant, const job& wanted, pausing waiting,
                               const std::optional<std::string>& cursor = {});

struct job_lease {
  std::string_view owner;
  timestamp expires_at{};
};
/// The tenant's most urgent due job of an active connection on which nothing runs; one statement. Webhook
/// jobs of a connection keep their order: behind one that pauses, all of them wait.
result<std::optional<claimed_job>> claim_job(session& s, tenant_id tenant, const job_lease& lease,
                                             timestamp now);
/// Whatever answers a bool here is false for a stale fence.
result<bool> renew_lease(session& s, tenant_id tenant, job_id id, std::int64_t fence, timestamp until);
result<bool> save_checkpoint(session& s, tenant_id tenant, job_id id, std::int64_t fence,
                             std::string_view cursor, std::int64_t signals, timestamp lease_until);
result<std::optional<claimed_job>> find_running(session& s, tenant_id tenant, job_id id);
/// `of.row` says how it ended: succeeded, failed, or queued again. The lease ends with it.
result<bool> finish_job(session& s, tenant_id tenant, const claimed_job& of);

struct reclaimed_jobs {
  std::int64_t count = 0;
  std::vector<connection_id> exhausted;  ///< had a sync job that failed here
};
/// Of a run that died: back to the queue as one counted failure, or failed when that was one too many.
/// Taken is what has an ended lease, or one in the name of `owner`.
result<reclaimed_jobs> reclaim_jobs(session& s, tenant_id tenant, int most_failures, std::string_view owner,
                                    timestamp now);
/// Of all tenants: the leases of a process that is known to be dead end now; without a name, everybody's.
result<std::int64_t> expire_job_leases(session& s, std::optional<std::string_view> owner, timestamp now);
/// What waits for a connection that is gone.
result<std::int64_t> cancel_jobs(session& s, tenant_id tenant, connection_id connection, timestamp now);

/// Whose turn it is, over all active tenants.
struct due_work {
  std::vector<tenant_id> to_schedule;  ///< a run is due, a lease has ended, or a delivery was only stored
  std::vector<tenant_id> to_run;       ///< a queued job is due
  std::optional<timestamp> next;       ///< when the next of them will be
  std::int64_t backlog = 0;            ///< queued jobs that are due
  std::optional<timestamp> oldest;     ///< since when the first of them is
};
result<due_work> find_due_work(session& s, timestamp now, int most_tenants);

/// Connections whose runs make no progress. Reads every row: not for each look.
result<std::int64_t> count_stalled(session& s);

/// Active connections whose access token ends before then, soonest first.
struct expiring_connection {
  tenant_id tenant;
  connection_id connection;
  timestamp expires_at{};
};
result<std::vector<expiring_connection>> find_expiring(session& s, timestamp before, int most);

/// What runs or waits of a tenant's connections: queued or running.
struct live_job {
  connection_id connection;
  job_status status{};
};
result<std::vector<live_job>> live_jobs(session& s, tenant_id tenant);

}  // namespace connectord::storage
