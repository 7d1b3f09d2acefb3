#include "actors/directory.hpp"
#include "actors/inbox.hpp"
#include "storage/deliveries.hpp"
#include "storage/signals.hpp"
#include "storage/tenants.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"

using namespace connectord;

namespace {

struct directory_fixture : actor_fixture {
  temporary_store files;
  store_script script{files.db.get()};
  services_ptr shared = test_services(meters);
  scripted_store::handle store =
      host(spawn<scripted_store>({system, sky}, {"store", "system", {}, {}}, &script));
  inbox_actor inbox = host(spawn_inbox({system, sky}, shared, store));
  directory_actor front = host(spawn_directory({system, sky}, shared, store, inbox));
  tenant_id acme = tenant_id::make(), other = tenant_id::make();

  answer<tenant_outcome> send(const tenant_id& t, mutation m, std::uint64_t fingerprint = 0,
                              bool provision = false) {
    return ask<tenant_outcome>(front, to_tenant{t, as_command(std::move(m), fingerprint, provision)});
  }
  void settle(const tenant_id& t) {
    const auto made = send(t, test_connection("acme"), 0, true);
    run();
    REQUIRE((*made)->has_value());
  }
  void strike_next_job(fault what) {
    script.fate = [what, n = script.jobs](std::size_t job) { return job == n ? what : fault::none; };
  }
  void crash_next_job() { strike_next_job(fault::exception); }
  tenant_health health(const tenant_id& t) {
    const auto asked = ask<tenant_healths>(front, describe_tenants{{t}});
    run();
    return (*asked)->value().rows.front();
  }
  std::size_t signals(const tenant_id& t) {
    return storage::list_signals(*files.db, t, {}, {}, 100, signal_extra::none).value().size();
  }
  void make_unavailable() {
    for (int i = 0; i < 6; ++i) {
      crash_next_job();
      send(acme, test_delivery(100 + i));
      run();
      if (i < 5) pass(milliseconds{0});
      script.fate = [](std::size_t) { return fault::none; };
      if (health(acme).phase == tenant_phase::restarting) pass(seconds{5});
    }
  }
};

}  // namespace

TEST_CASE_FIXTURE(directory_fixture, "a tenant is activated by its first message") {
  CHECK(health(acme).phase == tenant_phase::idle);
  settle(acme);
  CHECK(health(acme).phase == tenant_phase::running);
}

TEST_CASE_FIXTURE(directory_fixture, "each tenant counts in the phase that it is in") {
  const auto in = [this](std::string_view phase) { return meters.tenants({phase}).Value(); };
  settle(acme);
  settle(other);
  CHECK(in("running") == 2);
  make_unavailable();
  CHECK((in("running") == 1 && in("unavailable") == 1));
  ask<done>(front, steer_tenant{acme, steer_tenant::action::forget});
  run();
  CHECK((in("running") == 1 && in("unavailable") == 0 && in("idle") == 0));
  crash_next_job();
  send(other, test_delivery(1));
  run();
  CHECK((in("running") == 0 && in("restarting") == 1));
  script.fate = [](std::size_t) { return fault::none; };
  pass(seconds{1});
  CHECK((in("running") == 1 && in("restarting") == 0));
}

TEST_CASE_FIXTURE(directory_fixture, "commits in doubt use up no restart and lock no message out") {
  settle(acme);
  for (int i = 0; i < 20; ++i) {
    strike_next_job(fault::in_doubt_before_commit);
    const auto lost = send(acme, test_delivery(1), 7);
    run();
    REQUIRE(*lost);
    CHECK((*lost)->error().code() == errc::commit_in_doubt);
    CHECK(health(acme).phase == tenant_phase::restarting);
    pass(milliseconds{200});
    CHECK(health(acme).phase == tenant_phase::running);
  }
  CHECK(health(acme).restarts == 20);
  CHECK(health(acme).last_error == "a commit is in doubt");
  const auto taken = send(acme, test_delivery(1), 7);
  run();
  REQUIRE(*taken);
  CHECK((*taken)->has_value());
  CHECK(signals(acme) == 1);
}

TEST_CASE_FIXTURE(directory_fixture,
                  "what arrives while a tenant restarts is held back and then answered in order") {
  settle(acme);
  crash_next_job();
  const auto lost = send(acme, test_delivery(1));
  run();
  CHECK((*lost)->error().code() == errc::commit_in_doubt);
  CHECK(health(acme).phase == tenant_phase::restarting);
  const auto a = send(acme, test_delivery(2)), b = send(acme, test_delivery(3));
  run();
  CHECK_FALSE(*a);
  pass(seconds{1});
  CHECK((*a)->has_value());
  CHECK((*b)->has_value());
  CHECK(health(acme).restarts == 1);
  CHECK(signals(acme) == 2);
}

TEST_CASE_FIXTURE(directory_fixture, "a crashing tenant does not disturb its neighbour") {
  settle(acme);
  settle(other);
  make_unavailable();
  const auto taken = send(other, test_delivery(1));
  run();
  CHECK((*taken)->has_value());
  CHECK(health(other).restarts == 0);
}

TEST_CASE_FIXTURE(
    directory_fixture,
    "a tenant over its budget is unavailable, and its deliveries are verified and kept all the same") {
  settle(acme);
  make_unavailable();
  REQUIRE(health(acme).phase == tenant_phase::unavailable);
  const auto refused = send(acme, test_connection("new"));
  const auto kept = send(acme, test_delivery(1));
  const auto forged = send(acme, test_delivery(2, "not the secret"));
  run();
  CHECK((*refused)->error().code() == errc::tenant_unavailable);
  CHECK((*refused)->error().retry_after().value_or(0) > 0);
  CHECK((*kept)->has_value());
  CHECK((*forged)->error().code() == errc::invalid_signature);
  CHECK(storage::count_received(*files.db, acme).value() == 1);
}

TEST_CASE_FIXTURE(directory_fixture,
                  "an operator revives an unavailable tenant, and what was kept is processed") {
  settle(acme);
  make_unavailable();
  send(acme, test_delivery(1));
  run();
  const auto before = signals(acme);
  const auto steered = ask<done>(front, steer_tenant{acme, steer_tenant::action::revive});
  run();
  CHECK((*steered)->has_value());
  CHECK(health(acme).phase == tenant_phase::running);
  CHECK(signals(acme) == before + 1);
}

TEST_CASE_FIXTURE(directory_fixture, "a message that ends its handler twice is quarantined, others are not") {
  settle(acme);
  for (int i = 0; i < 2; ++i) {
    script.fate = [n = script.jobs](std::size_t job) { return job == n ? fault::exception : fault::none; };
    send(acme, test_delivery(66), 66);
    run();
    REQUIRE(health(acme).phase == tenant_phase::restarting);
    pass(seconds{1});
  }
  const auto locked = send(acme, test_delivery(66), 66);
  const auto fine = send(acme, test_delivery(67), 67);
  run();
  REQUIRE(*locked);
  CHECK((*locked)->error().code() == errc::message_quarantined);
  CHECK((*fine)->has_value());
  delivery_filter aside;
  aside.status = delivery_status::quarantined;
  CHECK(storage::list_deliveries(*files.db, acme, aside, {}, 10).value().size() == 1);
}

TEST_CASE_FIXTURE(directory_fixture, "an idle tenant leaves, and comes back with the next message") {
  settle(acme);
  const auto steered = ask<done>(front, steer_tenant{acme, steer_tenant::action::replace});
  run();
  CHECK(health(acme).phase == tenant_phase::idle);
  const auto taken = send(acme, test_delivery(1));
  run();
  CHECK((*taken)->has_value());
  CHECK(health(acme).restarts == 0);
}

TEST_CASE_FIXTURE(directory_fixture, "what arrives while a tenant leaves waits for the next incarnation") {
  settle(acme);
  script.fate = [n = script.jobs](std::size_t job) { return job == n ? fault::hold : fault::none; };
  const auto steered = ask<done>(front, steer_tenant{acme, steer_tenant::action::replace});
  run();  // the snapshot is held by the store
  const auto taken = send(acme, test_delivery(1));
  run();
  CHECK_FALSE(*taken);
  caf::anon_send(store, release_one{});
  run();
  REQUIRE(*taken);
  CHECK((*taken)->has_value());
}

TEST_CASE_FIXTURE(directory_fixture, "a drain ends every tenant by handshake and answers when all are gone") {
  settle(acme);
  settle(other);
  const auto drained = ask<done>(front, drain{});
  run();
  REQUIRE(*drained);
  CHECK((*drained)->has_value());
}

TEST_CASE_FIXTURE(directory_fixture,
                  "the same signature does not open another tenant's door to an unknown tenant") {
  settle(acme);
  const auto taken = send(other, test_delivery(1));
  run();
  CHECK((*taken)->error().code() == errc::tenant_not_found);
}

TEST_CASE_FIXTURE(directory_fixture, "an app-level delivery reaches every owner, and nobody's is kept") {
  const auto owned = [&](const tenant_id& t, const char* account) {
    const auto made = send(t, test_connection(account), 0, true);
    run();
    REQUIRE((*made)->has_value());
  };
  owned(acme, "shared");
  owned(other, "shared");
  const auto addressed = [](int n, std::string_view account) {
    auto d = test_delivery(n);
    d.body = R"({"action":"created","id":")" + std::to_string(n) + R"(","account_id":")" +
             std::string{account} + R"("})";
    d.headers.back().second = "sha256=" + to_hex(bytes_of(hmac_sha256(test_secret, d.body)));
    return d;
  };
  const request_meta meta{"trace", std::chrono::steady_clock::now() + std::chrono::hours{1}, 0, {}};
  const auto both = ask<routed>(inbox, route_delivery{meta, addressed(1, "shared")});
  const auto nobody = ask<routed>(inbox, route_delivery{meta, addressed(2, "unheard of")});
  run();
  CHECK((*both)->value().deliveries == 2);
  CHECK((*nobody)->value().deliveries == 0);
  CHECK(signals(acme) == 1);
  CHECK(signals(other) == 1);
  const auto kept = ask<db_answer>(inbox, list_unrouted{meta, {}, {}});
  run();
  CHECK((*kept)->value().get<rows_page<unrouted_delivery>>().rows.size() == 1);
}

TEST_CASE_FIXTURE(directory_fixture,
                  "two questions about an unknown tenant get the same answer, and nothing of it is kept") {
  const request_meta meta{"trace", std::chrono::steady_clock::now() + std::chrono::hours{1}, 0, {}};
  std::vector<answer<connection_list>> asked;
  for (int i = 0; i < 5; ++i)
    asked.push_back(ask<connection_list>(front, connections_of_tenant{acme, read_connections{meta}}));
  run();
  for (const auto& a : asked) {
    REQUIRE(*a);
    CHECK((*a)->error().code() == errc::tenant_not_found);
  }
  read_tree everything;
  everything.limit = 100;
  for (const auto& v : sky.views(everything)) CHECK(v.tenant != acme);
}

TEST_CASE_FIXTURE(directory_fixture, "a store that is away for a while makes no tenant unavailable") {
  settle(acme);
  script.fate = [](std::size_t) { return fault::refuse_before; };
  const auto steered = ask<done>(front, steer_tenant{acme, steer_tenant::action::replace});
  run();
  for (int i = 0; i < 20; ++i) {
    const auto refused = send(acme, test_delivery(i));
    run();
    REQUIRE(*refused);
    CHECK((*refused)->error().code() == errc::database_unavailable);
  }
  script.fate = [](std::size_t) { return fault::none; };
  const auto taken = send(acme, test_delivery(99));
  run();
  CHECK((*taken)->has_value());
  CHECK(health(acme).restarts == 0);
}
