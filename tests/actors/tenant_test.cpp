#include "actors/tenant.hpp"
#include "domain/snapshot.hpp"
#include "storage/deliveries.hpp"
#include "storage/signals.hpp"
#include "storage/snapshots.hpp"
#include "storage/tenants.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"

using namespace connectord;

namespace {

struct tenant_fixture : actor_fixture {
  temporary_store files;
  store_script script{files.db.get()};
  services_ptr shared = test_services(meters);
  scripted_store::handle store =
      host(spawn<scripted_store>({system, sky}, {"store", "system", {}, {}}, &script));
  tenant_id id = tenant_id::make();
  tenant_actor acme = host(spawn_tenant({system, sky}, shared, id, store));

  answer<tenant_outcome> send(mutation m, std::uint64_t fingerprint = 0, bool provision = true) {
    return ask<tenant_outcome>(acme, as_command(std::move(m), fingerprint, provision));
  }
  void release() {
    caf::anon_send(store, release_one{});
    run();
  }
  void hold_from(std::size_t job) {
    script.fate = [job](std::size_t n) { return n >= job ? fault::hold : fault::none; };
  }
  std::size_t count_signals() {
    return storage::list_signals(*files.db, id, {}, {}, 100, signal_extra::none).value().size();
  }
  /// A tenant with one connection, at rest.
  void settle() {
    const auto made = send(test_connection("acme"));
    run();
    REQUIRE((*made)->has_value());
  }
  static accepted_delivery accepted(const answer<tenant_outcome>& a) {
    return std::get<accepted_delivery>(std::get<ingest_outcome>((*a)->value().value));
  }
};

}  // namespace

TEST_CASE_FIXTURE(tenant_fixture,
                  "a delivery becomes a signal in the transaction that it is answered after") {
  settle();
  const auto taken = send(test_delivery(1), 0, false);
  run();
  REQUIRE((*taken)->has_value());
  CHECK_FALSE(accepted(taken).deduplicated);
  CHECK(count_signals() == 1);
}

TEST_CASE_FIXTURE(tenant_fixture, "nothing is answered before it is committed") {
  settle();
  hold_from(script.jobs);
  const auto taken = send(test_delivery(1), 0, false);
  run();
  CHECK_FALSE(*taken);
  CHECK(count_signals() == 0);
  release();
  REQUIRE(*taken);
  CHECK((*taken)->has_value());
}

TEST_CASE_FIXTURE(tenant_fixture, "deliveries that meet a commit in flight share the next one") {
  settle();
  const auto before = script.jobs;
  hold_from(before);
  std::vector<answer<tenant_outcome>> taken;
  for (int i = 0; i < 20; ++i) taken.push_back(send(test_delivery(i), 0, false));
  run();
  release();
  release();
  for (const auto& t : taken) {
    REQUIRE(*t);
    CHECK((*t)->has_value());
  }
  CHECK(script.jobs - before == 2);
  CHECK(count_signals() == 20);
}

TEST_CASE_FIXTURE(tenant_fixture, "twenty copies at once are one delivery and one signal") {
  settle();
  std::vector<answer<tenant_outcome>> taken;
  for (int i = 0; i < 20; ++i) taken.push_back(send(test_delivery(1), 0, false));
  run();
  const auto first = accepted(taken[0]);
  int fresh = 0;
  for (const auto& t : taken) {
    CHECK(accepted(t).receipt == first.receipt);
    fresh += accepted(t).deduplicated ? 0 : 1;
  }
  CHECK(fresh == 1);
  CHECK(count_signals() == 1);
}

TEST_CASE_FIXTURE(tenant_fixture, "a command that changes the state has a transaction for itself") {
  settle();
  const auto before = script.jobs;
  hold_from(before);
  const auto a = send(test_delivery(1), 0, false), b = send(test_connection("second")),
             c = send(test_delivery(2), 0, false);
  run();
  for (int i = 0; i < 3; ++i) release();
  CHECK(script.jobs - before == 3);
  CHECK((*b)->has_value());
  CHECK((*c)->has_value());
}

TEST_CASE_FIXTURE(tenant_fixture,
                  "an unknown tenant is made for who may make it, and unknown to everyone else") {
  const auto read = ask<connection_list>(acme, read_connections{request_meta{}});
  const auto wrong = send(test_delivery(1, "not the secret"), 0, false);
  const auto proven = send(test_delivery(1), 0, false);
  run();
  CHECK((*read)->error().code() == errc::tenant_not_found);
  CHECK((*wrong)->error().code() == errc::invalid_signature);
  CHECK((*proven)->error().code() == errc::tenant_not_found);
}

TEST_CASE_FIXTURE(tenant_fixture, "a wrong proof is refused with its reason and leaves nothing behind") {
  settle();
  const auto jobs = script.jobs;
  const auto taken = send(test_delivery(1, "not the secret"), 0, false);
  run();
  CHECK((*taken)->error().details().at("reason").as_string() == "signature_mismatch");
  CHECK(script.jobs == jobs);
}

TEST_CASE_FIXTURE(tenant_fixture, "a busy store is a refusal, and the tenant lives on") {
  settle();
  script.fate = [n = script.jobs](std::size_t job) { return job == n ? fault::refuse_before : fault::none; };
  const auto refused = send(test_delivery(1), 0, false);
  run();
  CHECK((*refused)->error().code() == errc::database_unavailable);
  const auto taken = send(test_delivery(1), 0, false);
  run();
  CHECK((*taken)->has_value());
}

TEST_CASE_FIXTURE(tenant_fixture,
                  "a commit in doubt ends the tenant, and whoever waits hears of it at once") {
  settle();
  script.fate = [n = script.jobs](std::size_t job) {
    return job == n ? fault::in_doubt_after_commit : fault::none;
  };
  const auto taken = send(test_delivery(1), 0, false);
  run();
  CHECK((*taken)->error().code() == errc::commit_in_doubt);
  CHECK(count_signals() == 1);
  const auto late = send(test_delivery(2), 0, false);
  run();
  CHECK((*late)->error().code() == errc::tenant_unavailable);
}

TEST_CASE_FIXTURE(tenant_fixture,
                  "a tenant that was claimed by somebody else writes nothing until it has claimed again") {
  settle();
  const auto theirs = storage::claim_tenant(*files.db, id).value();
  REQUIRE(theirs.has_value());
  const auto taken = send(test_delivery(1), 0, false);
  run();
  CHECK(!taken->has_value());
  CHECK(count_signals() == 0);
  pass(seconds{1});
  REQUIRE(taken->has_value());
  CHECK((*taken)->has_value());
  CHECK(count_signals() == 1);
  CHECK(storage::claim_tenant(*files.db, id).value()->epoch == theirs->epoch + 2);
}

TEST_CASE_FIXTURE(
    tenant_fixture,
    "one bad command in a shared transaction is found, blamed and does not take its neighbours along") {
  settle();
  const auto first = script.jobs;
  // The job with all three throws; so does the second one alone.
  script.fate = [first](std::size_t job) {
    if (job == first) return fault::hold;
    return job == first + 1 || job == first + 3 ? fault::exception : fault::none;
  };
  const auto opening = send(test_delivery(0), 0, false);
  const auto a = send(test_delivery(1), 11, false), bad = send(test_delivery(2), 22, false),
             c = send(test_delivery(3), 33, false);
  run();
  release();
  CHECK((*opening)->has_value());
  CHECK((*a)->has_value());
  CHECK((*bad)->error().code() == errc::commit_in_doubt);
  CHECK((*c)->error().code() == errc::commit_in_doubt);  // its turn had not come when the tenant ended
  CHECK(count_signals() == 2);
}

TEST_CASE_FIXTURE(tenant_fixture, "a store that never answers is given up after the deadline") {
  settle();
  hold_from(script.jobs);
  const auto taken = send(test_delivery(1), 0, false);
  run();
  pass(tenant_worker::commit_deadline);
  pass(tenant_worker::commit_deadline);
  REQUIRE(*taken);
  CHECK((*taken)->error().code() == errc::commit_in_doubt);
}

TEST_CASE_FIXTURE(tenant_fixture, "a full queue refuses at the door") {
  settle();
  hold_from(script.jobs);
  std::vector<answer<tenant_outcome>> asked;
  for (std::size_t i = 0; i <= tenant_worker::most_waiting + 1; ++i)
    asked.push_back(send(test_delivery(static_cast<int>(i)), 0, false));
  run();
  REQUIRE(*asked.back());
  CHECK((*asked.back())->error().code() == errc::service_unavailable);
}

TEST_CASE_FIXTURE(
    tenant_fixture,
    "a repeated key gets the kept answer, another body is refused, a running one is in flight") {
  settle();
  const auto keyed = [&](std::string external_id) {
    auto c = as_command(test_connection(external_id), 0, true);
    c.key = idempotency{id.str() + " POST /connections", "key-1", external_id};
    c.render = [](const outcome& o) {
      return kept_answer{201, std::get<stored_connection>(o).row.id.str(), {}};
    };
    return ask<tenant_outcome>(acme, c);
  };
  hold_from(script.jobs);
  const auto first = keyed("x"), meanwhile = keyed("x");
  run();
  CHECK((*meanwhile)->error().code() == errc::idempotency_in_flight);
  release();
  script.fate = [](std::size_t) { return fault::none; };
  const auto again = keyed("x");
  run();
  const auto other = keyed("y");
  run();
  REQUIRE((*again)->has_value());
  CHECK((*again)->value().replayed);
  CHECK(std::get<kept_answer>((*again)->value().value).body ==
        std::get<stored_connection>((*first)->value().value).row.id.str());
  CHECK((*other)->error().code() == errc::idempotency_key_reused);
}

TEST_CASE_FIXTURE(tenant_fixture,
                  "leaving writes a snapshot that equals the rows, and the next incarnation uses it") {
  settle();
  caf::anon_send(acme, passivate{});
  run();
  const auto stored = storage::load_snapshot(*files.db, id).value();
  REQUIRE(stored);
  CHECK(read_snapshot(stored->body)->size() == 1);
  const auto heir = host(spawn_tenant({system, sky}, shared, id, store));
  const auto listed = ask<connection_list>(heir, read_connections{request_meta{}});
  run();
  CHECK((*listed)->value().rows == *read_snapshot(stored->body));
  CHECK(meters.snapshot_loads({"used"}).Value() == 1);
}

TEST_CASE_FIXTURE(tenant_fixture, "a damaged snapshot is ignored: the rows are the truth") {
  settle();
  caf::anon_send(acme, passivate{});
  run();
  REQUIRE(files.db->execute("UPDATE snapshots SET body = x'00'").has_value());
  const auto heir = host(spawn_tenant({system, sky}, shared, id, store));
  const auto listed = ask<connection_list>(heir, read_connections{request_meta{}});
  run();
  CHECK((*listed)->value().rows.size() == 1);
  CHECK(meters.snapshot_loads({"corrupt"}).Value() == 1);
}

TEST_CASE_FIXTURE(tenant_fixture, "a snapshot that needs a key that is gone is ignored") {
  auto sealed = test_connection("acme");
  sealed.webhook_secret = secret{"a secret of the connection"};
  send(std::move(sealed));
  run();
  caf::anon_send(acme, passivate{});
  run();
  auto later = std::make_shared<services>(*shared);
  later->keys = keyring{{{"k2", secret{std::string(32, 'n')}}}};
  const auto heir = host(spawn_tenant({system, sky}, later, id, store));
  const auto listed = ask<connection_list>(heir, read_connections{request_meta{}});
  run();
  CHECK((*listed)->value().rows.size() == 1);
  CHECK(meters.snapshot_loads({"stale"}).Value() == 1);
}

TEST_CASE_FIXTURE(
    tenant_fixture,
    "a suspended tenant keeps deliveries, refuses commands, and catches up after its resumption") {
  settle();
  REQUIRE(storage::set_tenant_status(*files.db, id, tenant_status::suspended, now_utc()).has_value());
  const auto suspended = host(spawn_tenant({system, sky}, shared, id, store));
  const auto taken = ask<tenant_outcome>(suspended, as_command(test_delivery(1)));
  const auto refused = ask<tenant_outcome>(suspended, as_command(test_connection("x")));
  run();
  CHECK((*taken)->has_value());
  CHECK((*refused)->error().code() == errc::tenant_suspended);
  CHECK(count_signals() == 0);
  REQUIRE(storage::set_tenant_status(*files.db, id, tenant_status::active, now_utc()).has_value());
  host(spawn_tenant({system, sky}, shared, id, store));
  run();
  CHECK(count_signals() == 1);
  CHECK(storage::count_received(*files.db, id).value() == 0);
}

TEST_CASE_FIXTURE(tenant_fixture,
                  "a store that cannot be reached at birth refuses whoever waits and is no crash") {
  script.fate = [](std::size_t) { return fault::refuse_before; };
  const auto newcomer = host(spawn_tenant({system, sky}, shared, tenant_id::make(), store));
  const auto command = ask<tenant_outcome>(newcomer, as_command(test_connection("x"), 0, true));
  const auto read = ask<connection_list>(newcomer, read_connections{request_meta{}});
  run();
  CHECK((*command)->error().code() == errc::database_unavailable);
  CHECK((*read)->error().code() == errc::database_unavailable);
  read_tree everything;
  for (const auto& v : sky.views(everything)) CHECK_FALSE(v.last_error);
}
