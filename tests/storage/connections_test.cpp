#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/jobs.hpp"
#include "storage/signals.hpp"
#include "tests/storage/stores.hpp"

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

TEST_CASE("a connection comes back as it was written, with its identities") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  connection c;
  c.id = connection_id::make();
  c.provider = "jira";
  c.external_id = "cloud";
  c.display_name = "Site";
  c.status = connection_status::error;
  c.status_reason = "invalid_grant";
  c.access_ciphertext = std::string{"\x02\0\xff", 3};
  c.previous_refresh = sealed_secret{"before", noon};
  c.token_epoch = 4;
  c.expires_at = noon;
  c.scopes = {"a", "b"};
  c.metadata = R"({"x":"ü"})";
  c.webhook_secret = sealed_secret{"sealed", {}};
  c.previous_webhook_secret = sealed_secret{"older", noon + seconds{1}};
  c.next_run_at = noon + seconds{2};
  c.identities = {{"cloud", "1"}, {"host", "h"}};
  c.created_at = c.updated_at = noon;
  REQUIRE(insert_connection(*s, t, c));
  REQUIRE(replace_identities(*s, t, c));
  CHECK(**find_connection(*s, t, c.id) == c);
  CHECK(load_connections(*s, t)->front() == c);
  CHECK(!find_connection(*s, add_tenant(*s), c.id)->has_value());

  c.status = connection_status::revoked;
  c.access_ciphertext.reset();
  c.webhook_secret.reset();
  c.previous_webhook_secret.reset();
  c.identities = {{"cloud", "2"}};
  c.updated_at = noon + seconds{3};
  REQUIRE(update_connection(*s, t, c));
  REQUIRE(replace_tokens(*s, t, c));
  REQUIRE(replace_identities(*s, t, c));
  CHECK(c.token_epoch == 5);
  CHECK(**find_connection(*s, t, c.id) == c);
  c.id = connection_id::make();
  CHECK(code_of(update_connection(*s, t, c)) == errc::not_found);
  CHECK(code_of(replace_tokens(*s, t, c)) == errc::not_found);
}

TEST_CASE("the same external id twice is a conflict, for one tenant") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s), other = add_tenant(*s);
  auto c = add_connection(*s, t);
  c.id = connection_id::make();
  CHECK(code_of(insert_connection(*s, t, c)) == errc::conflict);
  CHECK(insert_connection(*s, other, c));
}

TEST_CASE("owners of an identity are found over all tenants, without revoked ones") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto a = add_tenant(*s), b = add_tenant(*s), c = add_tenant(*s);
  const auto in_a = add_connection(*s, a, "7"), in_b = add_connection(*s, b, "7");
  auto revoked = add_connection(*s, c, "7");
  add_connection(*s, c, "7", "gitlab");
  revoked.status = connection_status::revoked;
  REQUIRE(update_connection(*s, c, revoked));
  const std::array wanted{identity{"external_id", "7"}, identity{"external_id", "7"},
                          identity{"external_id", "8"}};
  const auto owners = owners_of(*s, "github", wanted);
  REQUIRE(owners);
  CHECK(owners->size() == 2);
  for (const auto& o : *owners) CHECK((o == owner{a, in_a.id} || o == owner{b, in_b.id}));
  CHECK(owners_of(*s, "github", std::span<const identity>{})->empty());
}

TEST_CASE("a reference to another tenant's row is refused") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto mine = add_tenant(*s), other = add_tenant(*s);
  const auto theirs = add_connection(*s, other);
  const auto refused = [](const auto& r) {
    CHECK(code_of(r) == errc::internal);
    CHECK(detail_of(r, "reason") == "foreign_key");
  };
  refused(insert_signal(*s, mine, sample_signal(theirs, "k")));
  refused(insert_job(*s, mine, sample_job(theirs)));
  refused(replace_identities(*s, mine, theirs));
  auto d = sample_delivery("d");
  d.connection = theirs.id;
  refused(accept_delivery(*s, mine, d, noon));
  auto own = sample_delivery("own");
  REQUIRE(accept_delivery(*s, other, own, noon));
  refused(link_signals(*s, mine, std::array{signal_link{own.id, signal_id::make(), 0}}));
}
