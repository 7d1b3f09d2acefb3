#include "storage/tracker/work_packages.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

#include <algorithm>
#include <set>

namespace connectord::storage {
namespace {

#define WP_COLUMNS                                                                                   \
  "w.project_id, w.wp_id, w.mission, w.title, w.lane, w.assignee, w.priority, w.created_at,"         \
  " w.updated_at, CASE WHEN EXISTS (SELECT 1 FROM closed_missions c WHERE c.tenant_id = w.tenant_id" \
  " AND c.project_id = w.project_id AND c.mission = w.mission) THEN 1 ELSE 0 END"
#define OPEN_MISSION(wp)                                         \
  "(" wp                                                         \
  ".mission = '' OR NOT EXISTS (SELECT 1 FROM closed_missions m" \
  " WHERE m.tenant_id = " wp ".tenant_id AND m.project_id = " wp \
  ".project_id"                                                  \
  " AND m.mission = " wp ".mission))"
/// tracker::mapping of a work package of tenant $1 and project $2: by the state of the first link that speaks
/// of it. One without a mission speaks of those of open missions, or of all where every one is closed (as
/// tracker::candidates).
#define MAPPING \
  "CASE COALESCE((SELECT l.state FROM tracker_links l"                                              \
  " WHERE l.tenant_id = w.tenant_id AND l.project_id = w.project_id AND l.wp_id = w.wp_id"          \
  " AND l.binding_id IN (SELECT b.id FROM tracker_bindings b"                                       \
  " WHERE b.tenant_id = $1 AND b.project_id = $2 AND b.state <> 'deleted')"                         \
  " AND (l.mission = w.mission AND l.mission <> '' OR l.mission = '' AND (" OPEN_MISSION("w")       \
  " OR NOT EXISTS (SELECT 1 FROM work_packages o WHERE o.tenant_id = w.tenant_id"                   \
  " AND o.project_id = w.project_id AND o.wp_id = w.wp_id AND " OPEN_MISSION("o") ")))"             \
  " ORDER BY l.mission, l.id LIMIT 1), '')"                                                         \
  " WHEN '' THEN 'not_mapped' WHEN 'ambiguous' THEN 'ambiguous' ELSE 'mapped' END"
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

struct narrow_link {
  tracker::wp_ref wp;
  tracker::link_state state{};
};
struct narrow_wp {
  tracker::wp_ref ref;
  bool open = false;  ///< its mission is
};

tracker::mapping mapping_of(const narrow_wp& wp, bool none_open, std::span<const narrow_link> same_id) {
  for (const auto& l : same_id) {
    const bool speaks = l.wp.mission.empty() ? wp.open || none_open : l.wp.mission == wp.ref.mission;
    if (!speaks) continue;
    return l.state == tracker::link_state::ambiguous ? tracker::mapping::ambiguous : tracker::mapping::mapped;
  }
  return tracker::mapping::not_mapped;
}

/// Both in the order of their wp_id.
std::map<tracker::mapping, std::int64_t> counted(std::span<const narrow_wp> wps,
                                                 std::span<const narrow_link> links) {
  std::map<tracker::mapping, std::int64_t> counts;
  while (!wps.empty()) {
    const auto& id = wps.front().ref.wp_id;
    const auto same = std::ranges::find_if(wps, [&](const auto& wp) { return wp.ref.wp_id != id; });
    const auto group = wps.first(static_cast<std::size_t>(same - wps.begin()));
    const auto from = std::ranges::find_if(links, [&](const auto& l) { return l.wp.wp_id >= id; });
    links = links.subspan(static_cast<std::size_t>(from - links.begin()));
    const auto to = std::ranges::find_if(links, [&](const auto& l) { return l.wp.wp_id != id; });
    const auto theirs = links.first(static_cast<std::size_t>(to - links.begin()));
    const bool none_open = std::ranges::none_of(group, &narrow_wp::open);
    for (const auto& wp : group) ++counts[mapping_of(wp, none_open, theirs)];
    wps = wps.subspan(group.size());
  }
  return counts;
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
                    .with_any(" AND " MAPPING " = ", tracker::name_of(filter.mapping))
                    .beyond(" AND (w.wp_id, w.mission) > (", at.after)
                    .raw(" ORDER BY w.wp_id, w.mission")
                    .with(" LIMIT ", limit),
                read_wp);
}

result<std::map<tracker::mapping, std::int64_t>> count_by_mapping(session& s, tenant_id tenant,
                                                                  const tracker::project_id& p) {
  // MAPPING for a whole project, as one walk over both sides: a tenth of what the subqueries take.
  std::vector<narrow_link> links;
  auto ok = s.query(
      "SELECT wp_id, mission, state FROM tracker_links WHERE tenant_id = $1 AND project_id = $2"
      " AND binding_id IN (SELECT id FROM tracker_bindings"
      " WHERE tenant_id = $1 AND project_id = $2 AND state <> 'deleted')"
      " ORDER BY wp_id, mission, id",
      {tenant, p}, [&](const row& r) {
        links.push_back({{r.str(0), r.str(1)}, read_word<tracker::link_state>(r, 2)});
      });
  if (!ok) return ok.error();
  std::vector<narrow_wp> wps;
  ok = s.query("SELECT w.wp_id, w.mission, CASE WHEN " OPEN_MISSION("w") " THEN 1 ELSE 0 END"
               " FROM work_packages w WHERE w.tenant_id = $1 AND w.project_id = $2 ORDER BY w.wp_id, w.mission",
               {tenant, p},
               [&](const row& r) { wps.push_back({{r.str(0), r.str(1)}, r.integer(2) != 0}); });
  if (!ok) return ok.error();
  return counted(wps, links);
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
