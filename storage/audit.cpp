#include "storage/audit.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<> append_audit(session& s, const audit_entry& e) {
  return done(
      s.execute("INSERT INTO audit_log (id, tenant_id, at, actor, action, object, outcome, trace_id)"
                " VALUES ($1, $2, $3, $4, $5, $6, 'ok', $7)",
                {uuid::make().text(), e.tenant, e.at, e.actor, e.action, e.object, e.trace_id}));
}

}  // namespace connectord::storage
