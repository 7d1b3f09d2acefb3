#include "actors/tracker/reading.hpp"
#include "base/crypto.hpp"
#include "storage/tracker/projects.hpp"
#include "tests/support/sync_world.hpp"

using namespace connectord;
using namespace connectord::tracker;

namespace {

constexpr seconds longest_wait{5};

/// A tenant with a project, whose store lets a snapshot wait.
struct waiting_room : sync_fixture {
  waiting_room() {
    done_by<stored_connection>(tell(acme, test_connection("first")));
    home.id = project_id::make();
    home.project_uuid = uuid::random();
    home.slug = "apollo";
    home.name = "Apollo";
    REQUIRE(storage::insert_project(db, acme, home).has_value());
  }

  answer<tenant_outcome> send_snapshot() {
    const auto bytes = std::make_shared<const std::string>(
        R"({"provider":"linear","workspace":"acme","doctrine_mode":"external_authoritative","project_uuid":")" +
        home.project_uuid->str() + R"(","issues":[],"mappings":[]})");
    auto read = std::make_shared<const body_read::reading>(
        read_snapshot(bytes, to_hex(bytes_of(sha256(*bytes))), node.shared->tracker));
    const auto* parsed = std::get_if<parsed_snapshot>(read.get());
    REQUIRE(parsed != nullptr);
    const ingest_snapshot asked{"key", {read, parsed}, now() + longest_wait};
    return tell(acme, change_tracker{asked, {actor_kind::client, "spec-kitty"}, now()});
  }
  std::int64_t receipts() {
    std::int64_t rows = 0;
    REQUIRE(db.query("SELECT count(*) FROM tracker_receipts", {}, [&](const storage::row& r) {
                rows = r.integer(0);
              }).has_value());
    return rows;
  }
  /// Somebody else's commit is under way for so long when the snapshot's turn comes.
  answer<tenant_outcome> after(milliseconds wait) {
    node.script.fate = [n = node.script.jobs](std::size_t job) {
      return job == n ? fault::hold : fault::none;
    };
    const auto ahead = tell(acme, test_connection("ahead"));
    run();
    auto asked = send_snapshot();
    pass(wait);
    CHECK_FALSE(*asked);
    caf::anon_send(node.store, release_one{});
    run();
    CHECK((*ahead)->has_value());
    REQUIRE(*asked);
    return asked;
  }

  project home;
};

}  // namespace

TEST_CASE_FIXTURE(waiting_room, "a snapshot whose turn comes after five seconds is refused without effect") {
  const auto late = after(longest_wait + milliseconds{1});
  REQUIRE_FALSE((*late)->has_value());
  CHECK((*late)->error().code() == errc::service_unavailable);
  CHECK((*late)->error().retry_after() == 1);
  CHECK(receipts() == 0);
  const auto again = send_snapshot();
  run();
  CHECK((*again)->has_value());
  CHECK(receipts() == 1);
}

TEST_CASE_FIXTURE(waiting_room, "a snapshot whose turn comes in time is taken in") {
  const auto taken = after(longest_wait);
  CHECK((*taken)->has_value());
  CHECK(receipts() == 1);
}
