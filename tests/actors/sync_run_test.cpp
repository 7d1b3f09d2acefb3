#include "storage/tenants.hpp"
#include "tests/support/sync_world.hpp"

#include <stdexcept>

using namespace connectord;

namespace {

struct run_fixture : sync_fixture {
  static constexpr int all_items = 5, all_pages = 3;

  connection begin() {
    add_items(all_items);
    return connect(acme);
  }
  job only_job() {
    const auto all = jobs();
    REQUIRE(all.size() == 1);
    return all.front();
  }
  /// The next look at the clock by whoever handles the answer to page `page` throws, so many times.
  void poison_page(std::size_t page, int times = 1) {
    out.fate = [this, page, left = times](const http_request& r) mutable {
      if (!fake_provider::is_exchange(r) && provider.page_calls.size() + 1 >= page && left > 0) {
        --left;
        armed_ = true;
      }
      return passage::open;
    };
    clock = [this] {
      if (std::exchange(armed_, false)) throw std::runtime_error("poison");
      return now();
    };
  }
  void expect(passage p) {
    out.fate = [p](const http_request&) { return p; };
  }
  void replace_tenant() {
    ask<connectord::done>(node.front, steer_tenant{acme, steer_tenant::action::replace});
    run();
  }

 private:
  bool armed_ = false;
};

}  // namespace

TEST_CASE_FIXTURE(run_fixture,
                  "each page is committed, signals and checkpoint together, before the next is asked for") {
  begin();
  std::vector<std::size_t> seen;
  std::vector<std::optional<std::string>> cursors;
  out.fate = [&](const http_request&) {
    seen.push_back(signals().size());
    cursors.push_back(storage::find_running(db, acme, only_job().id).value()->cursor);
    return passage::open;
  };
  run_one();
  CHECK(seen == std::vector<std::size_t>{0, 2, 4});
  REQUIRE(cursors.size() == all_pages);
  CHECK_FALSE(cursors[0]);
  CHECK(cursors[1]);
  CHECK(cursors[2] != cursors[1]);
  CHECK(signals().size() == all_items);
  CHECK(only_job().status == job_status::succeeded);
  CHECK(only_job().signals_emitted == all_items);
}

TEST_CASE_FIXTURE(run_fixture,
                  "the next run goes on where the last one ended, and an item seen twice is one signal") {
  const auto c = begin();
  run_one();
  CHECK(read_sync(row(c).metadata).last_success_at == now());
  add_items(2);
  done_by<queued_sync>(tell(acme, request_sync{"example", c.id, job_type::incremental, now()}));
  run_one();
  CHECK(signals().size() == all_items + 2);
  CHECK(provider.page_calls.size() < 2 * all_pages);
  done_by<queued_sync>(tell(acme, request_sync{"example", c.id, job_type::full, now()}));
  run_one();
  CHECK(signals().size() == all_items + 2);
}

TEST_CASE_FIXTURE(run_fixture, "a run that dies at any page is resumed from what it had committed") {
  for (std::size_t page = 1; page <= all_pages; ++page) {
    CAPTURE(page);
    acme = tenant_id::make();
    provider.items.clear();
    provider.page_calls.clear();
    begin();
    poison_page(page);
    run_one();
    CHECK(only_job().status == job_status::queued);
    CHECK(only_job().error->type == "transient");
    CHECK(signals().size() == 2 * (page - 1));
    CHECK(slots_out == 0);
    pass(seconds{5});
    run_one();
    CHECK(only_job().status == job_status::succeeded);
    CHECK(only_job().attempts == 2);
    CHECK(signals().size() == all_items);
    CHECK(provider.page_calls.size() == all_pages + 1);
  }
}

TEST_CASE_FIXTURE(run_fixture,
                  "a run that dies twice is not tried a third time, and its tenant is none the worse") {
  const auto c = begin();
  poison_page(2, 2);
  run_one();
  pass(seconds{5});
  run_one();
  CHECK(only_job().status == job_status::failed);
  CHECK(only_job().error->type == "permanent");
  CHECK(row(c).status == connection_status::active);
  CHECK(row(c).next_run_at == now() + seconds{900});
  CHECK(slots_out == 0);
  read_tree everything;
  for (const auto& v : sky.views(everything))
    if (v.kind == "tenant") CHECK_FALSE(v.last_error);
  done_by<queued_sync>(tell(acme, request_sync{"example", c.id, job_type::incremental, now()}));
  run_one();
  CHECK(signals().size() == all_items);
}

TEST_CASE_FIXTURE(run_fixture,
                  "a tenant that dies at a commit takes its run along, and its heir resumes it") {
  for (const auto how : {fault::in_doubt_before_commit, fault::in_doubt_after_commit, fault::exception}) {
    acme = tenant_id::make();
    provider.items.clear();
    provider.page_calls.clear();
    begin();
    expect(passage::hold);
    run_one();
    expect(passage::open);
    node.script.fate = [n = node.script.jobs, how](std::size_t job) { return job == n ? how : fault::none; };
    let_all_go();
    CHECK(signals().size() == (how == fault::in_doubt_after_commit ? 2 : 0));
    CHECK(slots_out == 0);
    pass(seconds{6});
    run_one();
    CHECK(only_job().status == job_status::succeeded);
    CHECK(only_job().attempts == 2);
    CHECK(signals().size() == all_items);
    CHECK(provider.page_calls.size() == (how == fault::in_doubt_after_commit ? all_pages : all_pages + 1));
  }
}

TEST_CASE_FIXTURE(run_fixture, "a run survives that another node claims its tenant meanwhile") {
  begin();
  expect(passage::hold);
  run_one();
  expect(passage::open);
  REQUIRE(storage::claim_tenant(db, acme).value());
  let_all_go();
  pass(seconds{1});
  CHECK(only_job().status == job_status::succeeded);
  CHECK(only_job().attempts == 1);
  CHECK(signals().size() == all_items);
  CHECK(provider.page_calls.size() == all_pages);
  CHECK(slots_out == 0);
}

TEST_CASE_FIXTURE(run_fixture, "a refused token is renewed once, and the same page is asked for again") {
  const auto c = begin();
  provider.expire_access_tokens();
  run_one();
  CHECK(provider.exchanges == 1);
  CHECK(provider.refused_calls == 1);
  CHECK(signals().size() == all_items);
  CHECK(only_job().status == job_status::succeeded);
  CHECK_FALSE(row(c).previous_refresh);  // the new access token has worked
}

TEST_CASE_FIXTURE(run_fixture,
                  "a token that ends between two pages is renewed, and no item is lost or doubled") {
  begin();
  out.fate = [&](const http_request&) {
    if (provider.page_calls.size() == 1 && provider.exchanges == 0) provider.expire_access_tokens();
    return passage::open;
  };
  run_one();
  CHECK(provider.exchanges == 1);
  CHECK(signals().size() == all_items);
}

TEST_CASE_FIXTURE(run_fixture, "a second refusal fails the job and the connection") {
  const auto c = begin();
  provider.expire_access_tokens();
  provider.token_life = seconds{0};  // no new one works either
  run_one();
  CHECK(provider.exchanges == 1);
  CHECK(provider.refused_calls == 2);
  CHECK(only_job().status == job_status::failed);
  CHECK(only_job().error->type == "unauthorized");
  CHECK(row(c).status == connection_status::error);
  CHECK_FALSE(row(c).next_run_at);
  CHECK(slots_out == 0);
}

TEST_CASE_FIXTURE(run_fixture,
                  "a grant that is gone ends the run, with the provider's reason on the connection") {
  const auto c = begin();
  provider.revoke(account);
  provider.expire_access_tokens();
  run_one();
  CHECK(only_job().status == job_status::failed);
  CHECK(only_job().error->type == "unauthorized");
  CHECK(row(c).status == connection_status::error);
  CHECK(row(c).status_reason == "invalid_grant");
  CHECK(slots_out == 0);
}

TEST_CASE_FIXTURE(run_fixture, "a provider that is ill or full sends the job back, with a pause") {
  for (const auto ill : {passage::unavailable, passage::limited, passage::lose}) {
    acme = tenant_id::make();
    provider.items.clear();
    begin();
    expect(ill);
    run_one();
    const auto j = only_job();
    CHECK(j.status == job_status::queued);
    CHECK(j.retry_after == now() + seconds{5});
    CHECK(j.error->type == (ill == passage::limited ? "rate_limited" : "transient"));
    CHECK(slots_out == 0);
    run_one();
    CHECK(only_job().attempts == 1);  // not before its time
    pass(seconds{5});
    expect(passage::open);
    run_one();
    CHECK(only_job().status == job_status::succeeded);
    CHECK(signals().size() == all_items);
  }
}

TEST_CASE_FIXTURE(run_fixture, "a run that takes long keeps its lease") {
  node.settings->call_patience = seconds{600};
  begin();
  expect(passage::hold);
  run_one();
  for (int i = 0; i < 10; ++i) {
    pass_slowly(node.shared->sync.lease / 3);
    done_by<nothing>(tell(acme, schedule_due{now()}));
    CHECK(only_job().status == job_status::running);
  }
  expect(passage::open);
  let_all_go();
  CHECK(only_job().status == job_status::succeeded);
  CHECK(only_job().attempts == 1);
  CHECK(signals().size() == all_items);
}

TEST_CASE_FIXTURE(run_fixture, "a tenant that leaves puts its run back first, and nothing is counted") {
  begin();
  out.fate = [this](const http_request&) {
    return provider.page_calls.empty() ? passage::open : passage::hold;
  };
  run_one();
  replace_tenant();
  CHECK(only_job().status == job_status::queued);
  CHECK(only_job().attempts == 0);
  CHECK_FALSE(only_job().retry_after);
  CHECK(signals().size() == 2);
  CHECK(slots_out == 0);
  expect(passage::open);
  let_all_go();
  CHECK(signals().size() == 2);
  run_one();
  CHECK(only_job().status == job_status::succeeded);
  CHECK(signals().size() == all_items);
  CHECK(provider.page_calls.size() == all_pages + 1);  // the one that was let go late was for nothing
}

TEST_CASE_FIXTURE(run_fixture, "a drain waits for runs to be put back, and no longer") {
  begin();
  expect(passage::hold);
  run_one();
  const auto drained = ask<connectord::done>(node.front, drain{});
  run();
  REQUIRE(*drained);
  CHECK((*drained)->has_value());
  CHECK(only_job().status == job_status::queued);
  CHECK(only_job().attempts == 0);
  CHECK(slots_out == 0);
}

TEST_CASE_FIXTURE(run_fixture, "a suspended tenant's run is put back, and goes on after its resumption") {
  begin();
  expect(passage::hold);
  run_one();
  REQUIRE(storage::set_tenant_status(db, acme, tenant_status::suspended, now()).value());
  replace_tenant();
  pass(seconds{1});  // the status took an epoch, so the run is put back after another claim
  CHECK(only_job().status == job_status::queued);
  expect(passage::open);
  const auto refused = run_one();
  CHECK((*refused)->error().code() == errc::tenant_suspended);
  CHECK(slots_out == 0);
  REQUIRE(storage::set_tenant_status(db, acme, tenant_status::active, now()).value());
  replace_tenant();
  run_one();
  CHECK(signals().size() == all_items);
}

TEST_CASE_FIXTURE(run_fixture, "a connection that is removed during its run takes the run along") {
  const auto c = begin();
  expect(passage::hold);
  run_one();
  done_by<nothing>(tell(acme, delete_connection{c.id, now()}));
  expect(passage::open);
  let_all_go();
  CHECK(only_job().status == job_status::failed);
  CHECK(signals().empty());
  CHECK(slots_out == 0);
}

TEST_CASE_FIXTURE(run_fixture,
                  "a run at its limit of items ends at the page, and a follow-up goes on from there") {
  node.settings->sync.items_per_run = 3;
  begin();
  run_one();
  CHECK(signals().size() == 4);
  REQUIRE(jobs().size() == 2);
  const auto all = jobs();
  const auto next = std::ranges::find(all, job_status::queued, &job::status);
  REQUIRE(next != all.end());
  CHECK(next->scheduled_at == now());
  run_one();
  CHECK(signals().size() == all_items);
  CHECK(provider.page_calls.size() == all_pages);
}

TEST_CASE_FIXTURE(run_fixture, "a slot that finds nothing to do comes back at once") {
  begin();
  run_one();
  CHECK(slots_out == 0);
  const auto idle = run_one();
  CHECK_FALSE(done_by<claimed_run>(idle).work);
  CHECK(slots_out == 0);
}

TEST_CASE_FIXTURE(run_fixture,
                  "a tenant has so many runs at a time, and gives a slot that is too many back") {
  node.settings->sync.tenant_concurrency = 2;
  for (const auto* who : {"a", "b", "c"}) connect(acme, who);
  expect(passage::hold);
  for (int i = 0; i < 3; ++i) run_one();
  CHECK(slots_out == 2);
  CHECK(out.calls == 2);
}

TEST_CASE_FIXTURE(run_fixture, "a run that nobody's store takes is abandoned, and its slot comes back") {
  begin();
  expect(passage::hold);
  run_one();
  node.script.fate = [](std::size_t) { return fault::refuse_before; };
  let_all_go();
  node.script.fate = [](std::size_t) { return fault::none; };
  CHECK(slots_out == 0);
  CHECK(signals().empty());
  expect(passage::open);
  pass(node.shared->sync.lease);
  done_by<nothing>(tell(acme, schedule_due{now()}));
  run_one();
  CHECK(signals().size() == all_items);
}
