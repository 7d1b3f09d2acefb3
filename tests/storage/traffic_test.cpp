#include "storage/traffic.hpp"
#include "storage/deliveries.hpp"
#include "storage/jobs.hpp"
#include "tests/storage/stores.hpp"

#include <random>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

constexpr milliseconds hour{3'600'000};

/// What the answer should be, counted by hand beside what is written.
struct counted_day {
  session& s;
  tenant_id t = add_tenant(s);
  connection c = add_connection(s, t);
  timestamp until = noon;
  day_of_traffic expected{};
  int deliveries = 0;

  hour_of_traffic* at(timestamp when) {
    const auto ago = until - when;
    if (ago <= milliseconds{0} || ago > 24 * hour) return nullptr;
    return &expected[23 - static_cast<std::size_t>((ago - milliseconds{1}) / hour)];
  }
  void arrive(timestamp when, delivery_status status) {
    auto d = sample_delivery("d-" + std::to_string(++deliveries));
    d.connection = c.id;
    d.status = status;
    d.received_at = when;
    REQUIRE(accept_delivery(s, t, d, when + hour));
    if (auto* h = at(when)) {
      ++h->deliveries;
      h->failed_deliveries += status == delivery_status::failed || status == delivery_status::quarantined;
    }
  }
  void end(timestamp when, job_type type, job_status status) {
    auto j = sample_job(c, type);
    j.status = status;
    j.scheduled_at = j.created_at = when - hour;
    j.finished_at = when;
    REQUIRE(insert_job(s, t, j));
    if (auto* h = at(when); h && type != job_type::webhook) {
      ++h->runs;
      h->failed_runs += status == job_status::failed;
    }
  }
};

bool same(const day_of_traffic& a, const day_of_traffic& b) {
  return std::ranges::equal(a, b, [](const hour_of_traffic& x, const hour_of_traffic& y) {
    return std::tie(x.deliveries, x.failed_deliveries, x.runs, x.failed_runs) ==
           std::tie(y.deliveries, y.failed_deliveries, y.runs, y.failed_runs);
  });
}

}  // namespace

TEST_CASE("every delivery and every sync of the day is in the hour in which it came or ended, and no other") {
  EACH_STORE(store);
  const auto s = store.open();
  counted_day day{*s};
  std::minstd_rand dice{3};
  const auto below = [&](int n) { return std::uniform_int_distribution{0, n - 1}(dice); };
  const std::array edges{noon,
                         noon - milliseconds{1},
                         noon - hour,
                         noon - hour - milliseconds{1},
                         noon - 24 * hour,
                         noon - 24 * hour - milliseconds{1},
                         noon + milliseconds{1}};
  commit(*s, [&] {
    for (int i = 0; i < 300; ++i) {
      const auto when = i < 21 ? edges[static_cast<std::size_t>(i % 7)]
                               : noon - milliseconds{below(static_cast<int>((30 * hour).count()))};
      constexpr std::array came{delivery_status::processed, delivery_status::failed,
                                delivery_status::quarantined, delivery_status::ignored};
      constexpr std::array kinds{job_type::full, job_type::incremental, job_type::webhook};
      if (below(2))
        day.arrive(when, came[static_cast<std::size_t>(below(4))]);
      else
        day.end(when, kinds[static_cast<std::size_t>(below(3))],
                below(3) ? job_status::succeeded : job_status::failed);
    }
    auto queued = sample_job(day.c, job_type::full);
    REQUIRE(insert_job(*s, day.t, queued));
  });
  CHECK(same(traffic_of(*s, day.t, day.c.id, noon).value(), day.expected));
  CHECK(same(traffic_of(*s, day.t, connection_id::make(), noon).value(), {}));
  CHECK(same(traffic_of(*s, add_tenant(*s), day.c.id, noon).value(), {}));
}
