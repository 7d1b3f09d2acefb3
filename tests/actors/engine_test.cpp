#include "actors/engine.hpp"
#include "actors/notifier.hpp"
#include "storage/connections.hpp"
#include "storage/grounded_signals.hpp"
#include "storage/signal_configs.hpp"
#include "storage/signals.hpp"
#include "storage/tenants.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"

using namespace connectord;

namespace {

/// Answers calls as the test says, and keeps them.
struct exit_script {
  std::vector<http_request> calls;
  std::function<http_response()> answer = [] { return http_response{200, {}, {}}; };
};
class scripted_exit {
 public:
  using handle = outbound_actor;
  using interface = outbound_actor;
  static constexpr const char* name = "scripted_exit";

  scripted_exit(self_pointer<scripted_exit>, exit_script* script) : script_(script) {}
  interface::behavior_type behavior() {
    return {[this](const send_request& r) {
      script_->calls.push_back(r.request);
      return http_answered{script_->answer()};
    }};
  }

 private:
  exit_script* script_;
};

struct engine_fixture : actor_fixture {
  temporary_store files;
  store_script script{files.db.get()};
  exit_script world;
  timestamp today = from_millis(1'760'000'000'000);
  scripted_store::handle store =
      host(spawn<scripted_store>({system, sky}, {"store", "system", {}, {}}, &script));
  outbound_actor out = host(spawn<scripted_exit>({system, sky}, {"exit", "system", {}, {}}, &world));
  std::map<tenant_id, connection_id> connections;
  tenant_id acme = new_tenant(), other = new_tenant();
  int number = 0;

  services_ptr facts() {
    auto mine = std::make_shared<services>(*test_services(meters));
    mine->now = [this] { return today; };
    return mine;
  }
  void start() {
    host(spawn_engine({system, sky}, facts(), store));
    host(spawn_notifier({system, sky}, facts(), store, out, secret{"a token"}));
    run();
  }
  tenant_id new_tenant() {
    const auto t = tenant_id::make();
    REQUIRE(storage::provision_tenant(*files.db, t, today).has_value());
    connection c;
    c.id = connection_id::make();
    c.provider = "example";
    c.external_id = "1";
    REQUIRE(storage::insert_connection(*files.db, t, c).has_value());
    connections.emplace(t, c.id);
    return t;
  }
  signal_id post(const tenant_id& t, std::string payload, seconds ago = seconds{0}) {
    signal s;
    s.id = signal_id::make();
    s.provider = "example";
    s.connection = connections.at(t);
    s.kind = "issue_created";
    s.occurred_at = s.received_at = today - ago;
    s.payload = std::move(payload);
    s.dedupe_key = std::to_string(++number);
    REQUIRE(storage::insert_signal(*files.db, t, s)->inserted);
    return s.id;
  }
  void configure(const tenant_id& t, double threshold, std::optional<std::string> url = {}) {
    signal_config c;
    c.threshold = threshold;
    c.webhook_url = std::move(url);
    REQUIRE(storage::put_signal_config(*files.db, t, c, today).has_value());
  }
  std::vector<grounded_signal> grounded(const tenant_id& t) {
    return *storage::list_grounded(*files.db, t, {}, {}, 0, 1000);
  }
  std::int64_t waiting() {
    std::int64_t n = -1;
    REQUIRE(files.db
                ->query("SELECT COUNT(*) FROM unscored_signals", {},
                        [&](const storage::row& r) { n = r.integer(0); })
                .has_value());
    return n;
  }
  void look(int times = 1) {
    for (int i = 0; i < times; ++i) pass(engine::between_looks);
  }
};

const std::string alarm = R"({"title":"critical security outage of the platform, customer revenue at risk"})";

}  // namespace

TEST_CASE_FIXTURE(engine_fixture, "a strong signal is grounded, a weak one is not, and none waits any more") {
  configure(acme, 0.6);
  const auto strong = post(acme, alarm);
  post(acme, R"({"title":"lunch"})");
  start();
  look();
  REQUIRE(grounded(acme).size() == 1);
  CHECK(grounded(acme).front().signal == strong);
  CHECK(waiting() == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "signals about one thing become one row, across batches and looks") {
  configure(acme, 0);
  const auto first = post(acme, alarm);
  for (int i = 0; i < 2 * engine::batch; ++i) post(acme, alarm);
  start();
  look();
  post(acme, alarm);
  look();
  REQUIRE(grounded(acme).size() == 1);
  CHECK(grounded(acme).front().signal == first);
  const auto evidence = parse_json_object(grounded(acme).front().evidence).value();
  CHECK(evidence.at("cluster_size") == 2 * engine::batch + 2);
}

TEST_CASE_FIXTURE(engine_fixture, "each tenant has clusters of its own, and its own threshold") {
  configure(acme, 0);
  configure(other, 1);
  post(acme, alarm);
  post(other, alarm);
  start();
  look();
  CHECK(grounded(acme).size() == 1);
  CHECK(grounded(other).empty());
}

TEST_CASE_FIXTURE(engine_fixture, "a signal that cannot be read is set aside, and the next one is scored") {
  configure(acme, 0);
  configure(other, 0);
  post(acme, "no object");
  post(acme, alarm);
  post(other, alarm);
  start();
  look();
  CHECK(grounded(acme).size() == 1);
  CHECK(grounded(other).size() == 1);
  CHECK(waiting() == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "one tenant's trouble at the store does not hold up another, and passes") {
  for (const auto& t : {acme, other}) configure(t, 0);
  post(acme, alarm);
  post(other, alarm);
  bool broken = true;
  script.fate = [&](std::size_t) {
    return broken && script.current == acme ? fault::exception : fault::none;
  };
  start();
  look();
  CHECK(grounded(acme).empty());
  CHECK(grounded(other).size() == 1);
  broken = false;
  look();
  CHECK(grounded(acme).size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "wherever it is interrupted, each signal counts once") {
  for (const auto what : {fault::refuse_before, fault::in_doubt_before_commit, fault::in_doubt_after_commit})
    for (std::size_t at = 0; at < 6; ++at) {
      const auto t = new_tenant();
      configure(t, 0);
      post(t, alarm);
      post(t, alarm);
      auto e = spawn_engine({system, sky}, facts(), store);
      run();
      const auto begun = script.jobs;
      script.fate = [begun, at, what](std::size_t job) { return job == begun + at ? what : fault::none; };
      look();
      script.fate = [](std::size_t) { return fault::none; };
      look(2);
      caf::anon_send_exit(e, caf::exit_reason::user_shutdown);
      e = nullptr;
      run();
      REQUIRE(grounded(t).size() == 1);
      CHECK(parse_json_object(grounded(t).front().evidence).value().at("cluster_size") == 2);
    }
}

TEST_CASE_FIXTURE(engine_fixture, "a suspended tenant's signals wait, and others go on") {
  for (const auto& t : {acme, other}) configure(t, 0);
  REQUIRE(*storage::set_tenant_status(*files.db, acme, tenant_status::suspended, today));
  post(acme, alarm);
  post(other, alarm);
  start();
  look();
  CHECK(grounded(acme).empty());
  CHECK(grounded(other).size() == 1);
  REQUIRE(*storage::set_tenant_status(*files.db, acme, tenant_status::active, today));
  look();
  CHECK(grounded(acme).size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "a signal that waited for more than a day is not looked at") {
  configure(acme, 0);
  post(acme, alarm);
  today += grounding::longest_delay;
  start();
  look();
  CHECK(grounded(acme).empty());
  CHECK(waiting() == 0);
}

TEST_CASE_FIXTURE(engine_fixture, "an actioned cluster takes its signals in silently") {
  configure(acme, 0);
  post(acme, alarm);
  start();
  look();
  auto row = grounded(acme).front();
  row.status = grounded_status::actioned;
  REQUIRE(storage::update_grounded(*files.db, acme, row).has_value());
  post(acme, alarm);
  look();
  REQUIRE(grounded(acme).size() == 1);
  CHECK(grounded(acme).front().evidence == row.evidence);
}

TEST_CASE_FIXTURE(engine_fixture, "when nothing is new, a look is one read") {
  start();
  look(3);
  const auto before = script.jobs;
  look();
  CHECK(script.jobs - before == 2);  // the engine's, and the notifier's
}

TEST_CASE_FIXTURE(engine_fixture, "a grounded signal is told once, however its cluster grows") {
  configure(acme, 0, "https://a.example/x");
  post(acme, alarm);
  start();
  look(2);
  post(acme, alarm);
  look(3);
  REQUIRE(world.calls.size() == 1);
  CHECK(world.calls.front().url == "https://a.example/x");
  const auto body = parse_json_object(world.calls.front().body).value();
  CHECK(body.at("grounded_signal_id") == json::string{grounded(acme).front().id.text()});
}

TEST_CASE_FIXTURE(engine_fixture, "three attempts are made, one and two seconds apart, and no more") {
  configure(acme, 0, "https://a.example/x");
  world.answer = [] { return http_response{500, {}, {}}; };
  post(acme, alarm);
  start();
  while (world.calls.empty()) look();
  pass(milliseconds{999});
  CHECK(world.calls.size() == 1);
  pass(milliseconds{1});
  CHECK(world.calls.size() == 2);
  pass(milliseconds{1999});
  CHECK(world.calls.size() == 2);
  pass(milliseconds{1});
  CHECK(world.calls.size() == 3);
  today += std::chrono::hours{1};
  look(5);
  CHECK(world.calls.size() == 3);
}

TEST_CASE_FIXTURE(engine_fixture, "an attempt that succeeds is the last one") {
  configure(acme, 0, "https://a.example/x");
  world.answer = [this] { return http_response{world.calls.size() < 2 ? 503 : 204, {}, {}}; };
  post(acme, alarm);
  start();
  look(10);
  CHECK(world.calls.size() == 2);
}

TEST_CASE_FIXTURE(engine_fixture,
                  "what a dead notifier held is told by the next one when the lease is over") {
  configure(acme, 0, "https://a.example/x");
  post(acme, alarm);
  auto e = host(spawn_engine({system, sky}, facts(), store));
  run();
  look();
  REQUIRE(storage::lease_notifications(*files.db, today, today + notifier::lease, 9, 4)->size() == 1);
  host(spawn_notifier({system, sky}, facts(), store, out, secret{}));
  run();
  look(2);
  CHECK(world.calls.empty());
  today += notifier::lease;
  look();
  CHECK(world.calls.size() == 1);
}

TEST_CASE_FIXTURE(engine_fixture, "a tenant without a URL, or suspended, is not told") {
  configure(acme, 0, "https://a.example/x");
  configure(other, 0, "https://b.example/x");
  post(acme, alarm);
  post(other, alarm);
  auto e = host(spawn_engine({system, sky}, facts(), store));
  run();
  look();
  configure(acme, 0);
  REQUIRE(*storage::set_tenant_status(*files.db, other, tenant_status::suspended, today));
  host(spawn_notifier({system, sky}, facts(), store, out, secret{}));
  run();
  look(3);
  CHECK(world.calls.empty());
  REQUIRE(*storage::set_tenant_status(*files.db, other, tenant_status::active, today));
  today += notifier::lease;
  look();
  REQUIRE(world.calls.size() == 1);
  CHECK(world.calls.front().url == "https://b.example/x");
}
