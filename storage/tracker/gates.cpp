#include "storage/tracker/gates.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

#define GATE_COLUMNS "tenant_id, id, project_id, repository, webhook_secret, created_at"

tracker::gate read_gate(const row& r) {
  return {.id = read_id<tracker::gate_id>(r, 1),
          .tenant = read_id<tenant_id>(r, 0),
          .project = read_id<tracker::project_id>(r, 2),
          .repository = r.str(3),
          .sealed_secret = std::string{r.bytes(4)},
          .created_at = r.time(5)};
}

}  // namespace

result<> insert_gate(session& s, const tracker::gate& g) {
  return done(s.execute("INSERT INTO gates (" GATE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)",
                        {g.tenant, g.id, g.project, g.repository, blob{g.sealed_secret}, g.created_at}));
}

result<bool> delete_gate(session& s, tenant_id tenant, tracker::gate_id id) {
  return any(s.execute("DELETE FROM gates WHERE tenant_id = $1 AND id = $2", {tenant, id}));
}

result<std::optional<tracker::gate>> find_gate(session& s, tracker::gate_id id) {
  return find_one(s, "SELECT " GATE_COLUMNS " FROM gates WHERE id = $1", {id}, read_gate);
}

result<std::optional<tracker::gate>> find_gate(session& s, tenant_id tenant, tracker::gate_id id) {
  return find_one(s, "SELECT " GATE_COLUMNS " FROM gates WHERE tenant_id = $1 AND id = $2", {tenant, id},
                  read_gate);
}

result<std::vector<tracker::gate>> list_gates(session& s, tenant_id tenant, const keyset& at, int limit) {
  return all_of(s,
                select{"SELECT " GATE_COLUMNS " FROM gates"}
                    .with(" WHERE tenant_id = ", tenant)
                    .beyond(" AND (created_at, id) > (", at.after)
                    .raw(" ORDER BY created_at, id")
                    .with(" LIMIT ", limit),
                read_gate);
}

result<bool> insert_gate_delivery(session& s, const tracker::gate& g, std::string_view delivery,
                                  timestamp now) {
  return any(
      s.execute("INSERT INTO gate_deliveries (tenant_id, gate_id, delivery_id, received_at)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, gate_id, delivery_id) DO NOTHING",
                {g.tenant, g.id, delivery, now}));
}

}  // namespace connectord::storage
