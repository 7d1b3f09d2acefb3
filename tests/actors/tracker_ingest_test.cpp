#include "actors/tracker/bindings.hpp"
#include "actors/tracker/ingest.hpp"
#include "actors/tracker/observe.hpp"
#include "actors/tracker/queue.hpp"
#include "actors/tracker/reading.hpp"
#include "base/compression.hpp"
#include "base/crypto.hpp"
#include "storage/tenants.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/receipts.hpp"
#include "storage/tracker/resources.hpp"
#include "storage/tracker/work_packages.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"

using namespace connectord;
using namespace connectord::tracker;

namespace {

constexpr timestamp noon{milliseconds{1'700'000'000'000}};

/// Lets so many statements through; the one after them finds the store gone.
class failing_session final : public storage::session {
 public:
  failing_session(storage::session& real, std::size_t most) : real_(real), left_(most) {}

  bool failed() const { return failed_; }

  storage::dialect kind() const noexcept override { return real_.kind(); }
  result<> query(std::string_view sql, std::span<const storage::param> arguments,
                 const on_row& each) override {
    if (gone()) return error{errc::database_unavailable};
    return real_.query(sql, arguments, each);
  }
  result<std::int64_t> execute(std::string_view sql, std::span<const storage::param> arguments) override {
    if (gone()) return error{errc::database_unavailable};
    return real_.execute(sql, arguments);
  }
  result<> script(std::string_view sql) override { return real_.script(sql); }
  result<> begin_write() override { return real_.begin_write(); }
  result<> begin_read() override { return real_.begin_read(); }
  result<> commit() override { return real_.commit(); }
  void rollback() noexcept override { real_.rollback(); }
  result<> savepoint() override { return real_.savepoint(); }
  result<> release() override { return real_.release(); }
  result<> rollback_to_savepoint() override { return real_.rollback_to_savepoint(); }
  bool alive() const noexcept override { return real_.alive(); }

 private:
  bool gone() {
    failed_ = failed_ || left_ == 0;
    if (!failed_) --left_;
    return failed_;
  }

  storage::session& real_;
  std::size_t left_;
  bool failed_ = false;
};

struct tracker_fixture {
  tracker_fixture() {
    REQUIRE(storage::provision_tenant(*files.db, t, noon).has_value());
    home.id = project_id::make();
    home.project_uuid = uuid::random();
    home.slug = "apollo";
    home.name = "Apollo";
    REQUIRE(storage::insert_project(*files.db, t, home).has_value());
    work_package wp{.project = home.id, .ref = {"WP01", ""}, .title = "Fix login", .lane = lane::done};
    REQUIRE(storage::put_work_package(*files.db, t, wp).has_value());
  }

  change at(storage::session& db) { return {db, t, now, rules, {actor_kind::client, "spec-kitty"}}; }

  ingest_snapshot snapshot(std::string_view issues, std::string_view mappings, bool of_home = true) const {
    const auto project = of_home ? '"' + home.project_uuid->str() + '"' : std::string{"null"};
    const auto bytes = std::make_shared<const std::string>(
        R"({"provider":"linear","workspace":"acme","doctrine_mode":"external_authoritative","project_uuid":)" +
        project + R"(,"issues":[)" + std::string{issues} + R"(],"mappings":[)" + std::string{mappings} +
        "]}");
    auto read = std::make_shared<const body_read::reading>(
        read_snapshot(bytes, to_hex(bytes_of(sha256(*bytes))), rules));
    const auto* parsed = std::get_if<parsed_snapshot>(read.get());
    REQUIRE(parsed != nullptr);
    return {"key", {read, parsed}, now};
  }
  /// The same issues and mappings, and yet another snapshot.
  static ingest_snapshot keyed(ingest_snapshot asked, std::string key) {
    auto body = std::make_shared<parsed_snapshot>(*asked.snapshot);
    body->body.digest = asked.key = std::move(key);
    asked.snapshot = std::move(body);
    return asked;
  }
  static std::string issue(std::string_view id, std::string_view status, std::string_view updated_at = {}) {
    return R"({"ref":{"system":"linear","workspace":"acme","id":")" + std::string{id} +
           R"("},"title":"Fix login","status":")" + std::string{status} + R"(","issue_type":"task")" +
           (updated_at.empty() ? "" : R"(,"updated_at":")" + std::string{updated_at} + '"') + "}";
  }
  static std::string mapping(std::string_view wp, std::string_view id) {
    return R"({"wp_id":")" + std::string{wp} + R"(","system":"linear","workspace":"acme","external_id":")" +
           std::string{id} + R"("})";
  }

  /// In a transaction of its own, which is kept if it succeeds.
  template <class Work>
  auto commit(storage::session& db, Work work) {
    REQUIRE(db.begin_write().has_value());
    auto c = at(db);
    auto done = work(c);
    if (done)
      REQUIRE(db.commit().has_value());
    else
      db.rollback();
    return done;
  }
  auto take(const ingest_snapshot& asked) {
    return commit(*files.db, [&](change& c) { return ingest(c, asked, now); });
  }

  /// Every table's rows, as text.
  std::string everything() {
    std::string out;
    for (const std::string table : {"bindings", "resources", "issues", "links", "receipts", "bodies", "queue",
                                    "runs", "drift", "installations"}) {
      std::vector<std::string> columns;
      const auto ok = files.db->query("SELECT name FROM pragma_table_info($1)", {"tracker_" + table},
                                      [&](const storage::row& r) { columns.push_back(r.str(0)); });
      REQUIRE(ok.has_value());
      std::string joined;
      for (const auto& c : columns) joined += (joined.empty() ? "quote(" : " || '|' || quote(") + c + ")";
      const auto text = "SELECT " + joined + " FROM tracker_" + table + " ORDER BY 1";
      const auto read = files.db->query(text, {}, [&](const storage::row& r) { out += r.str(0) + '\n'; });
      REQUIRE(read.has_value());
    }
    return out + "feed " + std::to_string(*storage::feed_head(*files.db, t));
  }

  temporary_store files;
  tenant_id t = tenant_id::make();
  project home;
  policy rules;
  timestamp now = noon;
};

}  // namespace

TEST_CASE_FIXTURE(tracker_fixture,
                  "an ingest that loses the store at any statement leaves nothing, and can be repeated") {
  REQUIRE(take(snapshot(issue("a", "todo") + ',' + issue("b", "todo"), mapping("WP01", "a"))).has_value());
  const auto next = snapshot(issue("a", "done") + ',' + issue("c", "todo"),
                             mapping("WP01", "c") + ',' + mapping("WP02", "a"));
  auto other = next;
  other.key = std::string(64, 'f');
  const auto before = everything();
  std::size_t statements = 0;
  for (;; ++statements) {
    failing_session db{*files.db, statements};
    const auto done = commit(db, [&](change& c) { return ingest(c, other, now); });
    if (!db.failed()) {
      REQUIRE(done.has_value());
      break;
    }
    CHECK_FALSE(done.has_value());
    REQUIRE(everything() == before);
  }
  CHECK(statements > 20);
  const auto again = take(other);
  REQUIRE(again.has_value());
  CHECK(again->replayed);
  CHECK(storage::list_receipts(*files.db, t, {}, {}, 10)->size() == 2);
}

TEST_CASE_FIXTURE(tracker_fixture, "resolving a queued snapshot is whole or not at all") {
  const auto queued = take(snapshot(issue("a", "todo"), mapping("WP01", "a"), false));
  REQUIRE(queued.has_value());
  REQUIRE(queued->receipt.state == receipt_state::queued);
  const auto item =
      commit(*files.db, [&](change& c) { return storage::list_queue(c.db, t, {}, {}, 1); })->front();
  const resolve_queue_item asked{item.id, home.id.value()};
  const auto before = everything();
  for (std::size_t statements = 0;; ++statements) {
    failing_session db{*files.db, statements};
    const auto done = commit(db, [&](change& c) { return resolve(c, asked); });
    if (!db.failed()) {
      REQUIRE(done.has_value());
      CHECK(done->receipt.matched == matched_by::manual);
      break;
    }
    REQUIRE(everything() == before);
  }
  CHECK(commit(*files.db, [&](change& c) { return resolve(c, asked); }).error().code() ==
        errc::queue_item_closed);
}

TEST_CASE_FIXTURE(tracker_fixture,
                  "a body that waits since it was not packed yet is applied like any other") {
  const auto queued = take(snapshot(issue("a", "todo"), mapping("WP01", "a"), false));
  REQUIRE(queued.has_value());
  const auto packed = *storage::find_body(*files.db, t, queued->receipt.id);
  REQUIRE(is_compressed(packed.value()));
  const auto plain = decompress(*packed, 1000).value();
  REQUIRE(files.db->execute("UPDATE tracker_bodies SET body = $1", {storage::blob{plain}}).has_value());
  const auto item =
      commit(*files.db, [&](change& c) { return storage::list_queue(c.db, t, {}, {}, 1); })->front();
  REQUIRE(commit(*files.db, [&](change& c) { return resolve(c, {item.id, home.id.value()}); }).has_value());
  CHECK(storage::list_issues(*files.db, t, {}, {}, 10, false)->size() == 1);
}

TEST_CASE_FIXTURE(tracker_fixture, "a snapshot that changes little writes little") {
  constexpr int issues = 500;
  const auto body = [](int done) {
    std::string all;
    for (int i = 0; i < issues; ++i)
      all += (i > 0 ? "," : "") + issue("i" + std::to_string(i), i < done ? "done" : "todo");
    return all;
  };
  const auto changed_rows = [&] {
    std::int64_t count = 0;
    const auto ok =
        files.db->query("SELECT total_changes()", {}, [&](const storage::row& r) { count = r.integer(0); });
    REQUIRE(ok.has_value());
    return count;
  };
  const auto writes = [&](int done, std::string key) {
    auto asked = snapshot(body(done), "");
    asked.key = std::move(key);
    const auto before = changed_rows();
    REQUIRE(take(asked).has_value());
    return changed_rows() - before;
  };
  CHECK(writes(0, "first") >= issues);
  const auto unchanged = writes(0, "again");
  CHECK(unchanged < 10);
  CHECK(writes(10, "ten") == unchanged + 10);
}

TEST_CASE_FIXTURE(tracker_fixture,
                  "a list that says the same again is compared when its issues are not as it said") {
  const auto counts = [&](std::string issues, std::string key) {
    const auto done = take(keyed(snapshot(issues, mapping("WP01", "a")), std::move(key)));
    REQUIRE(done.has_value());
    const auto& n = done->receipt.counts;
    const auto at = [&](std::string_view name) {
      const auto member = "\"issues_" + std::string{name} + "\":";
      REQUIRE(n.find(member) != std::string::npos);
      return std::stoi(n.substr(n.find(member) + member.size()));
    };
    return std::array{at("created"), at("updated"), at("unchanged"), at("skipped_older")};
  };
  using effects = std::array<int, 4>;
  const auto list = issue("a", "done", "2026-01-02T00:00:00Z") + ',' + issue("b", "done");
  CHECK(counts(list, "1") == effects{2, 0, 0, 0});
  CHECK(counts(list, "2") == effects{0, 0, 2, 0});

  SUBCASE("an older issue was skipped") {
    const auto older = issue("a", "todo", "2026-01-01T00:00:00Z") + ',' + issue("b", "done");
    CHECK(counts(older, "3") == effects{0, 0, 1, 1});
    CHECK(counts(older, "4") == effects{0, 0, 1, 1});
    CHECK(counts(list, "5") == effects{0, 0, 2, 0});
  }
  SUBCASE("the provider has deleted one") {
    const auto binding = storage::list_bindings(*files.db, t, {}, {}, 1)->front().row;
    commit(*files.db, [&](change& c) {
      return storage::insert_resource(c.db, t,
                                      {resource_id::make(), binding.id, tracker::provider::linear, "acme",
                                       "linear_team", "ENG", binding_state::active, now, now});
    });
    connectord::provider::tracker_facts facts;
    facts.system = tracker::provider::linear;
    facts.resource.type = "linear_team";
    connectord::provider::tracker_issue gone;
    gone.content.ref = {"linear", "acme", "a"};
    gone.workspaces = {"acme"};
    gone.resources = {"ENG"};
    gone.deleted = true;
    const auto present = [&] {
      return *storage::issue_is_present(*files.db, t, binding.id, gone.content.ref);
    };
    CHECK(commit(*files.db, [&](change& c) {
            return observe(c, {facts, view::webhook, {&gone, 1}});
          }).value());
    CHECK_FALSE(present());
    CHECK(counts(list, "3") == effects{0, 0, 2, 0});
    CHECK(present());
  }
  SUBCASE("the links are looked up in a list that was not compared") {
    CHECK(storage::list_links(*files.db, t, {}, {}, 1)->front().link.absent_count == 0);
    CHECK(storage::list_links(*files.db, t, {}, {}, 1)->front().link.state == link_state::linked);
  }
}

TEST_CASE_FIXTURE(tracker_fixture,
                  "a link missing for long is evaluated when its time has come, and only then") {
  REQUIRE(take(snapshot(issue("a", "done"), mapping("WP01", "a"))).has_value());
  const auto without = [&](std::string key) {
    REQUIRE(take(keyed(snapshot(issue("b", "done"), ""), std::move(key))).has_value());
    const auto l = storage::list_links(*files.db, t, {}, {}, 1)->front().link;
    return std::pair{l.absent_count, l.state};
  };
  CHECK(without("1") == std::pair{1, link_state::linked});
  CHECK(without("2") == std::pair{2, link_state::missing});
  CHECK(without("3") == std::pair{3, link_state::missing});
  const auto open = storage::list_drift(*files.db, t, {.states = {"open"}}, {}, 10);
  REQUIRE(open->size() == 1);
  CHECK(open->front().kind == drift_kind::missing_external);
}
