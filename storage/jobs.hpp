#pragma once

#include "domain/job.hpp"
#include "domain/queries.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <vector>

namespace connectord::storage {

/// CONFLICT when a connection has a queued or running incremental job and one of these is another.
result<> insert_jobs(session& s, tenant_id tenant, std::span<const job> jobs);
result<> insert_job(session& s, tenant_id tenant, const job& j);
/// Status, attempts, times, error and `signals_emitted`. NOT_FOUND when it is not there.
result<> update_job(session& s, tenant_id tenant, const job& j);
result<std::optional<job>> find_job(session& s, tenant_id tenant, job_id id);

/// By `scheduled_at`, then id, the latest first.
result<std::vector<job>> list_jobs(session& s, tenant_id tenant, const job_filter& filter,
                                   const std::optional<position>& after, int limit);

struct job_counts {
  std::int64_t queued = 0, running = 0;
};
result<job_counts> count_jobs(session& s, tenant_id tenant);

}  // namespace connectord::storage
