#include "storage/job_queue.hpp"
#include "storage/connections.hpp"
#include "storage/jobs.hpp"
#include "storage/tenants.hpp"
#include "tests/storage/stores.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <thread>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

constexpr seconds lease{60};

/// A tenant with a connection, and the queue as its runs see it.
struct bench {
  explicit bench(session& s) : db(s), tenant(add_tenant(s)), c(add_connection(s, tenant)) {}

  queued_job enqueue(const job& j, const std::optional<std::string>& cursor = {},
                     pausing waiting = pausing::kept) const {
    auto queued = enqueue_job(db, tenant, j, waiting, cursor);
    REQUIRE(queued);
    return std::move(*queued);
  }
  job wanted(job_type type = job_type::incremental, timestamp due = noon) const {
    auto j = sample_job(c, type);
    j.scheduled_at = due;
    return j;
  }
  std::optional<claimed_job> claim(timestamp now = noon) const {
    auto claimed = claim_job(db, tenant, {"me", now + lease}, now);
    REQUIRE(claimed);
    return std::move(*claimed);
  }
  claimed_job running(job_type type = job_type::incremental) const {
    enqueue(wanted(type));
    return claim().value();
  }
  bool finish(claimed_job of, job_status status, timestamp now = noon) const {
    of.row.status = status;
    if (status != job_status::queued) of.row.finished_at = now;
    const auto ended = finish_job(db, tenant, of);
    REQUIRE(ended);
    return *ended;
  }
  job row(job_id id) const { return find_job(db, tenant, id).value().value(); }
  void set(connection_status status) {
    c.status = status;
    REQUIRE(update_connection(db, tenant, c));
  }
  due_work due(timestamp now = noon) const {
    auto found = find_due_work(db, now, 1000);
    REQUIRE(found);
    return std::move(*found);
  }

  session& db;
  tenant_id tenant;
  connection c;
};

bool holds(const std::vector<tenant_id>& all, tenant_id t) { return std::ranges::find(all, t) != all.end(); }

}  // namespace

TEST_CASE("a connection has one incremental job, and asking again makes it due no later than asked for") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto first = b.enqueue(b.wanted(job_type::incremental, noon + seconds{900}));
  CHECK_FALSE(first.coalesced);
  const auto sooner = b.enqueue(b.wanted());
  CHECK(sooner.coalesced);
  CHECK(sooner.row.id == first.row.id);
  CHECK(sooner.row.scheduled_at == noon);
  CHECK(b.enqueue(b.wanted(job_type::incremental, noon + seconds{60})).row.scheduled_at == noon);
  CHECK(list_jobs(*s, b.tenant, {}, {}, 10)->size() == 1);
}

TEST_CASE("a job that waits for its next attempt goes on waiting, unless whoever asks again ends the pause") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  auto failed = b.running();
  failed.row.retry_after = noon + seconds{600};
  REQUIRE(b.finish(failed, job_status::queued));
  const auto again = b.wanted(job_type::incremental, noon + seconds{10});
  const auto pushed = b.enqueue(again);
  CHECK(pushed.coalesced);
  CHECK(pushed.row.retry_after == noon + seconds{600});
  CHECK_FALSE(b.claim(noon + seconds{599}));
  const auto asked = b.enqueue(again, {}, pausing::ended);
  CHECK(asked.coalesced);
  CHECK_FALSE(asked.row.retry_after);
  CHECK(b.claim(noon + seconds{10}));
}

TEST_CASE("asking for a sync that runs leaves the run alone, and jobs of other types are not restricted") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto run = b.running();
  const auto again = b.enqueue(b.wanted());
  CHECK(again.coalesced);
  CHECK(again.row.status == job_status::running);
  CHECK(b.row(run.row.id).scheduled_at == noon);
  for (const auto type : {job_type::full, job_type::full, job_type::webhook, job_type::webhook})
    CHECK_FALSE(b.enqueue(b.wanted(type)).coalesced);
  REQUIRE(b.finish(run, job_status::succeeded));
  CHECK_FALSE(b.enqueue(b.wanted()).coalesced);
}

TEST_CASE("a claim marks the job as this run's, with the cursor that it goes on from") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  b.enqueue(b.wanted(), R"({"since":"1"})");
  const auto run = b.claim(noon + seconds{1});
  REQUIRE(run);
  CHECK(run->row.status == job_status::running);
  CHECK(run->row.started_at == noon + seconds{1});
  CHECK(run->row.attempts == 1);
  CHECK(run->fence == 1);
  CHECK(run->cursor == R"({"since":"1"})");
  const auto found = find_running(*s, b.tenant, run->row.id).value();
  REQUIRE(found);
  CHECK(found->fence == run->fence);
}

TEST_CASE("the most urgent due job comes first, then the one that is due longest") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  const auto add = [&](std::string account, std::int64_t priority, seconds due) {
    auto j = sample_job(add_connection(*s, tenant, std::move(account)), job_type::full);
    j.priority = priority;
    j.scheduled_at = noon + due;
    REQUIRE(enqueue_job(*s, tenant, j, pausing::kept));
    return j.id;
  };
  const auto late = add("a", incremental_priority, seconds{-5}),
             early = add("b", incremental_priority, seconds{-9}),
             manual = add("c", manual_priority, seconds{0}), webhook = add("d", webhook_priority, seconds{0});
  add("e", webhook_priority, seconds{1});  // not yet
  for (const auto& expected : {webhook, manual, early, late}) {
    const auto run = claim_job(*s, tenant, {"me", noon + lease}, noon).value();
    REQUIRE(run);
    CHECK(run->row.id == expected);
  }
  CHECK_FALSE(claim_job(*s, tenant, {"me", noon + lease}, noon).value());
}

TEST_CASE("a connection has one run at a time, and its webhook jobs run in the order they came") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  std::vector<job_id> came;
  for (int i = 0; i < 3; ++i)
    came.push_back(b.enqueue(b.wanted(job_type::webhook, noon + milliseconds{i})).row.id);
  for (const auto& expected : came) {
    const auto run = b.claim(noon + seconds{1});
    REQUIRE(run);
    CHECK(run->row.id == expected);
    CHECK_FALSE(b.claim(noon + seconds{1}));
    REQUIRE(b.finish(*run, job_status::succeeded));
  }
}

TEST_CASE(
    "a webhook job that pauses is not overtaken by a later one, nor does that count as work that is due") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  auto first = b.running(job_type::webhook);
  const auto second = b.enqueue(b.wanted(job_type::webhook, noon + seconds{1})).row.id;
  first.row.retry_after = noon + seconds{600};
  REQUIRE(b.finish(first, job_status::queued));
  CHECK_FALSE(b.claim(noon + seconds{599}));
  const auto due = b.due(noon + seconds{599});
  CHECK(due.to_run.empty());
  CHECK(due.backlog == 0);
  CHECK_FALSE(due.oldest);
  CHECK(due.next == noon + seconds{600});
  for (const auto& expected : {first.row.id, second}) {
    const auto run = b.claim(noon + seconds{600});
    REQUIRE(run);
    CHECK(run->row.id == expected);
    REQUIRE(b.finish(*run, job_status::succeeded));
  }
}

TEST_CASE("a sync does not wait for a webhook job that pauses") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  auto pauses = b.running(job_type::webhook);
  pauses.row.retry_after = noon + seconds{600};
  REQUIRE(b.finish(pauses, job_status::queued));
  const auto sync = b.enqueue(b.wanted()).row.id;
  const auto run = b.claim(noon + seconds{1});
  REQUIRE(run);
  CHECK(run->row.id == sync);
}

TEST_CASE("a connection that is not active, and another tenant's, gives no job") {
  EACH_STORE(store);
  const auto s = store.open();
  bench b{*s};
  b.enqueue(b.wanted());
  const auto other = add_tenant(*s, "other");
  CHECK_FALSE(claim_job(*s, other, {"me", noon + lease}, noon).value());
  for (const auto status : {connection_status::error, connection_status::revoked}) {
    b.set(status);
    CHECK_FALSE(b.claim());
    CHECK_FALSE(holds(b.due().to_run, b.tenant));
    CHECK(b.due().backlog == 0);
  }
  b.set(connection_status::active);
  CHECK(holds(b.due().to_run, b.tenant));
  CHECK(b.claim());
}

TEST_CASE("whatever a run writes with a stale fence is not written") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto old = b.running();
  REQUIRE(reclaim_jobs(*s, b.tenant, 10, "me", noon)->count == 1);
  const auto heir = b.claim();
  REQUIRE(heir);
  CHECK(heir->fence > old.fence);
  const auto id = old.row.id;
  CHECK_FALSE(renew_lease(*s, b.tenant, id, old.fence, noon + 9 * lease).value());
  CHECK_FALSE(save_checkpoint(*s, b.tenant, id, old.fence, R"({"stale":1})", 7, noon + 9 * lease).value());
  CHECK_FALSE(b.finish(old, job_status::failed));
  const auto stands = find_running(*s, b.tenant, id).value();
  REQUIRE(stands);
  CHECK(stands->row.signals_emitted == 0);
  CHECK_FALSE(stands->cursor);
  CHECK(reclaim_jobs(*s, b.tenant, 10, {}, noon + lease)->count == 1);  // not renewed either
}

TEST_CASE("an ended job cannot be ended, renewed or moved again") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto run = b.running();
  REQUIRE(b.finish(run, job_status::succeeded));
  CHECK_FALSE(b.finish(run, job_status::failed));
  CHECK_FALSE(renew_lease(*s, b.tenant, run.row.id, run.fence, noon + lease).value());
  CHECK_FALSE(save_checkpoint(*s, b.tenant, run.row.id, run.fence, "{}", 1, noon + lease).value());
  CHECK(b.row(run.row.id).status == job_status::succeeded);
  CHECK_FALSE(find_running(*s, b.tenant, run.row.id).value());
}

TEST_CASE("checkpoints add up, and the next run of the job goes on from the last of them") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto run = b.running();
  for (const auto* cursor : {R"({"page":1})", R"({"page":2})"})
    REQUIRE(save_checkpoint(*s, b.tenant, run.row.id, run.fence, cursor, 5, noon + lease).value());
  REQUIRE(b.finish(run, job_status::queued));
  const auto next = b.claim();
  REQUIRE(next);
  CHECK(next->cursor == R"({"page":2})");
  CHECK(next->row.signals_emitted == 10);
  CHECK(next->row.attempts == 2);
}

TEST_CASE("a lease that is renewed is not taken back") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto run = b.running();
  REQUIRE(renew_lease(*s, b.tenant, run.row.id, run.fence, noon + 2 * lease).value());
  CHECK(reclaim_jobs(*s, b.tenant, 10, {}, noon + 2 * lease - milliseconds{1})->count == 0);
  CHECK(holds(b.due(noon + 2 * lease).to_schedule, b.tenant));
  CHECK(reclaim_jobs(*s, b.tenant, 10, {}, noon + 2 * lease)->count == 1);
}

TEST_CASE("each death of a run counts one failure, and one too many fails the job") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto id = b.running().row.id;
  constexpr int most = 3;
  for (int death = 1; death < most; ++death) {
    REQUIRE(reclaim_jobs(*s, b.tenant, most, "me", noon)->count == 1);
    CHECK(b.row(id).status == job_status::queued);
    const auto again = b.claim();
    REQUIRE(again);
    CHECK(again->counted_failures == death);
  }
  const auto last = reclaim_jobs(*s, b.tenant, most, "me", noon + seconds{5}).value();
  CHECK(last.count == 1);
  CHECK(last.exhausted == std::vector{b.c.id});
  const auto dead = b.row(id);
  CHECK(dead.status == job_status::failed);
  CHECK(dead.finished_at == noon + seconds{5});
  REQUIRE(dead.error);
  CHECK(dead.error->type == "attempts_exhausted");
  CHECK(reclaim_jobs(*s, b.tenant, most, "me", noon)->count == 0);
}

TEST_CASE("a process takes back at once what it had itself, and another's only when its lease has ended") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  b.running();
  CHECK(reclaim_jobs(*s, b.tenant, 10, "another", noon)->count == 0);
  CHECK(reclaim_jobs(*s, b.tenant, 10, {}, noon)->count == 0);
  CHECK(reclaim_jobs(*s, b.tenant, 10, "me", noon)->count == 1);
}

TEST_CASE("the leases of a dead process end at once, over all tenants") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench a{*s}, b{*s};
  a.running();
  b.running();
  CHECK(expire_job_leases(*s, "another", noon).value() == 0);
  CHECK(expire_job_leases(*s, "me", noon + seconds{1}).value() == 2);
  CHECK(expire_job_leases(*s, {}, noon).value() == 2);
  CHECK(expire_job_leases(*s, {}, noon).value() == 0);
  CHECK(reclaim_jobs(*s, a.tenant, 10, {}, noon)->count == 1);
  CHECK(holds(b.due().to_schedule, b.tenant));
}

TEST_CASE("a connection that goes takes its waiting and its running jobs along") {
  EACH_STORE(store);
  const auto s = store.open();
  const bench b{*s};
  const auto run = b.running();
  const auto waits = b.enqueue(b.wanted(job_type::webhook)).row.id;
  const auto neighbour = add_connection(*s, b.tenant, "43");
  const auto spared = sample_job(neighbour, job_type::incremental);
  REQUIRE(enqueue_job(*s, b.tenant, spared, pausing::kept));
  CHECK(cancel_jobs(*s, b.tenant, b.c.id, noon).value() == 2);
  CHECK(b.row(waits).status == job_status::failed);
  CHECK(b.row(run.row.id).finished_at == noon);
  CHECK_FALSE(b.finish(run, job_status::succeeded));
  CHECK(b.row(spared.id).status == job_status::queued);
}

TEST_CASE("work is found where it is due, and the next look is at the earliest of what is not") {
  EACH_STORE(store);
  const auto s = store.open();
  bench b{*s};
  CHECK_FALSE(b.due().next);
  b.c.next_run_at = noon + seconds{300};
  REQUIRE(update_connection(*s, b.tenant, b.c));
  CHECK(b.due().next == noon + seconds{300});
  b.enqueue(b.wanted(job_type::webhook, noon + seconds{200}));
  CHECK(b.due().next == noon + seconds{200});
  CHECK(b.due().backlog == 0);
  auto due = b.due(noon + seconds{250});
  CHECK(due.to_run == std::vector{b.tenant});
  CHECK(due.to_schedule.empty());
  CHECK(due.backlog == 1);
  CHECK(due.oldest == noon + seconds{200});
  auto run = b.claim(noon + seconds{250}).value();
  due = b.due(noon + seconds{250});
  CHECK(due.to_run.empty());
  CHECK(due.next == noon + seconds{300});
  run.row.retry_after = noon + seconds{270};
  REQUIRE(b.finish(run, job_status::queued));
  CHECK(b.due(noon + seconds{250}).next == noon + seconds{270});
  due = b.due(noon + seconds{300});
  CHECK(due.to_run == std::vector{b.tenant});
  CHECK(due.to_schedule == std::vector{b.tenant});
}

TEST_CASE("a tenant that is not active has nothing to do") {
  EACH_STORE(store);
  const auto s = store.open();
  bench b{*s};
  b.c.next_run_at = noon;
  b.c.expires_at = noon;
  b.c.access_ciphertext = b.c.refresh_ciphertext = "sealed";
  REQUIRE(update_connection(*s, b.tenant, b.c));
  REQUIRE(replace_tokens(*s, b.tenant, b.c));
  b.enqueue(b.wanted());
  CHECK(find_expiring(*s, noon, 10)->size() == 1);
  REQUIRE(set_tenant_status(*s, b.tenant, tenant_status::suspended, noon));
  const auto due = b.due();
  CHECK(due.to_run.empty());
  CHECK(due.to_schedule.empty());
  CHECK(find_expiring(*s, noon, 10)->empty());
}

TEST_CASE("tokens that end are found soonest first, if they can be renewed") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  const auto add = [&](std::string account, std::optional<timestamp> ends, bool renewable,
                       connection_status status) {
    auto c = add_connection(*s, tenant, std::move(account));
    c.status = status;
    c.expires_at = ends;
    c.access_ciphertext = "sealed";
    if (renewable) c.refresh_ciphertext = "sealed";
    REQUIRE(update_connection(*s, tenant, c));
    REQUIRE(replace_tokens(*s, tenant, c));
    return c.id;
  };
  using enum connection_status;
  const auto second = add("a", noon + seconds{2}, true, active),
             first = add("b", noon + seconds{1}, true, active);
  add("c", noon, false, active);
  add("d", noon, true, error);
  add("e", std::nullopt, true, active);
  add("f", noon + seconds{11}, true, active);
  const auto found = find_expiring(*s, noon + seconds{10}, 10).value();
  REQUIRE(found.size() == 2);
  CHECK(found[0].connection == first);
  CHECK(found[1].connection == second);
  CHECK(found[1].expires_at == noon + seconds{2});
  CHECK(find_expiring(*s, noon + seconds{10}, 1)->size() == 1);
}

TEST_CASE("of sixteen claimants each job has one, and no connection has two runs at a time") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto tenant = add_tenant(*s);
  constexpr int claimants = 16, connections = 8, jobs_each = 4;
  for (int i = 0; i < connections; ++i) {
    const auto c = add_connection(*s, tenant, std::to_string(i));
    for (int n = 0; n < jobs_each; ++n)
      REQUIRE(enqueue_job(*s, tenant, sample_job(c, job_type::webhook), pausing::kept));
  }
  std::mutex guard;
  std::map<job_id, int> claims;
  std::map<connection_id, int> running;
  int most_running = 0;
  std::atomic<int> ended = 0;
  std::vector<std::unique_ptr<session>> sessions;
  for (int i = 0; i < claimants; ++i) sessions.push_back(store.open());
  std::latch together{claimants};
  const auto note = [&](const claimed_job& run, int change) {
    const std::lock_guard lock{guard};
    most_running = std::max(most_running, running[run.row.connection] += change);
    if (change > 0) ++claims[run.row.id];
  };
  const auto transaction = [](session& db, auto work) {
    if (!db.begin_write()) return false;
    if (work() && db.commit()) return true;
    db.rollback();
    return false;
  };
  const auto claim_all = [&](session& db) {
    together.arrive_and_wait();
    for (int turn = 0; turn < 10'000 && ended < connections * jobs_each; ++turn) {
      std::optional<claimed_job> run;
      const bool claimed = transaction(db, [&] {
        auto found = claim_job(db, tenant, {"me", noon + lease}, noon);
        if (found) run = std::move(*found);
        return run.has_value();
      });
      if (!claimed) continue;
      note(*run, 1);
      run->row.status = job_status::succeeded;
      run->row.finished_at = noon;
      note(*run, -1);
      while (!transaction(db, [&] { return finish_job(db, tenant, *run).has_value(); })) {
      }
      ++ended;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (auto& one : sessions) threads.emplace_back([&claim_all, db = one.get()] { claim_all(*db); });
  }
  CHECK(ended == connections * jobs_each);
  CHECK(claims.size() == connections * jobs_each);
  CHECK(std::ranges::all_of(claims, [](const auto& c) { return c.second == 1; }));
  CHECK(most_running == 1);
}
