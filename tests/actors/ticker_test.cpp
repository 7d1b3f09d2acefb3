#include "tests/support/sync_world.hpp"

#include <algorithm>

using namespace connectord;

namespace {

struct ticker_fixture : sync_fixture {
  /// So many connections, each with its first job due.
  void add_due(const tenant_id& t, const std::string& name, int how_many) {
    for (int i = 0; i < how_many; ++i) connect(t, name + std::to_string(i));
  }
  void expect(passage p) {
    out.fate = [p](const http_request&) { return p; };
  }
  /// Whose pages were asked for, in turn: the accounts without their numbers.
  std::string turns() const {
    std::string all;
    for (const auto& who : provider.page_calls) all += who.front();
    return all;
  }
  int running(const tenant_id& t) {
    const auto all = jobs(t);
    return static_cast<int>(std::ranges::count(all, job_status::running, &job::status));
  }
};

}  // namespace

TEST_CASE_FIXTURE(ticker_fixture, "tenants take turns for the slots") {
  node.settings->sync.concurrency = 1;
  const auto other = tenant_id::make();
  add_due(acme, "a", 5);
  add_due(other, "b", 2);
  start_scheduler();
  const auto seen = turns();
  CHECK((seen == "ababaaa" || seen == "babaaaa"));
}

TEST_CASE_FIXTURE(ticker_fixture, "so many runs are under way in all, and so many of one tenant") {
  node.settings->sync.concurrency = 5;
  node.settings->sync.tenant_concurrency = 2;
  std::vector<tenant_id> tenants;
  for (int i = 0; i < 4; ++i)
    add_due(tenants.emplace_back(tenant_id::make()), std::string(1, static_cast<char>('a' + i)), 4);
  expect(passage::hold);
  start_scheduler();
  CHECK(out.calls == 5);
  int all = 0;
  for (const auto& t : tenants) {
    CHECK(running(t) <= 2);
    all += running(t);
  }
  CHECK(all == 5);
  expect(passage::open);
  let_all_go();
  CHECK(provider.page_calls.size() == 16);
  for (const auto& t : tenants) CHECK(running(t) == 0);
}

TEST_CASE_FIXTURE(ticker_fixture, "a tenant with a thousand due jobs does not delay the one with one") {
  node.settings->sync.concurrency = 4;
  const auto small = tenant_id::make();
  add_due(acme, "a", 1000);
  add_due(small, "b", 1);
  start_scheduler();
  const auto seen = turns();
  CHECK(seen.size() == 1001);
  CHECK(seen.find('b') < 5);
}

TEST_CASE_FIXTURE(ticker_fixture, "work that is queued later runs at once, without waiting for a tick") {
  start_scheduler();
  add_items(1);
  connect(acme);
  CHECK(signals().size() == 1);
}

TEST_CASE_FIXTURE(ticker_fixture, "a job that waits is run when its time comes, by a timer") {
  start_scheduler();
  expect(passage::unavailable);
  connect(acme);
  CHECK(out.calls == 1);
  REQUIRE(jobs().front().retry_after == now() + seconds{5});
  pass_slowly(seconds{5} - seconds{1});
  CHECK(out.calls == 1);
  expect(passage::open);
  pass_slowly(seconds{1}, milliseconds{100});
  CHECK(out.calls == 2);
  CHECK(jobs().front().status == job_status::succeeded);
}

TEST_CASE_FIXTURE(ticker_fixture, "a connection is synced at its interval") {
  start_scheduler();
  const auto c = connect(acme);
  CHECK(row(c).next_run_at == now() + seconds{900});
  pass_slowly(seconds{899});
  CHECK(jobs().size() == 1);
  pass_slowly(seconds{1}, milliseconds{100});
  CHECK(jobs().size() == 2);
  pass_slowly(seconds{901});
  CHECK(jobs().size() == 3);
}

TEST_CASE_FIXTURE(ticker_fixture, "after a downtime a connection is synced once, and its rhythm is kept") {
  const auto c = connect(acme);
  run_one(acme);
  const auto finished = now();
  REQUIRE(row(c).next_run_at == finished + seconds{900});
  pass(seconds{20 * 60 * 3 + 20 * 60});
  expect(passage::hold);
  start_scheduler();
  auto all = jobs();
  REQUIRE(all.size() == 2);
  const auto due = finished + seconds{900} * ((now() - finished) / seconds{900});
  CHECK(std::ranges::max(all, {}, &job::scheduled_at).scheduled_at == due);
  CHECK(row(c).next_run_at == due + seconds{900});
  expect(passage::open);
  let_all_go();
  pass_slowly(seconds{60});
  CHECK(jobs().size() == 2);
}

TEST_CASE_FIXTURE(ticker_fixture, "what a dead run left is taken back when its lease ends") {
  add_items(3);
  const auto c = connect(acme);
  expect(passage::hold);
  run_one(acme);
  node.die();
  run();
  expect(passage::open);
  sync_node next{*this, db, "next", clock, &out};
  start_scheduler(next);
  CHECK(signals().empty());
  pass_slowly(node.shared->sync.lease + seconds{1});
  CHECK(signals().size() == 3);
  CHECK(jobs().front().attempts == 2);
  end();
}

TEST_CASE_FIXTURE(ticker_fixture,
                  "a connection whose first job died once too often is synced again at its interval") {
  node.settings->sync.most_attempts = 1;
  std::string heir;
  SUBCASE("taken back when the lease ends") { heir = "another"; }
  SUBCASE("taken back by the tenant's next incarnation") { heir = node.shared->node; }
  add_items(3);
  const auto c = connect(acme);
  expect(passage::hold);
  run_one(acme);
  node.die();
  run();
  expect(passage::open);
  sync_node next{*this, db, heir, clock, &out};
  next.settings->sync.most_attempts = 1;
  start_scheduler(next);
  if (heir == node.shared->node) tell(next, acme, schedule_due{now()});
  pass_slowly(node.shared->sync.lease + seconds{1});
  REQUIRE(jobs().size() == 1);
  CHECK(jobs().front().status == job_status::failed);
  CHECK(jobs().front().error->type == "attempts_exhausted");
  CHECK(row(c).status == connection_status::active);
  CHECK(read_sync(row(c).metadata).last_error == "transient");
  CHECK(row(c).next_run_at == *jobs().front().finished_at + seconds{900});
  pass_slowly(seconds{901});
  CHECK(signals().size() == 3);
  end();
}

TEST_CASE_FIXTURE(ticker_fixture, "the sweep renews what ends soon, a few at a time, each once") {
  node.settings->refresh.concurrency = 4;
  std::vector<connection> all;
  for (int i = 0; i < 10; ++i) all.push_back(connect(acme, "a" + std::to_string(i)));
  for (int i = 0; i < 10; ++i) run_one(acme);
  const auto before = out.calls;
  pass(provider.token_life - seconds{600});
  out.fate = [](const http_request& r) {
    return fake_provider::is_exchange(r) ? passage::hold : passage::open;
  };
  start_scheduler();
  pass(seconds{1});
  CHECK(out.calls - before >= 4);
  CHECK(provider.exchanges == 0);
  for (int i = 0; i < 10; ++i) let_all_go();
  CHECK(provider.exchanges == 10);
  for (const auto& [token, times] : provider.presented) CHECK(times == 1);
  for (const auto& c : all) CHECK(row(c).expires_at == now() + provider.token_life);
  pass_slowly(seconds{900});
  CHECK(provider.exchanges == 10);
}

TEST_CASE_FIXTURE(ticker_fixture,
                  "however often something was due early, the scheduler looks no more often later") {
  node.settings->backoff = {seconds{5}, seconds{5}, 0};
  node.settings->sync.most_attempts = 100;
  start_scheduler();
  const auto looks_within = [this](seconds time) {
    const auto before = node.script.jobs;
    pass_slowly(time);
    return node.script.jobs - before;
  };
  const auto quiet = looks_within(seconds{300});
  expect(passage::unavailable);
  connect(acme);
  pass_slowly(seconds{200});  // forty tries, each with a timer of its own
  expect(passage::open);
  pass_slowly(seconds{60});
  CHECK(looks_within(seconds{300}) <= quiet + 5);
}

TEST_CASE_FIXTURE(ticker_fixture, "what seems due and is not costs a look a tick, not a loop") {
  connect(acme);
  run_one(acme);
  // The rows call for the tenant, which finds nothing to do.
  REQUIRE(db.execute("UPDATE connections SET next_run_at = 1 WHERE tenant_id = $1", {acme}).has_value());
  start_scheduler();
  pass_slowly(seconds{10});
  const auto before = node.script.jobs;
  pass_slowly(node.shared->sync.tick, milliseconds{100});
  CHECK(node.script.jobs - before <= 5);
}
