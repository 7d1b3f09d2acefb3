#include "storage/jobs.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/job_row.hpp"
#include "storage/select.hpp"

#include <deque>

namespace connectord::storage {

result<> insert_jobs(session& s, tenant_id tenant, std::span<const job> jobs) {
  static const bulk_statement insert{"INSERT INTO sync_jobs (tenant_id, " JOB_COLUMNS ")", 16};
  std::vector<param> arguments;
  arguments.reserve(16 * jobs.size());
  std::deque<std::optional<std::string>> errors;  // the arguments point into it
  for (const auto& j : jobs)
    arguments.insert(arguments.end(),
                     {tenant, j.id, j.provider, j.connection, j.delivery, text_of(j.type), text_of(j.status),
                      j.priority, j.attempts, j.scheduled_at, j.created_at, j.retry_after, j.started_at,
                      j.finished_at, errors.emplace_back(error_text(j)), j.signals_emitted});
  return insert.run(s, arguments);
}

result<> insert_job(session& s, tenant_id tenant, const job& j) { return insert_jobs(s, tenant, {&j, 1}); }

result<> update_job(session& s, tenant_id tenant, const job& j) {
  const auto error = error_text(j);
  return changed_one(
      s.execute("UPDATE sync_jobs SET status = $3, attempts = $4, scheduled_at = $5, retry_after = $6,"
                " started_at = $7, finished_at = $8, error = $9, signals_emitted = $10"
                " WHERE tenant_id = $1 AND id = $2",
                {tenant, j.id, text_of(j.status), j.attempts, j.scheduled_at, j.retry_after, j.started_at,
                 j.finished_at, error, j.signals_emitted}));
}

result<std::optional<job>> find_job(session& s, tenant_id tenant, job_id id) {
  return find_one(s, "SELECT " JOB_COLUMNS " FROM sync_jobs WHERE tenant_id = $1 AND id = $2", {tenant, id},
                  read_job);
}

result<std::vector<job>> list_jobs(session& s, tenant_id tenant, const job_filter& filter,
                                   const std::optional<position>& after, int limit) {
  select q{"SELECT " JOB_COLUMNS " FROM sync_jobs"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_any(" AND status = ", text_of(filter.status))
      .with_any(" AND provider = ", filter.provider)
      .with_any(" AND connection_id = ", filter.connection)
      .with_any(" AND job_type = ", text_of(filter.type))
      .with_any(" AND started_at >= ", filter.started_after)
      .with_any(" AND finished_at >= ", filter.finished_after);
  if (after) q.with(" AND (scheduled_at, id) < (", after->sort).with(", ", after->id).raw(")");
  return all_of(s, q.raw(" ORDER BY scheduled_at DESC, id DESC").with(" LIMIT ", limit), read_job);
}

result<job_counts> count_jobs(session& s, tenant_id tenant) {
  const auto counts = find_one(s,
                               "SELECT COUNT(CASE WHEN status = 'queued' THEN 1 END),"
                               " COUNT(CASE WHEN status = 'running' THEN 1 END) FROM sync_jobs"
                               " WHERE tenant_id = $1 AND status IN ('queued', 'running')",
                               {tenant}, [](const row& r) {
                                 return job_counts{r.integer(0), r.integer(1)};
                               });
  if (!counts) return counts.error();
  return counts->value_or(job_counts{});
}

}  // namespace connectord::storage
