#include "storage/tracker/links.hpp"

#include "domain/tracker/links.hpp"
#include "storage/bulk_statement.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

#include <algorithm>

namespace connectord::storage {
namespace {

#define LINK_COLUMNS                                                                             \
  "l.id, l.binding_id, l.project_id, l.wp_id, l.mission, l.system, l.workspace, l.external_id,"  \
  " l.external_key, l.external_url, l.source, l.state, l.claimed_at, l.ordinal, l.absent_since," \
  " l.created_at, l.updated_at, b.evidence"
/// Behind LINK_COLUMNS.
constexpr int own_columns = 18;
#define OF_BINDING \
  " FROM tracker_links l JOIN tracker_bindings b ON b.tenant_id = l.tenant_id AND b.id = l.binding_id"
#define SHOWN                                                                                      \
  "SELECT " LINK_COLUMNS                                                                           \
  ", (SELECT COUNT(*) FROM tracker_drift d WHERE d.tenant_id = l.tenant_id AND d.link_id = l.id"   \
  " AND d.state = 'open'), i.id, i.external_key, i.title, i.status, i.url, i.external_updated_at," \
  " i.presence" OF_BINDING                                                                         \
  " LEFT JOIN tracker_issues i ON i.tenant_id = l.tenant_id AND i.binding_id = l.binding_id"       \
  " AND i.workspace = l.workspace AND i.external_id = l.external_id AND i.system = l.system"

tracker::link read_link(const row& r) {
  tracker::link l;
  l.id = read_id<tracker::link_id>(r, 0);
  l.binding = read_id<tracker::binding_id>(r, 1);
  l.project = read_id<tracker::project_id>(r, 2);
  l.wp = {r.str(3), r.str(4)};
  l.target = {r.str(5), r.str(6), r.str(7)};
  l.external_key = r.maybe_str(8);
  l.external_url = r.maybe_str(9);
  l.source = read_word<tracker::link_source>(r, 10);
  l.state = read_word<tracker::link_state>(r, 11);
  l.claimed_at = r.time(12);
  l.ordinal = r.integer(13);
  if (!r.is_null(14)) l.absent_since = r.integer(14);
  l.created_at = r.time(15);
  l.updated_at = r.time(16);
  count_absences(l, r.integer(17));
  return l;
}

tracker::link_view read_view(const row& r) {
  tracker::link_view v{read_link(r), {}};
  v.link.drift_open = static_cast<int>(r.integer(own_columns));
  constexpr int first = own_columns + 1;
  if (r.is_null(first)) return v;
  v.issue = tracker::link_view::target{.id = read_id<tracker::issue_id>(r, first),
                                       .key = r.maybe_str(first + 1),
                                       .url = r.maybe_str(first + 4),
                                       .title = r.str(first + 2),
                                       .status = read_word<tracker::external_status>(r, first + 3),
                                       .updated_at = maybe_micros(r, first + 5),
                                       .presence = read_word<tracker::presence>(r, first + 6)};
  return v;
}

select of_binding(const tenant_id& tenant, const tracker::binding_id& binding) {
  return select{"SELECT " LINK_COLUMNS OF_BINDING}
      .with(" WHERE l.tenant_id = ", tenant)
      .with(" AND l.binding_id = ", binding);
}

}  // namespace

result<std::vector<tracker::link>> links_of_binding(session& s, tenant_id tenant,
                                                    tracker::binding_id binding) {
  return all_of(s, of_binding(tenant, binding).raw(" ORDER BY l.wp_id, l.mission"), read_link);
}

result<std::vector<tracker::link>> links_of_work_packages(session& s, tenant_id tenant,
                                                          tracker::binding_id binding,
                                                          std::span<const std::string> wp_ids) {
  std::vector<tracker::link> found;
  for (const auto& wp : wp_ids) {
    const auto ok = of_binding(tenant, binding)
                        .with(" AND l.wp_id = ", wp)
                        .raw(" ORDER BY l.mission")
                        .run(s, [&](const row& r) { found.push_back(read_link(r)); });
    if (!ok) return ok.error();
  }
  return found;
}

result<std::vector<tracker::link>> links_to(session& s, tenant_id tenant, tracker::binding_id binding,
                                            const tracker::identity& target) {
  return all_of(s,
                of_binding(tenant, binding)
                    .with(" AND l.external_id = ", target.id)
                    .with(" AND l.workspace = ", target.workspace)
                    .with(" AND l.system = ", target.system),
                read_link);
}

result<std::optional<tracker::link>> find_link(session& s, tenant_id tenant, tracker::link_id id) {
  return find_one(s, "SELECT " LINK_COLUMNS OF_BINDING " WHERE l.tenant_id = $1 AND l.id = $2", {tenant, id},
                  read_link);
}

result<> insert_links(session& s, tenant_id tenant, std::span<const tracker::link> rows) {
  static const bulk_statement insert{
      "INSERT INTO tracker_links (tenant_id, id, binding_id, project_id, wp_id, mission, system, workspace,"
      " external_id, external_key, external_url, source, state, claimed_at, ordinal, absent_since,"
      " created_at, updated_at)",
      18};
  constexpr std::size_t chunk = 256;
  std::vector<param> arguments;
  for (; !rows.empty(); rows = rows.subspan(std::min(chunk, rows.size()))) {
    arguments.clear();
    for (const auto& l : rows.first(std::min(chunk, rows.size())))
      arguments.insert(arguments.end(), {tenant, l.id, l.binding, l.project, l.wp.wp_id, l.wp.mission,
                                         l.target.system, l.target.workspace, l.target.id, l.external_key,
                                         l.external_url, name_of(l.source), name_of(l.state), l.claimed_at,
                                         l.ordinal, l.absent_since, l.created_at, l.updated_at});
    if (const auto ok = insert.run(s, arguments); !ok) return ok;
  }
  return {};
}

result<> update_link(session& s, tenant_id tenant, const tracker::link& l) {
  return changed_one(s.execute(
      "UPDATE tracker_links SET mission = $3, system = $4, workspace = $5, external_id = $6, external_key = "
      "$7,"
      " external_url = $8, source = $9, state = $10, claimed_at = $11, absent_since = $12,"
      " updated_at = $13 WHERE tenant_id = $1 AND id = $2",
      {tenant, l.id, l.wp.mission, l.target.system, l.target.workspace, l.target.id, l.external_key,
       l.external_url, name_of(l.source), name_of(l.state), l.claimed_at, l.absent_since, l.updated_at}));
}

result<> delete_link(session& s, tenant_id tenant, tracker::link_id id) {
  return changed_one(s.execute("DELETE FROM tracker_links WHERE tenant_id = $1 AND id = $2", {tenant, id}));
}

result<std::vector<tracker::link_view>> list_links(session& s, tenant_id tenant,
                                                   const tracker::link_filter& filter,
                                                   const std::optional<sort_key>& after,
                                                   std::optional<int> limit) {
  select q{SHOWN};
  q.with(" WHERE l.tenant_id = ", tenant)
      .raw(" AND b.state <> 'deleted'")
      .with_one_of(" AND l.binding_id", filter.bindings)
      .with_one_of(" AND l.project_id", filter.projects)
      .with_one_of(" AND l.wp_id", filter.wp_ids)
      .with_one_of(" AND l.mission", filter.missions)
      .with_one_of(" AND l.state", filter.states)
      .with_one_of(" AND l.external_id", filter.external_ids);
  q.beyond(" AND (l.wp_id, l.mission, l.id) > (", after);
  q.raw(" ORDER BY l.wp_id, l.mission, l.id").with_any(" LIMIT ", limit);
  return all_of(s, q, read_view);
}

result<tracker::link_view> view_link(session& s, tenant_id tenant, tracker::link_id id) {
  const auto found = find_one(s, SHOWN " WHERE l.tenant_id = $1 AND l.id = $2 AND b.state <> 'deleted'",
                              {tenant, id}, read_view);
  if (!found) return found.error();
  if (!*found) return error{errc::not_found};
  return **found;
}

}  // namespace connectord::storage
