#include "storage/audit.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<> append_audit(session& s, const audit_entry& e) {
  return done(
      s.execute("INSERT INTO audit_log (id, tenant_id, at, actor, action, object, outcome, trace_id)"
                " VALUES ($1, $2, $3, $4, $5, $6, 'ok', $7)",
                {uuid::make().text(), e.tenant, e.at, e.actor, e.action, e.object, e.trace_id}));
}

result<std::vector<audit_row>> list_audit(session& s, tenant_id tenant, const audit_filter& filter,
                                          const std::optional<position>& after, int limit) {
  select q{"SELECT id, at, actor, action, trace_id FROM audit_log"};
  q.with(" WHERE tenant_id = ", tenant).with_any(" AND object = ", filter.connection);
  if (after) q.with(" AND (at, id) < (", after->sort).with(", ", after->id).raw(")");
  q.raw(" ORDER BY at DESC, id DESC").with(" LIMIT ", limit);
  return all_of(s, q, [](const row& r) {
    return audit_row{r.str(0), r.time(1), r.str(2), r.str(3), r.str(4)};
  });
}

}  // namespace connectord::storage
