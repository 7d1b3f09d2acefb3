#include "actors/janitor.hpp"
#include "storage/deliveries.hpp"
#include "storage/idempotency.hpp"
#include "storage/tenants.hpp"
#include "storage/unrouted.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"

using namespace connectord;

namespace {

struct janitor_fixture : actor_fixture {
  temporary_store files;
  store_script script{files.db.get()};
  timestamp today = from_millis(1'760'000'000'000);
  tenant_id acme = tenant_id::make(), other = tenant_id::make();
  scripted_store::handle store =
      host(spawn<scripted_store>({system, sky}, {"store", "system", {}, {}}, &script));

  janitor_fixture() {
    for (const auto& t : {acme, other}) REQUIRE(storage::provision_tenant(*files.db, t, today).has_value());
  }
  void hire(retention_policy keep = {}) {
    auto mine = std::make_shared<services>(*test_services(meters));
    mine->now = [this] { return today; };
    mine->retention = keep;
    host(spawn_janitor({system, sky}, mine, store));
  }
  void deliver(const tenant_id& t, int n, std::chrono::days ago, delivery_status status) {
    delivery d;
    d.id = delivery_id::make();
    d.receipt = receipt_id::make();
    d.provider = "example";
    d.dedupe_id = "delivery-" + std::to_string(n);
    d.body_sha256 = std::string(64, 'a');
    d.status = status;
    d.received_at = today - ago;
    REQUIRE(storage::accept_delivery(*files.db, t, d, d.received_at + std::chrono::days{7}).has_value());
  }
  void keep_unrouted(std::chrono::days ago) {
    storage::unrouted_row u;
    u.id = unrouted_id::make();
    u.provider = "example";
    u.dedupe_id = u.id.str();
    u.received_at = today - ago;
    REQUIRE(storage::insert_unrouted(*files.db, u, 100).has_value());
  }
  std::int64_t count(std::string_view sql) {
    std::int64_t n = -1;
    REQUIRE(files.db->query(sql, {}, [&](const storage::row& r) { n = r.integer(0); }).has_value());
    return n;
  }
  std::int64_t deliveries() { return count("SELECT count(*) FROM deliveries"); }
};

using std::chrono::days;

}  // namespace

TEST_CASE_FIXTURE(janitor_fixture, "what has outlived its keeping goes, and nothing else does") {
  deliver(acme, 1, days{31}, delivery_status::processed);
  deliver(acme, 2, days{31}, delivery_status::received);  // still to be processed
  deliver(acme, 3, days{29}, delivery_status::processed);
  deliver(other, 4, days{31}, delivery_status::ignored);
  keep_unrouted(days{31});
  keep_unrouted(days{29});
  const storage::idempotent_answer old{"s", "k", "b", 200, "", "", today - seconds{1}};
  REQUIRE(storage::keep_answer(*files.db, old, today - days{2}).has_value());
  hire();
  run();
  pass(janitor::after_start - seconds{1});
  CHECK(deliveries() == 4);
  pass(seconds{1});
  CHECK(deliveries() == 2);
  CHECK(count("SELECT count(*) FROM delivery_keys") == 0);
  CHECK(count("SELECT count(*) FROM unrouted_deliveries") == 1);
  CHECK(count("SELECT count(*) FROM idempotency_keys") == 0);
}

TEST_CASE_FIXTURE(janitor_fixture, "much to delete is deleted in small transactions") {
  for (int i = 0; i < 2 * janitor::batch + 1; ++i) deliver(acme, i, days{31}, delivery_status::processed);
  hire();
  run();
  int largest = 0;
  auto left = deliveries();
  script.ran = [&] {
    largest = std::max(largest, static_cast<int>(left - deliveries()));
    left = deliveries();
  };
  pass(janitor::after_start);
  CHECK(deliveries() == 0);
  CHECK(largest == janitor::batch);
}

TEST_CASE_FIXTURE(janitor_fixture, "a period of zero keeps everything") {
  deliver(acme, 1, days{3000}, delivery_status::processed);
  hire({days{0}, days{0}, days{0}});
  run();
  pass(janitor::after_start);
  CHECK(deliveries() == 1);
}

TEST_CASE_FIXTURE(janitor_fixture, "a store in trouble ends the walk, and the next one makes up for it") {
  deliver(acme, 1, days{31}, delivery_status::processed);
  hire();
  run();
  script.fate = [](std::size_t) { return fault::refuse_before; };
  pass(janitor::after_start);
  script.fate = [](std::size_t) { return fault::none; };
  CHECK(deliveries() == 1);
  pass(janitor::between_walks);
  CHECK(deliveries() == 0);
}
