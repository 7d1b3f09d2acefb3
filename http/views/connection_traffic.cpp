#include "http/views/connection_traffic.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

using std::chrono::hours;

using count_of_hour = std::int64_t hour_of_traffic::*;

/// The hour under way is the last one.
timestamp end_of_day(timestamp now) { return std::chrono::floor<hours>(now) + hours{1}; }

std::int64_t sum(const day_of_traffic& day, count_of_hour what) {
  std::int64_t all = 0;
  for (const auto& h : day) all += h.*what;
  return all;
}

/// "120 webhooks, 2 of them failed".
std::string worded_sum(const day_of_traffic& day, count_of_hour all, count_of_hour failed,
                       std::string_view one) {
  const auto n = sum(day, all), bad = sum(day, failed);
  auto text = std::to_string(n) + " " + std::string{one} + (n == 1 ? "" : "s");
  if (bad > 0) text += ", " + std::to_string(bad) + " of them failed";
  return text;
}

/// What failed is drawn over the foot of its bar.
void put_bars(fields f, const day_of_traffic& day, count_of_hour all, count_of_hour failed) {
  constexpr std::int64_t step = 10, height = 40;
  const auto most = std::max<std::int64_t>(std::ranges::max(day, {}, all).*all, 1);
  for (std::int64_t x = 0; const auto& h : day) {
    for (const auto what : {all, failed})
      if (const auto n = h.*what; n > 0) {
        const auto tall = std::max<std::int64_t>(height * n / most, 2);
        f.add("BAR").set("X", x).set("Y", height - tall).set("TALL", tall).show_if(what == failed, "BAD");
      }
    x += step;
  }
}

void put_chart(fields f, const day_of_traffic& day, count_of_hour all, count_of_hour failed,
               std::string_view one) {
  auto chart = f.add("CHART").set("SUM", worded_sum(day, all, failed, one));
  put_bars(chart, day, all, failed);
}

}  // namespace

asio::awaitable<shown_traffic> traffic_for(app& a, request& r, const visitor& v, const connection& c) {
  if (!v.may("deliveries:read") || !v.may("jobs:read")) co_return error{errc::forbidden};
  auto answer = co_await rows(a, r, get_traffic{c.id, end_of_day(r.received_at)});
  if (!answer) co_return answer.error();
  co_return answer->value.share<day_of_traffic>();
}

void put_traffic(fields f, const request& r, const shown_traffic& found) {
  auto part = f.include("TRAFFIC", "connection_traffic.html");
  if (!found && found.error().code() == errc::forbidden) return void(part.show("DENIED"));
  if (!found) return put_failure(part, "FAILURE", found.error(), r);
  const auto& day = **found;
  if (sum(day, &hour_of_traffic::deliveries) + sum(day, &hour_of_traffic::runs) == 0)
    return void(part.show("NONE"));
  auto some = part.add("SOME");
  put_chart(some, day, &hour_of_traffic::deliveries, &hour_of_traffic::failed_deliveries, "webhook");
  put_chart(some, day, &hour_of_traffic::runs, &hour_of_traffic::failed_runs, "sync");
  auto from = end_of_day(r.received_at) - hours{day.size()};
  for (const auto& h : day) {
    if (h.deliveries + h.runs > 0)
      some.add("HOUR")
          .set("FROM", to_rfc3339(from).replace(10, 1, " ").substr(0, 16))
          .set("DELIVERIES", h.deliveries)
          .set("FAILED_DELIVERIES", h.failed_deliveries)
          .set("RUNS", h.runs)
          .set("FAILED_RUNS", h.failed_runs);
    from += hours{1};
  }
}

}  // namespace connectord::web
