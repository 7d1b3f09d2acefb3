#include "domain/sync_state.hpp"
#include "base/json.hpp"

#include <doctest/doctest.h>
#include <boost/json/serialize.hpp>

#include <random>

using namespace connectord;

namespace {

constexpr timestamp now{milliseconds{1'760'000'000'000}};
constexpr backoff_policy exact{seconds{5}, seconds{900}, 0};

run_verdict judged(const run_report& r, const sync_record& before = {}, std::int64_t failures = 0) {
  return judge_run(r, before, failures, sync_policy{}, exact, 0.5, now);
}

run_report of(run_end how) {
  run_report r;
  r.how = how;
  r.message = "why";
  return r;
}

run_report moved(run_end how = run_end::complete) {
  run_report r;
  r.how = how;
  r.cursor = R"({"since":"2"})";
  return r;
}

run_report stuck(run_end how = run_end::complete) {
  auto r = moved(how);
  r.without_progress = true;
  return r;
}

}  // namespace

TEST_CASE("a complete run succeeds: its cursor is kept, and no error is left of the one before") {
  sync_record before;
  before.cursor = R"({"since":"1"})";
  before.last_error = "transient";
  const auto v = judged(moved(), before, 3);
  CHECK(v.status == job_status::succeeded);
  CHECK(v.record.cursor == moved().cursor);
  CHECK(v.record.last_success_at == now);
  CHECK_FALSE(v.record.last_error);
  CHECK_FALSE(v.error);
  CHECK_FALSE(v.retry_after);
  CHECK_FALSE(v.follow_up);
  CHECK_FALSE(v.connection_failed);
}

TEST_CASE("a run without a page leaves the cursor where it was") {
  sync_record before;
  before.cursor = R"({"since":"1"})";
  for (const auto how : {run_end::complete, run_end::released, run_end::transient, run_end::rate_limited,
                         run_end::permanent, run_end::unauthorized})
    CHECK(judged(of(how), before).record.cursor == before.cursor);
}

TEST_CASE("a run at its limit succeeds and another goes on at once") {
  const auto v = judged(moved(run_end::continued));
  CHECK(v.status == job_status::succeeded);
  CHECK(v.follow_up);
  CHECK(v.record.cursor == moved().cursor);
}

TEST_CASE("a released run is queued again, due at once, with nothing counted and nothing noted") {
  sync_record before;
  before.last_error = "transient";
  before.runs_without_progress = 2;
  const auto v = judged(moved(run_end::released), before, 4);
  CHECK(v.status == job_status::queued);
  CHECK(v.counted_failures == 4);
  CHECK_FALSE(v.retry_after);
  CHECK_FALSE(v.error);
  CHECK(v.record == before);
}

TEST_CASE("a refused token fails the job and the connection, and is not tried again") {
  const auto v = judged(of(run_end::unauthorized));
  CHECK(v.status == job_status::failed);
  CHECK(v.connection_failed);
  REQUIRE(v.error);
  CHECK(v.error->type == "unauthorized");
  CHECK(v.error->message == "why");
  CHECK(v.error->at == now);
  CHECK(v.record.last_error == "unauthorized");
  CHECK_FALSE(v.retry_after);
}

TEST_CASE("a permanent failure fails the job and spares the connection") {
  const auto v = judged(of(run_end::permanent));
  CHECK(v.status == job_status::failed);
  CHECK_FALSE(v.connection_failed);
  REQUIRE(v.error);
  CHECK(v.error->type == "permanent");
  CHECK_FALSE(v.retry_after);
}

TEST_CASE("a transient failure waits twice as long each time, until the cap fails the job") {
  const auto most = sync_policy{}.most_attempts;
  for (std::int64_t earlier = 0; earlier + 1 < most; ++earlier) {
    CAPTURE(earlier);
    const auto v = judged(of(run_end::transient), {}, earlier);
    const auto pause = std::min(seconds{5} * (std::int64_t{1} << earlier), seconds{900});
    CHECK(v.status == job_status::queued);
    CHECK(v.counted_failures == earlier + 1);
    CHECK(v.retry_after == now + pause);
    REQUIRE(v.error);
    CHECK(v.error->type == "transient");
    CHECK(v.error->backoff_seconds == pause.count());
  }
  const auto last = judged(of(run_end::transient), {}, most - 1);
  CHECK(last.status == job_status::failed);
  CHECK(last.counted_failures == most);
  REQUIRE(last.error);
  CHECK(last.error->type == "attempts_exhausted");
  CHECK(last.record.last_error == "transient");
  CHECK_FALSE(last.retry_after);
  CHECK_FALSE(last.connection_failed);
}

TEST_CASE("a rate limit is waited out however often it comes, and never counts") {
  auto limited = of(run_end::rate_limited);
  limited.hint = seconds{4000};
  for (const std::int64_t earlier : {0, 9, 100}) {
    CAPTURE(earlier);
    const auto v = judged(limited, {}, earlier);
    CHECK(v.status == job_status::queued);
    CHECK(v.counted_failures == earlier);
    CHECK(v.retry_after == now + seconds{4000});  // beyond the policy's maximum: the provider says so
    REQUIRE(v.error);
    CHECK(v.error->type == "rate_limited");
    CHECK(v.error->backoff_seconds == 4000);
  }
  limited.hint = seconds{1};
  CHECK(judged(limited).retry_after == now + seconds{5});
}

TEST_CASE("chance lengthens a pause by its share and never shortens it") {
  const backoff_policy jittered{seconds{100}, seconds{900}, 0.5};
  const auto at = [&](double random) {
    return judge_run(of(run_end::transient), {}, 0, sync_policy{}, jittered, random, now).retry_after;
  };
  CHECK(at(0) == now + seconds{100});
  CHECK(at(0.5) == now + seconds{125});
  CHECK(at(1) == now + seconds{150});
}

TEST_CASE("runs that bring something and move nothing are tolerated, then stalled, never successful") {
  sync_record record;
  for (int run = 1; run < sync_policy{}.stall_runs; ++run) {
    const auto v = judged(stuck(), record);
    CHECK(v.status == job_status::succeeded);
    CHECK(v.record.runs_without_progress == run);
    CHECK_FALSE(v.record.stalled);
    record = v.record;
  }
  record.last_success_at = now - seconds{900};
  const auto v = judged(stuck(run_end::continued), record);
  CHECK(v.status == job_status::failed);
  REQUIRE(v.error);
  CHECK(v.error->type == "stalled");
  CHECK(v.record.stalled);
  CHECK(v.record.last_error == "stalled");
  CHECK(v.record.last_success_at == record.last_success_at);
  CHECK_FALSE(v.follow_up);
  CHECK_FALSE(v.connection_failed);
}

TEST_CASE("a run that ends because pages repeat is tried again, and stalls like any other") {
  sync_record record;
  record.runs_without_progress = 1;
  const auto second = judged(stuck(run_end::transient), record);
  CHECK(second.status == job_status::queued);
  CHECK(second.record.runs_without_progress == 2);
  const auto third = judged(stuck(run_end::transient), second.record, second.counted_failures);
  CHECK(third.status == job_status::failed);
  CHECK(third.error->type == "stalled");
}

TEST_CASE("a stalled connection is tried on, and the first run that moves clears it") {
  sync_record stalled;
  stalled.runs_without_progress = 7;
  stalled.stalled = true;
  stalled.last_error = "stalled";
  CHECK(judged(stuck(), stalled).error->type == "stalled");
  const auto v = judged(moved(), stalled);
  CHECK(v.status == job_status::succeeded);
  CHECK_FALSE(v.record.stalled);
  CHECK(v.record.runs_without_progress == 0);
  CHECK_FALSE(v.record.last_error);
}

TEST_CASE("a stalled connection's other failures are what they are") {
  sync_record stalled;
  stalled.runs_without_progress = 3;
  stalled.stalled = true;
  for (const auto how :
       {run_end::unauthorized, run_end::rate_limited, run_end::transient, run_end::permanent}) {
    const auto with = judged(of(how), stalled), without = judged(of(how));
    CAPTURE(name_of(how));
    CHECK(with.status == without.status);
    CHECK(with.error->type == without.error->type);
    CHECK(with.retry_after == without.retry_after);
    CHECK(with.connection_failed == without.connection_failed);
    CHECK(with.record.stalled);  // only a moving run says otherwise
  }
}

TEST_CASE("a failure between two runs without progress does not start the count anew") {
  sync_record record;
  record.runs_without_progress = 2;
  const auto failed = judged(of(run_end::transient), record);
  CHECK(failed.record.runs_without_progress == 2);
  CHECK(judged(stuck(), failed.record).record.stalled);
}

TEST_CASE("what a provider last said of its limit stays until it says something else, however a run ends") {
  sync_record before;
  before.limit = told_limit{{4200, 5000}, now - seconds{60}};
  for (const auto how : {run_end::complete, run_end::continued, run_end::released, run_end::transient,
                         run_end::rate_limited, run_end::unauthorized, run_end::permanent}) {
    CAPTURE(name_of(how));
    auto r = of(how);
    CHECK(judged(r, before).record.limit == before.limit);
    r.limit = told_limit{{0, 5000}, now};
    CHECK(judged(r, before).record.limit == r.limit);
  }
}

TEST_CASE("a record survives the way into the metadata and back, beside the user's own members") {
  std::minstd_rand dice{1};
  const auto below = [&](int n) { return std::uniform_int_distribution{0, n - 1}(dice); };
  for (int i = 0; i < 1000; ++i) {
    sync_record r;
    if (below(2)) r.interval = seconds{60 + below(86'341)};
    if (below(2)) r.cursor = R"({"since":")" + std::to_string(below(1000)) + R"(","text":"\u00e9\""})";
    if (r.cursor) r.cursor = json::serialize(parse_json(*r.cursor).value());
    if (below(2)) r.last_success_at = now + milliseconds{below(1'000'000'000)};
    if (below(2)) r.last_error = "transient";
    if (below(2)) r.runs_without_progress = 1 + below(9);
    r.stalled = below(2) == 1;
    if (below(2)) r.limit = told_limit{{below(100), 100}, now + milliseconds{below(1'000'000'000)}};
    const auto metadata = with_sync(R"({"user":{"id":1},"sync":{"cursor":{"old":true}}})", r);
    CAPTURE(metadata);
    CHECK(read_sync(metadata) == r);
    CHECK(parse_json_object(metadata)->at("user").at("id") == json::value(1));
    CHECK(with_sync(metadata, r) == metadata);
  }
}

TEST_CASE("metadata without a record, or with members of other types, reads as nothing known") {
  for (const auto* metadata :
       {"{}", R"({"sync":1})", R"({"sync":[]})", "not JSON", "",
        R"({"sync":{"interval_seconds":"60","cursor":"x","last_success_at":1,"last_error":2,)"
        R"("runs_without_progress":"3","stalled":"yes","limit":5}})",
        R"({"sync":{"limit":{"left":7,"of":6,"at":"2026-01-01T00:00:00Z"}}})",
        R"({"sync":{"limit":{"left":0,"of":0,"at":"2026-01-01T00:00:00Z"}}})",
        R"({"sync":{"limit":{"left":1,"of":6,"at":"soon"}}})"}) {
    CAPTURE(metadata);
    CHECK(read_sync(metadata) == sync_record{});
  }
}
