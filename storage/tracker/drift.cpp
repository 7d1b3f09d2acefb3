#include "storage/tracker/drift.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

#include <algorithm>

namespace connectord::storage {
namespace {

constexpr std::int64_t milliseconds_a_day = 86'400'000;

#define DRIFT_COLUMNS                                                                                       \
  "d.id, d.binding_id, d.project_id, d.link_id, d.kind, d.severity, d.field, d.wp_id, d.mission, d.system," \
  " d.workspace, d.external_id, d.external_key, d.external_url, d.local_value, d.external_value, d.owner,"  \
  " d.direction, d.state, d.resolution, d.opened_at, d.updated_at, d.resolved_at, d.opened_by, "            \
  "d.resolved_by"

tracker::drift_record read_drift(const row& r) {
  tracker::drift_record d;
  d.id = read_id<tracker::drift_id>(r, 0);
  d.binding = read_id<tracker::binding_id>(r, 1);
  d.project = read_id<tracker::project_id>(r, 2);
  d.link = maybe_id<tracker::link_id>(r, 3);
  d.kind = read_word<tracker::drift_kind>(r, 4);
  d.severity = read_word<tracker::severity>(r, 5);
  d.field = r.maybe_str(6);
  if (!r.is_null(7)) d.wp = tracker::wp_ref{r.str(7), r.str(8)};
  if (!r.is_null(11)) d.external = tracker::identity{r.str(9), r.str(10), r.str(11)};
  d.external_key = r.maybe_str(12);
  d.external_url = r.maybe_str(13);
  d.local_value = r.maybe_str(14);
  d.external_value = r.maybe_str(15);
  d.owner = maybe_word<tracker::owner>(r, 16);
  d.direction = read_word<tracker::direction>(r, 17);
  d.state = read_word<tracker::drift_state>(r, 18);
  d.resolution = maybe_word<tracker::resolution>(r, 19);
  d.opened_at = r.time(20);
  d.updated_at = r.time(21);
  d.resolved_at = r.maybe_time(22);
  d.opened_by = maybe_id<tracker::snapshot_id>(r, 23);
  d.resolved_by = maybe_id<tracker::snapshot_id>(r, 24);
  return d;
}

select open_ones(const tenant_id& tenant) {
  return select{"SELECT " DRIFT_COLUMNS " FROM tracker_drift d"}
      .with(" WHERE d.tenant_id = ", tenant)
      .raw(" AND d.state = 'open'");
}

/// A member of something that may be absent, as a parameter.
template <class T, class Member>
param member_of(const std::optional<T>& whole, Member T::*part) {
  return whole ? param{(*whole).*part} : param{nullptr};
}

void append(std::vector<param>& arguments, const tenant_id& tenant, const tracker::drift_record& d) {
  using tracker::identity, tracker::wp_ref;
  arguments.insert(arguments.end(), {tenant,
                                     d.id,
                                     d.binding,
                                     d.project,
                                     d.link,
                                     name_of(d.kind),
                                     name_of(d.severity),
                                     d.field,
                                     member_of(d.wp, &wp_ref::wp_id),
                                     member_of(d.wp, &wp_ref::mission),
                                     member_of(d.external, &identity::system),
                                     member_of(d.external, &identity::workspace),
                                     member_of(d.external, &identity::id),
                                     d.external_key,
                                     d.external_url,
                                     d.local_value,
                                     d.external_value,
                                     name_of(d.owner),
                                     name_of(d.direction),
                                     name_of(d.state),
                                     name_of(d.resolution),
                                     d.opened_at,
                                     d.updated_at,
                                     d.resolved_at,
                                     d.opened_by,
                                     d.resolved_by});
}

}  // namespace

result<std::vector<tracker::drift_record>> open_drift(session& s, tenant_id tenant,
                                                      tracker::binding_id binding) {
  return all_of(s, open_ones(tenant).with(" AND d.binding_id = ", binding), read_drift);
}

result<std::vector<tracker::drift_record>> open_drift_of_link(session& s, tenant_id tenant,
                                                              tracker::link_id link) {
  return all_of(s, open_ones(tenant).with(" AND d.link_id = ", link), read_drift);
}

result<std::vector<tracker::drift_record>> open_drift_of_links(session& s, tenant_id tenant,
                                                               std::span<const tracker::link_id> links) {
  if (links.empty()) return std::vector<tracker::drift_record>{};
  return all_of(s, open_ones(tenant).with_one_of(" AND d.link_id", links), read_drift);
}

result<std::vector<tracker::drift_record>> open_drift_of_binding(session& s, tenant_id tenant,
                                                                 tracker::binding_id binding) {
  return all_of(s,
                open_ones(tenant).with(" AND d.binding_id = ", binding).raw(" AND d.kind = 'stale_snapshot'"),
                read_drift);
}

result<tracker::drift_by_kind> count_open_drift(session& s, tenant_id tenant, tracker::binding_id binding) {
  tracker::drift_by_kind counts;
  const auto ok = s.query(
      "SELECT kind, COUNT(*) FROM tracker_drift WHERE tenant_id = $1 AND binding_id = $2 AND state = 'open'"
      " GROUP BY kind",
      {tenant, binding},
      [&](const row& r) { counts.emplace(read_word<tracker::drift_kind>(r, 0), r.integer(1)); });
  if (!ok) return ok.error();
  return counts;
}

result<> count_drift_of_day(session& s, tenant_id tenant, tracker::project_id project, timestamp day,
                            std::int64_t opened, std::int64_t resolved) {
  return done(
      s.execute("INSERT INTO tracker_drift_days (tenant_id, project_id, day, opened, resolved)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, project_id, day) DO UPDATE SET"
                " opened = tracker_drift_days.opened + $4, resolved = tracker_drift_days.resolved + $5",
                {tenant, project, to_millis(day) / milliseconds_a_day, opened, resolved}));
}

result<std::vector<std::int64_t>> drift_by_day(session& s, tenant_id tenant, tracker::project_id project,
                                               std::int64_t open, timestamp now, int days) {
  const auto last = to_millis(now) / milliseconds_a_day, first = last - (days - 1);
  std::vector<std::int64_t> out(static_cast<std::size_t>(days), open);
  // Backwards from what is open now: a day ended without what the days after it changed.
  const auto ok = s.query(
      "SELECT day, opened - resolved FROM tracker_drift_days"
      " WHERE tenant_id = $1 AND project_id = $2 AND day > $3",
      {tenant, project, first}, [&](const row& r) {
        const auto before = std::min(r.integer(0), last) - first;
        for (std::int64_t d = 0; d < before; ++d) out[static_cast<std::size_t>(d)] -= r.integer(1);
      });
  if (!ok) return ok.error();
  return out;
}

result<> insert_drift(session& s, tenant_id tenant, std::span<const tracker::drift_record> rows) {
  static const bulk_statement insert{
      "INSERT INTO tracker_drift (tenant_id, id, binding_id, project_id, link_id, kind, severity, field, "
      "wp_id,"
      " mission, system, workspace, external_id, external_key, external_url, local_value, external_value,"
      " owner, direction, state, resolution, opened_at, updated_at, resolved_at, opened_by, resolved_by)",
      26};
  constexpr std::size_t chunk = 256;
  std::vector<param> arguments;
  for (; !rows.empty(); rows = rows.subspan(std::min(chunk, rows.size()))) {
    arguments.clear();
    for (const auto& d : rows.first(std::min(chunk, rows.size()))) append(arguments, tenant, d);
    if (const auto ok = insert.run(s, arguments); !ok) return ok;
  }
  return {};
}

result<> update_drift(session& s, tenant_id tenant, const tracker::drift_record& d) {
  using tracker::wp_ref;
  return changed_one(s.execute(
      "UPDATE tracker_drift SET wp_id = $3, mission = $4, external_key = $5, external_url = $6,"
      " local_value = $7, external_value = $8, owner = $9, direction = $10, state = $11, resolution = $12,"
      " updated_at = $13, resolved_at = $14, resolved_by = $15 WHERE tenant_id = $1 AND id = $2",
      {tenant, d.id, member_of(d.wp, &wp_ref::wp_id), member_of(d.wp, &wp_ref::mission), d.external_key,
       d.external_url, d.local_value, d.external_value, name_of(d.owner), name_of(d.direction),
       name_of(d.state), name_of(d.resolution), d.updated_at, d.resolved_at, d.resolved_by}));
}

result<std::vector<tracker::drift_record>> list_drift(session& s, tenant_id tenant,
                                                      const tracker::drift_filter& filter,
                                                      const std::optional<sort_key>& after, int limit) {
  select q{
      "SELECT " DRIFT_COLUMNS
      " FROM tracker_drift d JOIN tracker_bindings b ON b.tenant_id = d.tenant_id AND b.id = d.binding_id"};
  q.with(" WHERE d.tenant_id = ", tenant).raw(" AND b.state <> 'deleted'");
  // SQLite uses the index of open ones only where its condition is spelled out.
  if (filter.states == tracker::any_of{"open"})
    q.raw(" AND d.state = 'open'");
  else
    q.with_one_of(" AND d.state", filter.states);
  q.with_one_of(" AND d.binding_id", filter.bindings)
      .with_one_of(" AND d.project_id", filter.projects)
      .with_one_of(" AND d.kind", filter.kinds)
      .with_one_of(" AND d.wp_id", filter.wp_ids)
      .with_one_of(" AND d.severity", filter.severities)
      .with_one_of(" AND d.link_id", filter.links);
  q.beyond(" AND (d.opened_at, d.id) < (", after);
  return all_of(s, q.raw(" ORDER BY d.opened_at DESC, d.id DESC").with(" LIMIT ", limit), read_drift);
}

result<std::optional<tracker::drift_record>> find_drift(session& s, tenant_id tenant, tracker::drift_id id) {
  return find_one(s, "SELECT " DRIFT_COLUMNS " FROM tracker_drift d WHERE d.tenant_id = $1 AND d.id = $2",
                  {tenant, id}, read_drift);
}

}  // namespace connectord::storage
