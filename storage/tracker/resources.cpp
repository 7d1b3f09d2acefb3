#include "storage/tracker/resources.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define RESOURCE_COLUMNS \
  "id, binding_id, provider, workspace, resource_type, resource_id, state, created_at, updated_at"

tracker::resource read_resource(const row& r) {
  return {.id = read_id<tracker::resource_id>(r, 0),
          .binding = read_id<tracker::binding_id>(r, 1),
          .provider = read_word<tracker::provider>(r, 2),
          .workspace = r.str(3),
          .type = r.str(4),
          .external_id = r.str(5),
          .state = read_word<tracker::binding_state>(r, 6),
          .created_at = r.time(7),
          .updated_at = r.time(8)};
}

select of_binding(const tenant_id& tenant, const tracker::binding_id& binding) {
  return select{"SELECT " RESOURCE_COLUMNS " FROM tracker_resources"}
      .with(" WHERE tenant_id = ", tenant)
      .with(" AND binding_id = ", binding)
      .raw(" AND state <> 'deleted'");
}

}  // namespace

result<> insert_resource(session& s, tenant_id tenant, const tracker::resource& r) {
  return done(s.execute("INSERT INTO tracker_resources (tenant_id, " RESOURCE_COLUMNS
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                        {tenant, r.id, r.binding, name_of(r.provider), r.workspace, r.type, r.external_id,
                         name_of(r.state), r.created_at, r.updated_at}));
}

result<> update_resource(session& s, tenant_id tenant, const tracker::resource& r) {
  return changed_one(
      s.execute("UPDATE tracker_resources SET state = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
                {tenant, r.id, name_of(r.state), r.updated_at}));
}

result<> delete_resources(session& s, tenant_id tenant, tracker::binding_id binding, timestamp now) {
  return done(
      s.execute("UPDATE tracker_resources SET state = 'deleted', updated_at = $3"
                " WHERE tenant_id = $1 AND binding_id = $2 AND state <> 'deleted'",
                {tenant, binding, now}));
}

result<std::optional<tracker::resource>> find_resource(session& s, tenant_id tenant,
                                                       tracker::resource_id id) {
  return find_one(s, "SELECT " RESOURCE_COLUMNS " FROM tracker_resources WHERE tenant_id = $1 AND id = $2",
                  {tenant, id}, read_resource);
}

result<std::optional<tracker::resource>> find_active_resource(session& s, tenant_id tenant,
                                                              tracker::provider provider,
                                                              std::string_view workspace,
                                                              std::string_view type,
                                                              std::string_view external_id) {
  return find_one(s,
                  "SELECT " RESOURCE_COLUMNS
                  " FROM tracker_resources WHERE tenant_id = $1 AND provider = $2 AND workspace = $3"
                  " AND resource_type = $4 AND resource_id = $5 AND state = 'active'",
                  {tenant, name_of(provider), workspace, type, external_id}, read_resource);
}

result<std::vector<tracker::resource>> active_resources(session& s, tenant_id tenant,
                                                        tracker::provider provider, std::string_view type) {
  return all_of(s,
                select{"SELECT " RESOURCE_COLUMNS " FROM tracker_resources"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND provider = ", name_of(provider))
                    .with(" AND resource_type = ", type)
                    .raw(" AND state = 'active'"),
                read_resource);
}

result<std::vector<tracker::resource>> resources_of(session& s, tenant_id tenant,
                                                    tracker::binding_id binding) {
  return all_of(s, of_binding(tenant, binding).raw(" ORDER BY created_at, id"), read_resource);
}

result<std::vector<tracker::resource>> list_resources(session& s, tenant_id tenant,
                                                      tracker::binding_id binding,
                                                      const std::optional<sort_key>& after, int limit) {
  auto q = of_binding(tenant, binding);
  q.beyond(" AND (created_at, id) > (", after);
  return all_of(s, q.raw(" ORDER BY created_at, id").with(" LIMIT ", limit), read_resource);
}

}  // namespace connectord::storage
