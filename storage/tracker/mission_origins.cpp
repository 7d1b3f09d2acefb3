#include "storage/tracker/mission_origins.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

namespace connectord::storage {
namespace {

#define ORIGIN_COLUMNS                                                                          \
  "id, project_id, mission_key, mission_slug, provider, external_issue_id, external_issue_key," \
  " external_issue_url, external_title, external_status, bound_at"

tracker::mission_origin read_origin(const row& r) {
  return {.id = read_id<tracker::origin_id>(r, 0),
          .project = read_id<tracker::project_id>(r, 1),
          .mission_key = r.str(2),
          .mission_slug = r.maybe_str(3),
          .provider = read_word<tracker::provider>(r, 4),
          .issue_id = r.str(5),
          .issue_key = r.str(6),
          .issue_url = r.str(7),
          .title = r.str(8),
          .status = r.str(9),
          .bound_at = r.time(10)};
}

}  // namespace

result<claimed_origin> claim_mission_origin(session& s, tenant_id tenant, const tracker::mission_origin& o) {
  const auto stored = s.execute("INSERT INTO tracker_mission_origins (tenant_id, " ORIGIN_COLUMNS
                                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                                " ON CONFLICT (tenant_id, project_id, mission_key) DO NOTHING",
                                {tenant, o.id, o.project, o.mission_key, o.mission_slug, name_of(o.provider),
                                 o.issue_id, o.issue_key, o.issue_url, o.title, o.status, o.bound_at});
  if (!stored) return stored.error();
  if (*stored > 0) return claimed_origin{o, true};
  auto known = find_one(s,
                        "SELECT " ORIGIN_COLUMNS
                        " FROM tracker_mission_origins"
                        " WHERE tenant_id = $1 AND project_id = $2 AND mission_key = $3",
                        {tenant, o.project, o.mission_key}, read_origin);
  if (!known) return known.error();
  return claimed_origin{std::move(known->value())};
}

}  // namespace connectord::storage
