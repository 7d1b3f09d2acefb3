#include "storage/tracker/projects.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define PROJECT_COLUMNS "id, project_uuid, slug, name, created_at, updated_at"

tracker::project read_project(const row& r) {
  return {.id = read_id<tracker::project_id>(r, 0),
          .project_uuid = maybe_uuid(r, 1),
          .slug = r.str(2),
          .name = r.str(3),
          .created_at = r.time(4),
          .updated_at = r.time(5)};
}

tracker::project_tally read_tally(const row& r, int first) {
  return {
      .work_packages = r.integer(first), .mapped = r.integer(first + 1), .ambiguous = r.integer(first + 2)};
}

}  // namespace

result<> insert_project(session& s, tenant_id tenant, const tracker::project& p) {
  return done(s.execute("INSERT INTO projects (tenant_id, " PROJECT_COLUMNS
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7)",
                        {tenant, p.id, p.project_uuid, p.slug, p.name, p.created_at, p.updated_at}));
}

result<> update_project(session& s, tenant_id tenant, const tracker::project& p) {
  return changed_one(
      s.execute("UPDATE projects SET project_uuid = $3, slug = $4, name = $5, updated_at = $6"
                " WHERE tenant_id = $1 AND id = $2",
                {tenant, p.id, p.project_uuid, p.slug, p.name, p.updated_at}));
}

result<std::optional<tracker::project>> find_project(session& s, tenant_id tenant, const uuid& id_or_uuid) {
  auto by_id = find_one(s, "SELECT " PROJECT_COLUMNS " FROM projects WHERE tenant_id = $1 AND id = $2",
                        {tenant, id_or_uuid}, read_project);
  if (!by_id || *by_id) return by_id;
  return find_project_by_uuid(s, tenant, id_or_uuid);
}

result<std::optional<tracker::project>> find_project_by_uuid(session& s, tenant_id tenant, const uuid& u) {
  return find_one(s, "SELECT " PROJECT_COLUMNS " FROM projects WHERE tenant_id = $1 AND project_uuid = $2",
                  {tenant, u}, read_project);
}

result<std::optional<tracker::project>> find_project_by_slug(session& s, tenant_id tenant,
                                                             std::string_view slug) {
  return find_one(s, "SELECT " PROJECT_COLUMNS " FROM projects WHERE tenant_id = $1 AND slug = $2",
                  {tenant, slug}, read_project);
}

result<std::vector<tracker::project_id>> projects_named(session& s, tenant_id tenant,
                                                        std::span<const uuid> ids_or_uuids) {
  std::vector<tracker::project_id> found;
  for (const auto& u : ids_or_uuids) {
    const auto p = find_project(s, tenant, u);
    if (!p) return p.error();
    if (*p) found.push_back((*p)->id);
  }
  return found;
}

result<std::vector<tracker::project>> list_projects(session& s, tenant_id tenant, const keyset& at,
                                                    int limit) {
  return all_of(s,
                select{"SELECT " PROJECT_COLUMNS " FROM projects"}
                    .with(" WHERE tenant_id = ", tenant)
                    .beyond(" AND (slug) > (", at.after)
                    .raw(" ORDER BY slug")
                    .with(" LIMIT ", limit),
                read_project);
}

result<tracker::project_tally> tally_of(session& s, tenant_id tenant, const tracker::project_id& p) {
  const auto found =
      find_one(s, "SELECT work_packages, mapped, ambiguous FROM projects WHERE tenant_id = $1 AND id = $2",
               {tenant, p}, [](const row& r) { return read_tally(r, 0); });
  if (!found) return found.error();
  return found->value_or(tracker::project_tally{});
}

result<std::vector<counted_project>> all_projects(session& s, tenant_id tenant) {
  return all_of(s,
                select{"SELECT " PROJECT_COLUMNS ", work_packages, mapped, ambiguous FROM projects"}
                    .with(" WHERE tenant_id = ", tenant)
                    .raw(" ORDER BY slug"),
                [](const row& r) {
                  return counted_project{read_project(r), read_tally(r, 6)};
                });
}

}  // namespace connectord::storage
