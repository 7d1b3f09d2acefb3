#include "storage/tracker/sightings.hpp"

#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"

#include <algorithm>

namespace connectord::storage {
namespace {

tracker::sighting read_sighting(const row& r, int first) {
  return {read_word<tracker::view>(r, first), read_word<tracker::external_status>(r, first + 1),
          maybe_micros(r, first + 2), r.time(first + 3), decode_texts(r.text(first + 4))};
}

}  // namespace

result<> put_sighting(session& s, tenant_id tenant, tracker::binding_id binding, tracker::issue_id issue,
                      const tracker::sighting& seen) {
  const auto unmapped = encode_texts(seen.unmapped);
  const auto stored = s.execute(
      "INSERT INTO tracker_sightings (tenant_id, binding_id, issue_id, view, status, external_updated_at,"
      " seen_at, unmapped) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
      " ON CONFLICT (tenant_id, binding_id, issue_id, view) DO UPDATE SET status = excluded.status,"
      " external_updated_at = excluded.external_updated_at, seen_at = excluded.seen_at,"
      " unmapped = excluded.unmapped WHERE tracker_sightings.external_updated_at IS NULL"
      " OR excluded.external_updated_at IS NULL"
      " OR excluded.external_updated_at >= tracker_sightings.external_updated_at",
      {tenant, binding, issue, name_of(seen.view), name_of(seen.status), to_micros(seen.updated_at),
       seen.seen_at, unmapped});
  if (!stored) return stored.error();
  return {};
}

result<std::vector<tracker::sighting>> sightings_of(session& s, tenant_id tenant, tracker::binding_id binding,
                                                    tracker::issue_id issue) {
  auto found = all_of(s,
                      select{"SELECT view, status, external_updated_at, seen_at, unmapped"
                             " FROM tracker_sightings"}
                          .with(" WHERE tenant_id = ", tenant)
                          .with(" AND binding_id = ", binding)
                          .with(" AND issue_id = ", issue),
                      [](const row& r) { return read_sighting(r, 0); });
  if (found) std::ranges::sort(*found, {}, &tracker::sighting::view);
  return found;
}

result<snapshot_sightings> sighted_issues(session& s, tenant_id tenant, tracker::binding_id binding) {
  snapshot_sightings out;
  const auto read = s.query(
      "SELECT issue_id, view, status, external_updated_at, seen_at, unmapped FROM tracker_sightings"
      " WHERE tenant_id = $1 AND binding_id = $2 ORDER BY issue_id",
      {tenant, binding}, [&](const row& r) {
        const auto issue = read_id<tracker::issue_id>(r, 0);
        if (out.empty() || out.back().first != issue) out.emplace_back(issue, std::nullopt);
        auto seen = read_sighting(r, 1);
        if (seen.view == tracker::view::snapshot) out.back().second = std::move(seen);
      });
  if (!read) return read.error();
  return out;
}

result<std::int64_t> count_disagreeing(session& s, tenant_id tenant, tracker::binding_id binding) {
  std::int64_t count = 0;
  const auto read = s.query(
      "SELECT COUNT(*) FROM (SELECT issue_id FROM tracker_sightings WHERE tenant_id = $1 AND binding_id = $2"
      " GROUP BY issue_id HAVING MIN(status) <> MAX(status)) AS disagreeing",
      {tenant, binding}, [&](const row& r) { count = r.integer(0); });
  if (!read) return read.error();
  return count;
}

}  // namespace connectord::storage
