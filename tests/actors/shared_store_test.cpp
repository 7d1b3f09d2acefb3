#include "tests/support/sync_world.hpp"

using namespace connectord;

namespace {

/// Two processes over one store; the second has the tenant, and its memory is about to be out of date.
struct two_processes : sync_fixture {
  sync_node second{*this, db, "two", [this] { return clock(); }, &out};

  two_processes() {
    connect(acme);
    done_by<stored_connection>(tell(second, acme, test_connection("theirs")));
    CHECK(shown(second).size() == 2);
  }
  ~two_processes() { end(); }

  std::vector<connection> shown(sync_node& n) {
    const request_meta meta{"trace", system.clock().now() + seconds{20}, 0, {}};
    const auto asked = ask<connection_list>(n.front, connections_of_tenant{acme, read_connections{meta}});
    run();
    REQUIRE(*asked);
    REQUIRE((*asked)->has_value());
    return (*asked)->value().rows;
  }
  std::int64_t epoch() { return storage::find_epoch(db, acme).value().value(); }
  /// Until the pause of whoever was superseded is over.
  template <class Reply>
  Reply done_in_a_while(const answer<tenant_outcome>& a) {
    run();
    pass(seconds{1});
    return done_by<Reply>(a);
  }
};

}  // namespace

TEST_CASE_FIXTURE(two_processes,
                  "what one process wrote shows at the other at once, and reads claim nothing") {
  const auto fresh = done_in_a_while<stored_connection>(tell(node, acme, test_connection("fresh"))).row;
  const auto before = epoch();
  CHECK(shown(second).size() == 3);
  CHECK(shown(second) == shown(node));
  done_in_a_while<nothing>(tell(node, acme, delete_connection{fresh.id, now()}));
  CHECK(shown(second).back().status == connection_status::revoked);
  CHECK(epoch() == before);
}

TEST_CASE_FIXTURE(two_processes, "nobody is refused by a memory that is out of date") {
  const auto fresh = done_in_a_while<stored_connection>(tell(node, acme, test_connection("fresh"))).row;
  patch_connection named{fresh.id, {}, now()};
  named.patch.names_display_name = true;
  named.patch.display_name = "named elsewhere";
  CHECK(done_in_a_while<stored_connection>(tell(second, acme, named)).row.display_name == "named elsewhere");

  const auto secret =
      done_in_a_while<new_webhook_secret>(tell(node, acme, rotate_webhook_secret{fresh.id, now()}));
  const auto taken = tell(second, acme, test_delivery(1, secret.value.reveal()));
  CHECK(std::holds_alternative<accepted_delivery>(done_in_a_while<ingest_outcome>(taken)));
}

TEST_CASE_FIXTURE(two_processes,
                  "a refusal that is right is given, once the store has said whose the tenant is") {
  const auto before = epoch();
  const auto refused = tell(second, acme, delete_connection{connection_id::make(), now()});
  run();
  REQUIRE(*refused);
  CHECK((*refused)->error().code() == errc::not_found);
  CHECK(epoch() == before);

  second.script.fate = [](std::size_t) { return fault::refuse_before; };
  const auto unknown = tell(second, acme, delete_connection{connection_id::make(), now()});
  run();
  REQUIRE(*unknown);
  CHECK((*unknown)->error().code() == errc::database_unavailable);
  second.script.fate = [](std::size_t) { return fault::none; };
}

TEST_CASE_FIXTURE(two_processes, "a suspension at one process holds at the other") {
  done_in_a_while<stored_connection>(tell(second, acme, test_connection("before")));
  REQUIRE(storage::set_tenant_status(db, acme, tenant_status::suspended, now()).value());
  const auto refused = tell(second, acme, test_connection("after"));
  run();
  pass(seconds{1});
  REQUIRE(*refused);
  CHECK((*refused)->error().code() == errc::tenant_suspended);
}
