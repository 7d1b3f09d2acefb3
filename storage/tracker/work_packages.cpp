#include "storage/tracker/work_packages.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

#include <set>

namespace connectord::storage {
namespace {

#define WP_COLUMNS                                                                                   \
  "w.project_id, w.wp_id, w.mission, w.title, w.lane, w.assignee, w.priority, w.created_at,"         \
  " w.updated_at, CASE WHEN EXISTS (SELECT 1 FROM closed_missions c WHERE c.tenant_id = w.tenant_id" \
  " AND c.project_id = w.project_id AND c.mission = w.mission) THEN 1 ELSE 0 END"
#define OF_ONE " WHERE tenant_id = $1 AND project_id = $2 AND wp_id = $3 AND mission = $4"

tracker::work_package read_wp(const row& r) {
  tracker::work_package wp;
  wp.project = read_id<tracker::project_id>(r, 0);
  wp.ref = {r.str(1), r.str(2)};
  wp.title = r.maybe_str(3);
  wp.lane = read_word<tracker::lane>(r, 4);
  wp.assignee = r.maybe_str(5);
  if (!r.is_null(6)) wp.priority = static_cast<int>(r.integer(6));
  wp.created_at = r.time(7);
  wp.updated_at = r.time(8);
  wp.mission_closed = r.integer(9) != 0;
  return wp;
}

result<std::vector<tracker::work_package>> of_project(session& s, const tenant_id& tenant,
                                                      const tracker::project_id& p,
                                                      const std::optional<std::string>& wp_id) {
  return all_of(s,
                select{"SELECT " WP_COLUMNS " FROM work_packages w"}
                    .with(" WHERE w.tenant_id = ", tenant)
                    .with(" AND w.project_id = ", p)
                    .with_any(" AND w.wp_id = ", wp_id)
                    .raw(" ORDER BY w.wp_id, w.mission"),
                read_wp);
}

}  // namespace

result<> put_work_package(session& s, tenant_id tenant, const tracker::work_package& wp) {
  return done(s.execute(
      "INSERT INTO work_packages (tenant_id, project_id, wp_id, mission, title, lane, assignee, priority,"
      " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
      " ON CONFLICT (tenant_id, project_id, wp_id, mission) DO UPDATE SET title = $5, lane = $6,"
      " assignee = $7, priority = $8, updated_at = $10",
      {tenant, wp.project, wp.ref.wp_id, wp.ref.mission, wp.title, tracker::name_of(wp.lane), wp.assignee,
       wp.priority, wp.created_at, wp.updated_at}));
}

result<std::optional<tracker::event_rank>> rank_of_lane(session& s, tenant_id tenant,
                                                        const tracker::project_id& p,
                                                        const tracker::wp_ref& wp) {
  return find_one(
      s, "SELECT lane_clock, lane_node, lane_event FROM work_packages" OF_ONE " AND lane_clock IS NOT NULL",
      {tenant, p, wp.wp_id, wp.mission}, [](const row& r) {
        return tracker::event_rank{r.integer(0), r.str(1), r.str(2)};
      });
}

result<> set_rank_of_lane(session& s, tenant_id tenant, const tracker::project_id& p,
                          const tracker::wp_ref& wp, const tracker::event_rank& rank) {
  return done(s.execute("UPDATE work_packages SET lane_clock = $5, lane_node = $6, lane_event = $7" OF_ONE,
                        {tenant, p, wp.wp_id, wp.mission, rank.lamport, rank.node, rank.event}));
}

result<std::optional<tracker::work_package>> find_work_package(session& s, tenant_id tenant,
                                                               const tracker::project_id& p,
                                                               const tracker::wp_ref& wp) {
  return find_one(s,
                  "SELECT " WP_COLUMNS
                  " FROM work_packages w WHERE w.tenant_id = $1 AND w.project_id = $2"
                  " AND w.wp_id = $3 AND w.mission = $4",
                  {tenant, p, wp.wp_id, wp.mission}, read_wp);
}

result<std::vector<tracker::work_package>> work_packages_of(session& s, tenant_id tenant,
                                                            const tracker::project_id& p,
                                                            std::span<const std::string> wp_ids) {
  constexpr std::size_t few = 64;  // beyond it one walk over the project is quicker
  const std::set<std::string_view> wanted{wp_ids.begin(), wp_ids.end()};
  std::vector<tracker::work_package> found;
  if (wanted.size() > few) {
    auto all = of_project(s, tenant, p, std::nullopt);
    if (!all) return all.error();
    std::erase_if(*all, [&](const auto& wp) { return !wanted.contains(wp.ref.wp_id); });
    return all;
  }
  for (const auto id : wanted) {
    auto some = of_project(s, tenant, p, std::string{id});
    if (!some) return some.error();
    std::ranges::move(*some, std::back_inserter(found));
  }
  return found;
}

result<std::vector<tracker::work_package>> list_work_packages(session& s, tenant_id tenant,
                                                              const tracker::project_id& p,
                                                              const tracker::work_package_filter& filter,
                                                              const keyset& at, int limit) {
  std::vector<std::string_view> lanes;
  for (const auto l : filter.lanes) lanes.push_back(tracker::name_of(l));
  return all_of(s,
                select{"SELECT " WP_COLUMNS " FROM work_packages w"}
                    .with(" WHERE w.tenant_id = ", tenant)
                    .with(" AND w.project_id = ", p)
                    .with_one_of(" AND w.lane", lanes)
                    .with_one_of(" AND w.mission", filter.missions)
                    .beyond(" AND (w.wp_id, w.mission) > (", at.after)
                    .raw(" ORDER BY w.wp_id, w.mission")
                    .with(" LIMIT ", limit),
                read_wp);
}

result<bool> close_mission(session& s, tenant_id tenant, const tracker::project_id& p,
                           std::string_view mission, timestamp now) {
  return any(
      s.execute("INSERT INTO closed_missions (tenant_id, project_id, mission, closed_at)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, project_id, mission) DO NOTHING",
                {tenant, p, mission, now}));
}

result<std::vector<std::string>> wp_ids_of_mission(session& s, tenant_id tenant, const tracker::project_id& p,
                                                   std::string_view mission) {
  return all_of(s,
                select{"SELECT wp_id FROM work_packages"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with(" AND project_id = ", p)
                    .with(" AND mission = ", mission)
                    .raw(" ORDER BY wp_id"),
                [](const row& r) { return r.str(0); });
}

}  // namespace connectord::storage
