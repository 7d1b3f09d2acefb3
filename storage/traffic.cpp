#include "storage/traffic.hpp"

namespace connectord::storage {
namespace {

constexpr milliseconds hour{3'600'000};

constexpr std::string_view deliveries =
    "SELECT ($3 - received_at) / 3600000, COUNT(*), COUNT(*) FILTER (WHERE status IN ('failed', "
    "'quarantined'))"
    " FROM deliveries WHERE tenant_id = $1 AND connection_id = $2 AND received_at BETWEEN $4 AND $3"
    " GROUP BY 1";
constexpr std::string_view runs =
    "SELECT ($3 - finished_at) / 3600000, COUNT(*), COUNT(*) FILTER (WHERE status = 'failed')"
    " FROM sync_jobs WHERE tenant_id = $1 AND connection_id = $2 AND job_type <> 'webhook'"
    " AND finished_at BETWEEN $4 AND $3 GROUP BY 1";

}  // namespace

result<day_of_traffic> traffic_of(session& s, tenant_id tenant, connection_id connection, timestamp until) {
  day_of_traffic day{};
  const timestamp first = until - hour * day.size(), last = until - milliseconds{1};
  const auto count = [&](std::string_view sql, auto all, auto failed) {
    return s.query(sql, {tenant, connection, last, first}, [&](const row& r) {
      auto& at = day.at(day.size() - 1 - static_cast<std::size_t>(r.integer(0)));
      at.*all = r.integer(1), at.*failed = r.integer(2);
    });
  };
  if (auto ok = count(deliveries, &hour_of_traffic::deliveries, &hour_of_traffic::failed_deliveries); !ok)
    return ok.error();
  if (auto ok = count(runs, &hour_of_traffic::runs, &hour_of_traffic::failed_runs); !ok) return ok.error();
  return day;
}

}  // namespace connectord::storage
