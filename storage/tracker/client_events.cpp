#include "storage/tracker/client_events.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<bool> insert_client_event(session& s, tenant_id tenant, const client_event_row& e) {
  return any(
      s.execute("INSERT INTO client_events (tenant_id, event_id, project_id, received_at, envelope)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, event_id) DO NOTHING",
                {tenant, e.key, e.project, e.received_at, e.envelope}));
}

}  // namespace connectord::storage
