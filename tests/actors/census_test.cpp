#include "actors/census.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/tenants.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"

#include <cmath>

using namespace connectord;

namespace {

struct census_fixture : actor_fixture {
  temporary_store files;
  store_script script{files.db.get()};
  timestamp today = from_millis(1'760'000'000'000);
  tenant_id acme = tenant_id::make();
  scripted_store::handle store =
      host(spawn<scripted_store>({system, sky}, {"store", "system", {}, {}}, &script));

  census_fixture() { REQUIRE(storage::provision_tenant(*files.db, acme, today).has_value()); }

  void hire() {
    auto mine = std::make_shared<services>(*test_services(meters));
    mine->now = [this] { return today; };
    host(spawn_census({system, sky}, mine, store));
    run();
  }
  connection connect(std::string provider, std::optional<std::string> token = {}) {
    connection c;
    c.id = connection_id::make();
    c.provider = std::move(provider);
    c.external_id = c.id.str();
    c.access_ciphertext = std::move(token);
    c.expires_at = today + seconds{90};
    c.created_at = c.updated_at = today;
    REQUIRE(storage::insert_connection(*files.db, acme, c).has_value());
    return c;
  }
  void receive(seconds ago) {
    delivery d;
    d.id = delivery_id::make();
    d.receipt = receipt_id::make();
    d.provider = "example";
    d.dedupe_id = d.id.str();
    d.body_sha256 = std::string(64, 'a');
    d.received_at = today - ago;
    REQUIRE(storage::accept_delivery(*files.db, acme, d, today + std::chrono::days{7}).has_value());
  }
  double connections(std::string_view provider) { return meters.connections({provider, "active"}).Value(); }
  double waiting() { return meters.inbox_items({"received"}).Value(); }
};

}  // namespace

TEST_CASE_FIXTURE(census_fixture, "what the store holds is counted at once, and again after a while") {
  receive(seconds{40});
  hire();
  CHECK(waiting() == 1);
  CHECK(meters.inbox_oldest_age({}).Value() == 40);
  CHECK(meters.census_timestamp({}).Value() == 1'760'000'000);
  receive(seconds{10});
  pass(census::between_counts - seconds{1});
  CHECK(waiting() == 1);
  pass(seconds{1});
  CHECK(waiting() == 2);
}

TEST_CASE_FIXTURE(census_fixture, "what is gone is not shown as it was") {
  connect("example");
  hire();
  CHECK(connections("example") == 1);
  CHECK(meters.token_expiry({"example"}).Value() == 90);
  REQUIRE(files.db->execute("DELETE FROM connections").has_value());
  pass(census::between_counts);
  CHECK(connections("example") == 0);
  CHECK(std::isnan(meters.token_expiry({"example"}).Value()));
}

TEST_CASE_FIXTURE(census_fixture, "providers without a definition are not named") {
  connect("forgotten");
  connect("gone");
  hire();
  CHECK(connections("unknown") == 2);
  CHECK(meters.exposition().find("forgotten") == std::string::npos);
}

TEST_CASE_FIXTURE(census_fixture,
                  "while the store is out of reach the last count stands, and its time as well") {
  hire();
  receive(seconds{5});
  script.fate = [](std::size_t) { return fault::refuse_before; };
  today += census::between_counts;
  pass(census::between_counts);
  CHECK(waiting() == 0);
  CHECK(meters.census_timestamp({}).Value() == 1'760'000'000);
  script.fate = [](std::size_t) { return fault::none; };
  pass(census::between_counts);
  CHECK(waiting() == 1);
  CHECK(meters.census_timestamp({}).Value() == 1'760'000'010);
}

TEST_CASE_FIXTURE(census_fixture, "a slow store has one count to do at a time") {
  hire();
  script.fate = [](std::size_t) { return fault::hold; };
  const auto before = script.jobs;
  pass(census::between_counts);
  pass(census::patience - seconds{1});
  CHECK(script.jobs == before + 1);
  pass(seconds{1});
  pass(census::between_counts);
  CHECK(script.jobs == before + 2);
}

TEST_CASE_FIXTURE(census_fixture, "sealed values are counted by their key, page by page") {
  const keyring keys{{{"k1", secret{std::string(32, 'k')}}}}, old{{{"k0", secret{std::string(32, 'o')}}}};
  for (int i = 0; i < census::walk_page; ++i) connect("example", keys.seal("token", "scope"));
  connect("example", old.seal("token", "scope"));
  connect("example");
  hire();
  CHECK(meters.tokens_by_key({"k1"}).Value() == census::walk_page);
  CHECK(meters.tokens_by_key({"k0"}).Value() == 1);
  REQUIRE(files.db->execute("DELETE FROM connections").has_value());
  pass(census::between_walks);
  CHECK(meters.tokens_by_key({"k1"}).Value() == 0);
  CHECK(meters.tokens_by_key({"k0"}).Value() == 0);
}
