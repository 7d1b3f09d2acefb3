#include "storage/tracker/work_packages.hpp"

#include "domain/tracker/summary.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <set>

namespace connectord::storage {
namespace {

constexpr std::size_t few = 256;  // ids; beyond it one walk over the project is quicker

#define WP_COLUMNS                                                                                   \
  "w.project_id, w.wp_id, w.mission, w.title, w.lane, w.assignee, w.priority, w.created_at,"         \
  " w.updated_at, CASE WHEN EXISTS (SELECT 1 FROM closed_missions c WHERE c.tenant_id = w.tenant_id" \
  " AND c.project_id = w.project_id AND c.mission = w.mission) THEN 1 ELSE 0 END"
#define OPEN_MISSION                                                                               \
  "(w.mission = '' OR NOT EXISTS (SELECT 1 FROM closed_missions m WHERE m.tenant_id = w.tenant_id" \
  " AND m.project_id = w.project_id AND m.mission = w.mission))"
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

/// What decides how work packages are mapped.
struct narrow_link {
  tracker::wp_ref wp;
  tracker::link_state state{};
};
struct narrow_wp {
  tracker::wp_ref ref;
  bool open = false;                          ///< its mission is
  std::optional<tracker::mapping> mapping{};  ///< as stored
};

/// Of one project; both in the order of their wp_id.
struct narrow_rows {
  std::vector<narrow_link> links;
  std::vector<narrow_wp> wps;
};

/// Ids for IN lists, so many that a project's worth takes few statements, and so that there are few different
/// ones: the last id stands in for those that a power of two lacks.
std::vector<std::span<const std::string>> in_pieces(std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  const auto rest = ids.size() % few;
  ids.resize(ids.size() - rest + (rest == 0 ? 0 : std::bit_ceil(rest)), std::string{ids.back()});
  std::vector<std::span<const std::string>> pieces;
  for (std::span<const std::string> left{ids}; !left.empty(); left = left.subspan(std::min(few, left.size())))
    pieces.push_back(left.first(std::min(few, left.size())));
  return pieces;
}

/// `ids`: nothing for all of the project's.
result<> read_narrow(session& s, const tenant_id& tenant, const tracker::project_id& p,
                     std::span<const std::string> ids, narrow_rows& out) {
  const auto links =
      select{"SELECT wp_id, mission, state FROM tracker_links"}
          .with(" WHERE tenant_id = ", tenant)
          .with(" AND project_id = ", p)
          .with_one_of(" AND wp_id", ids)
          .raw(
              " AND binding_id IN (SELECT id FROM tracker_bindings"
              " WHERE tenant_id = $1 AND project_id = $2 AND state <> 'deleted') ORDER BY wp_id, mission, id")
          .run(s, [&](const row& r) {
            out.links.push_back({{r.str(0), r.str(1)}, read_word<tracker::link_state>(r, 2)});
          });
  if (!links) return links;
  return select{"SELECT w.wp_id, w.mission, CASE WHEN " OPEN_MISSION
                " THEN 1 ELSE 0 END, w.mapping"
                " FROM work_packages w"}
      .with(" WHERE w.tenant_id = ", tenant)
      .with(" AND w.project_id = ", p)
      .with_one_of(" AND w.wp_id", ids)
      .raw(" ORDER BY w.wp_id, w.mission")
      .run(s, [&](const row& r) {
        out.wps.push_back(
            {{r.str(0), r.str(1)}, r.integer(2) != 0, tracker::parse<tracker::mapping>(r.text(3))});
      });
}

/// By the state of the first link that speaks of it. One without a mission speaks of those of open missions,
/// or of all where every one is closed (as tracker::candidates).
tracker::mapping mapping_of(const narrow_wp& wp, bool none_open, std::span<const narrow_link> same_id) {
  for (const auto& l : same_id) {
    const bool speaks = l.wp.mission.empty() ? wp.open || none_open : l.wp.mission == wp.ref.mission;
    if (!speaks) continue;
    return l.state == tracker::link_state::ambiguous ? tracker::mapping::ambiguous : tracker::mapping::mapped;
  }
  return tracker::mapping::not_mapped;
}

/// Work packages whose mapping is another one than is stored, by that and their mission; and what that does
/// to the project's tally.
struct resettled {
  std::map<std::pair<tracker::mapping, std::string>, std::vector<std::string>> wp_ids;
  tracker::project_tally more;

  void take(const narrow_wp& wp, tracker::mapping now) {
    if (wp.mapping == now) return;
    wp_ids[{now, wp.ref.mission}].push_back(wp.ref.wp_id);
    if (wp.mapping) count(*wp.mapping, -1);
    count(now, 1);
  }
  void count(tracker::mapping m, int n) {
    more.work_packages += n;
    if (m == tracker::mapping::mapped) more.mapped += n;
    if (m == tracker::mapping::ambiguous) more.ambiguous += n;
  }
};

resettled compare(const narrow_rows& rows) {
  resettled out;
  std::span<const narrow_wp> wps{rows.wps};
  std::span<const narrow_link> links{rows.links};
  while (!wps.empty()) {
    const auto& id = wps.front().ref.wp_id;
    const auto same = std::ranges::find_if(wps, [&](const auto& wp) { return wp.ref.wp_id != id; });
    const auto group = wps.first(static_cast<std::size_t>(same - wps.begin()));
    const auto from = std::ranges::find_if(links, [&](const auto& l) { return l.wp.wp_id >= id; });
    links = links.subspan(static_cast<std::size_t>(from - links.begin()));
    const auto to = std::ranges::find_if(links, [&](const auto& l) { return l.wp.wp_id != id; });
    const auto theirs = links.first(static_cast<std::size_t>(to - links.begin()));
    const bool none_open = std::ranges::none_of(group, &narrow_wp::open);
    for (const auto& wp : group) out.take(wp, mapping_of(wp, none_open, theirs));
    wps = wps.subspan(group.size());
  }
  return out;
}

result<> put_mappings(session& s, const tenant_id& tenant, const tracker::project_id& p, resettled now) {
  if (now.wp_ids.empty()) return {};
  for (auto& [value, ids] : now.wp_ids)
    for (const auto piece : in_pieces(ids)) {
      const auto ok = select{"UPDATE work_packages"}
                          .with(" SET mapping = ", tracker::name_of(value.first))
                          .with(" WHERE tenant_id = ", tenant)
                          .with(" AND project_id = ", p)
                          .with(" AND mission = ", value.second)
                          .with_one_of(" AND wp_id", piece)
                          .run(s, {});
      if (!ok) return ok;
    }
  return done(
      s.execute("UPDATE projects SET work_packages = work_packages + $3, mapped = mapped + $4,"
                " ambiguous = ambiguous + $5 WHERE tenant_id = $1 AND id = $2",
                {tenant, p, now.more.work_packages, now.more.mapped, now.more.ambiguous}));
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
  const std::set<std::string> wanted{wp_ids.begin(), wp_ids.end()};
  if (wanted.empty()) return std::vector<tracker::work_package>{};
  const bool all = wanted.size() > few;
  std::vector<std::string> ids;
  if (!all) ids.assign(wanted.begin(), wanted.end());
  auto found =
      all_of(s,
             select{"SELECT " WP_COLUMNS " FROM work_packages w"}
                 .with(" WHERE w.tenant_id = ", tenant)
                 .with(" AND w.project_id = ", p)
                 .with_one_of(" AND w.wp_id", all ? std::span<const std::string>{} : in_pieces(ids).front())
                 .raw(" ORDER BY w.wp_id, w.mission"),
             read_wp);
  if (found && all) std::erase_if(*found, [&](const auto& wp) { return !wanted.contains(wp.ref.wp_id); });
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
                    .with_any(" AND w.mapping = ", tracker::name_of(filter.mapping))
                    .beyond(" AND (w.wp_id, w.mission) > (", at.after)
                    .raw(" ORDER BY w.wp_id, w.mission")
                    .with(" LIMIT ", limit),
                read_wp);
}

result<> settle_mappings(session& s, tenant_id tenant, const tracker::project_id& p,
                         std::span<const std::string> wp_ids) {
  const std::set<std::string> wanted{wp_ids.begin(), wp_ids.end()};
  if (wanted.empty()) return {};
  if (wanted.size() > few) return settle_all_mappings(s, tenant, p);
  std::vector<std::string> ids{wanted.begin(), wanted.end()};
  narrow_rows rows;
  if (const auto ok = read_narrow(s, tenant, p, in_pieces(ids).front(), rows); !ok) return ok;
  return put_mappings(s, tenant, p, compare(rows));
}

result<> settle_all_mappings(session& s, tenant_id tenant, const tracker::project_id& p) {
  narrow_rows rows;
  if (const auto ok = read_narrow(s, tenant, p, {}, rows); !ok) return ok;
  return put_mappings(s, tenant, p, compare(rows));
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
