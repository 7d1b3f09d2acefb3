#pragma once

#include "actors/directory.hpp"
#include "actors/inbox.hpp"
#include "actors/ticker.hpp"
#include "storage/connections.hpp"
#include "storage/job_queue.hpp"
#include "storage/jobs.hpp"
#include "storage/refresh_intents.hpp"
#include "storage/signals.hpp"
#include "storage/tenants.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"
#include "tests/support/fake_provider.hpp"

namespace connectord {

/// A process of its own over a store that others may use too: directory, tenants and scheduler.
struct sync_node {
  sync_node(
      actor_fixture& f, storage::session& db, std::string name, std::function<timestamp()> now,
      outbound_script* out, std::function<double()> chance = [] { return 0.5; }) {
    auto mine = test_services(f.meters, example_catalog());
    mine->now = std::move(now);
    mine->chance = std::move(chance);
    mine->node = std::move(name);
    mine->store_is_shared = true;
    mine->outbound = &way_out;
    mine->ticker = &clockwork;
    mine->clients["example"].id = "app";
    mine->backoff = {seconds{5}, seconds{900}, 0};
    mine->sync.jitter_most = 0;
    mine->refresh.jitter = 0;
    shared = mine;
    settings = mine.get();
    script.db = &db;
    const cradle root{f.system, f.sky};
    store = f.host(spawn<scripted_store>(root, {"store/" + shared->node, "system", {}, {}}, &script));
    outbound = f.host(spawn<scripted_outbound>(root, {"out/" + shared->node, "system", {}, {}}, out));
    way_out.set(outbound);
    inbox = f.host(spawn_inbox(root, shared, store));
    front = f.host(spawn_directory(root, shared, store, inbox));
  }
  ~sync_node() {
    way_out.clear();
    clockwork.clear();
  }
  /// As kill -9 does: nobody says good-bye.
  void die() {
    const auto kill = [](const auto& who) {
      if (who) caf::anon_send_exit(who, caf::exit_reason::kill);
    };
    kill(clockwork.get());
    kill(front);
    kill(inbox);
    kill(outbound);
    kill(store);
  }

  store_script script;
  whereabouts<outbound_actor> way_out;
  whereabouts<ticker_actor> clockwork;
  services_ptr shared;
  services* settings;  ///< for tests, before anything is asked
  scripted_store::handle store;
  scripted_outbound::handle outbound;
  inbox_actor inbox;
  directory_actor front;
};

/// One node, a provider, and virtual time. The scheduler is there when a test wants it.
class sync_world : public actor_fixture {
 public:
  static constexpr const char* account = "account";

  explicit sync_world(storage::session& s) : db(s) {
    out.provider = [this](const auto& r) { return provider.answer(r); };
  }
  ~sync_world() { end(); }

  storage::session& db;

 private:
  timestamp now_ = from_millis(1'760'000'000'000);

 public:
  fake_provider provider{[this] { return now_; }};
  outbound_script out;
  std::function<timestamp()> clock = [this] { return now_; };
  sync_node node{*this, db, "one", [this] { return clock(); }, &out};
  tenant_id acme = tenant_id::make();
  int slots_out = 0;

  timestamp now() const { return now_; }
  void pass(milliseconds time) {
    now_ += time;
    actor_fixture::pass(time);
  }
  /// In steps, so that timers meet the clock that they were set by.
  void pass_slowly(seconds time, milliseconds step = seconds{1}) {
    for (auto left = milliseconds{time}; left > milliseconds{0}; left -= step) pass(std::min(step, left));
  }
  void start_scheduler() { start_scheduler(node); }
  void start_scheduler(sync_node& n) {
    n.clockwork.set(host(spawn_ticker({system, sky}, n.shared, n.store, n.front)));
    run();
  }
  void let_all_go() {
    for (int i = 0; i < 100; ++i) caf::anon_send(node.outbound, let_go{});
    run();
  }

  answer<tenant_outcome> tell(const tenant_id& t, mutation m) { return tell(node, t, std::move(m)); }
  answer<tenant_outcome> tell(sync_node& n, const tenant_id& t, mutation m, std::uint64_t fingerprint = 0) {
    return ask<tenant_outcome>(n.front, to_tenant{t, as_command(std::move(m), fingerprint, true)});
  }
  template <class Reply>
  Reply done_by(const answer<tenant_outcome>& a) {
    run();
    REQUIRE(*a);
    REQUIRE((*a)->has_value());
    return std::get<Reply>((*a)->value().value);
  }

  /// What a consent leaves behind: a connection with tokens, and its first job.
  connection connect(const tenant_id& t, const std::string& who = account) {
    return done_by<stored_connection>(tell(t, granted(who))).row;
  }
  store_grant granted(const std::string& who) {
    const auto tokens = provider.consent(who);
    store_grant g;
    g.provider = "example";
    g.tokens.access = secret{tokens.access};
    g.tokens.refresh = secret{tokens.refresh};
    g.tokens.expires_at = now_ + provider.token_life;
    g.account.external_id = who;
    g.account.metadata = "{}";
    g.now = now_;
    return g;
  }
  void add_items(int how_many, const std::string& who = account) {
    auto& all = provider.items[who];
    for (int i = 0; i < how_many; ++i)
      all.push_back(all.empty() ? from_millis(1'700'000'000'000) : all.back() + seconds{60});
  }
  /// As the scheduler does, with a slot that tells when it is free again.
  answer<tenant_outcome> run_one(const tenant_id& t) {
    ++slots_out;
    run_slot slot{{new std::atomic<bool>{false}, [this](const std::atomic<bool>* used) {
                     --slots_out;
                     delete used;
                   }}};
    auto asked = tell(t, run_job{std::move(slot), now_});
    slot = {};
    run();
    return asked;
  }
  answer<tenant_outcome> run_one() { return run_one(acme); }

  connection row(const connection& c, const tenant_id& t) {
    return storage::find_connection(db, t, c.id).value().value();
  }
  connection row(const connection& c) { return row(c, acme); }
  std::vector<job> jobs(const tenant_id& t) { return storage::list_jobs(db, t, {}, {}, 100'000).value(); }
  std::vector<job> jobs() { return jobs(acme); }
  std::vector<signal> signals(const tenant_id& t) {
    return storage::list_signals(db, t, {}, {}, 100'000, signal_extra::none).value();
  }
  std::vector<signal> signals() { return signals(acme); }
  bool intent_is_open(const connection& c) {
    return storage::find_open_intent(db, acme, c.id).value().has_value();
  }
};

/// The whole of it over a store of its own.
struct sync_fixture : temporary_store, sync_world {
  sync_fixture() : sync_world(*temporary_store::db) {}
  using sync_world::db;
};

}  // namespace connectord
