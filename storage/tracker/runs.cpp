#include "storage/tracker/runs.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define RUN_COLUMNS \
  "id, binding_id, receipt_id, cause, status, started_at, finished_at, counts, error_code, error_message"

tracker::sync_run read_run(const row& r) {
  return {.id = read_id<tracker::run_id>(r, 0),
          .binding = read_id<tracker::binding_id>(r, 1),
          .receipt = maybe_id<tracker::snapshot_id>(r, 2),
          .cause = read_word<tracker::run_trigger>(r, 3),
          .status = read_word<tracker::run_status>(r, 4),
          .started_at = r.time(5),
          .finished_at = r.time(6),
          .counts = r.str(7),
          .error_code = r.maybe_str(8),
          .error_message = r.maybe_str(9)};
}

}  // namespace

result<> insert_run(session& s, tenant_id tenant, const tracker::sync_run& run) {
  return done(s.execute("INSERT INTO tracker_runs (tenant_id, " RUN_COLUMNS
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                        {tenant, run.id, run.binding, run.receipt, name_of(run.cause), name_of(run.status),
                         run.started_at, run.finished_at, run.counts, run.error_code, run.error_message}));
}

result<std::vector<tracker::sync_run>> list_runs(session& s, tenant_id tenant, tracker::binding_id binding,
                                                 const std::optional<sort_key>& after, int limit) {
  select q{"SELECT " RUN_COLUMNS " FROM tracker_runs"};
  q.with(" WHERE tenant_id = ", tenant).with(" AND binding_id = ", binding);
  q.beyond(" AND (started_at, id) < (", after);
  return all_of(s, q.raw(" ORDER BY started_at DESC, id DESC").with(" LIMIT ", limit), read_run);
}

}  // namespace connectord::storage
