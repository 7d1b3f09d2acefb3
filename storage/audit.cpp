#include "storage/audit.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<> append_audit(session& s, tenant_id tenant, const audit_entry& e) {
  return done(
      s.execute("INSERT INTO audit_log (tenant_id, id, at, actor, action, object, outcome, trace_id)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                {tenant, uuid::make().text(), e.at, e.actor, e.action, e.object, e.outcome, e.trace_id}));
}

}  // namespace connectord::storage
