#include "tests/support/event_trace.hpp"
#include "tests/support/sync_world.hpp"

#include <memory>
#include <random>

using namespace connectord;

namespace {

/// Nodes that die and take over, a store that refuses and doubts, a provider that is slow, ill, silent and
/// lets a refresh token work once: what was granted, queued and returned survives all of it.
class sync_history {
 public:
  sync_history(storage::session& db, unsigned seed) : w_{db}, dice_{seed} {
    w_.provider.token_life = seconds{600};
    w_.provider.leeway = std::chrono::hours{24};
    for (int t = 0; t < 2; ++t)
      for (int c = 0; c < 2; ++c) {
        const auto tenant = c == 0 ? tenant_id::make() : all_.back().tenant;
        const auto name = "account-" + std::to_string(all_.size());
        w_.add_items(below(4), name);
        all_.push_back({tenant, name, w_.connect(tenant, name)});
      }
    w_.node.die();
    w_.run();
    begin_node();
  }
  event_trace run(int steps) {
    troubled_ = true;
    for (int i = 0; i < steps; ++i) {
      step();
      if (below(3) > 0) w_.run();
      if (below(3) == 0) let_go(1);
      if (below(3) == 0) pass(milliseconds{1 << below(18)});
    }
    conclude();
    return trace_;
  }

 private:
  struct account {
    tenant_id tenant;
    std::string name;
    connection row;
  };

  int below(int n) { return std::uniform_int_distribution{0, n - 1}(dice_); }
  account& any() { return all_[static_cast<std::size_t>(below(static_cast<int>(all_.size())))]; }
  sync_node& node() { return *nodes_[static_cast<std::size_t>(below(static_cast<int>(nodes_.size())))]; }

  /// In one jump, so that whoever is in the middle of something finds its lease over: a blow, too.
  void pass(milliseconds time) {
    if (time > w_.node.shared->refresh.intent_lease) ++disturbed_;
    w_.pass(time);
  }
  void step() {
    auto& a = any();
    switch (below(14)) {
      case 0:
      case 1:
      case 2: return w_.add_items(1 + below(3), a.name);
      case 3:
      case 4:
        w_.tell(node(), a.tenant, request_sync{"example", a.row.id, job_type::incremental, w_.now()});
        return;
      case 5: w_.tell(node(), a.tenant, request_sync{"example", a.row.id, job_type::full, w_.now()}); return;
      case 6:
      case 7: w_.tell(node(), a.tenant, force_refresh{a.row.id, refresh_cause::force, w_.now()}); return;
      case 8: return expire();
      case 9: ask_to_leave(a.tenant); return;
      case 10:
        if (nodes_.size() < 2) begin_node();
        return;
      case 11:
        end_node();
        if (nodes_.empty()) begin_node();
        return;
      default: return let_go(3);
    }
  }

  /// Spares what a run may just have got for a refused one: a second refusal fails the connection, rightly.
  void expire() { w_.provider.expire_access_tokens(seconds{400}); }
  void ask_to_leave(const tenant_id& t) {
    ++disturbed_;
    w_.ask<done>(node().front, steer_tenant{t, steer_tenant::action::replace});
  }
  void let_go(int how_many) {
    for (auto& n : nodes_)
      for (int i = 0; i < how_many; ++i) {
        caf::anon_send(n->outbound, connectord::let_go{});
        caf::anon_send(n->store, release_one{});
      }
    w_.run();
  }

  void begin_node() {
    ++disturbed_;
    auto n = std::make_unique<sync_node>(w_, w_.db, "node-" + std::to_string(++last_node_), w_.clock, &w_.out,
                                         [this] {
                                           return std::uniform_real_distribution{0.0, 1.0}(dice_);
                                         });
    n->script.fate = [this](std::size_t) { return noted(store_fate()); };
    n->script.ran = [this] { look_at_rows(); };
    w_.out.fate = [this](const http_request& r) {
      trace_.note(r.url, r.body);
      return noted(outbound_fate(r));
    };
    w_.start_scheduler(*n);
    nodes_.push_back(std::move(n));
  }
  void end_node() {
    ++disturbed_;
    const auto which = nodes_.begin() + below(static_cast<int>(nodes_.size()));
    (*which)->die();
    graveyard_.push_back(std::move(*which));
    nodes_.erase(which);
    w_.run();
  }

  fault store_fate() {
    if (!troubled_ || below(12) > 0) return fault::none;
    ++disturbed_;
    constexpr std::array faults{fault::hold, fault::refuse_before, fault::in_doubt_before_commit,
                                fault::in_doubt_after_commit, fault::exception};
    return faults[static_cast<std::size_t>(below(static_cast<int>(faults.size())))];
  }
  passage outbound_fate(const http_request& r) {
    if (fake_provider::is_exchange(r)) check_presented(fake_provider::refresh_token_of(r));
    if (!troubled_ || below(4) > 0) return passage::open;
    ++disturbed_;
    constexpr std::array bad{passage::hold,        passage::hold_answer, passage::lose,
                             passage::lose_answer, passage::unavailable, passage::limited};
    return bad[static_cast<std::size_t>(below(static_cast<int>(bad.size())))];
  }

  template <class Fate>
  Fate noted(Fate f) {
    trace_.note(w_.now().time_since_epoch().count(), static_cast<int>(f));
    return f;
  }

  // ---- what holds at any time

  /// Single flight; and the trace learns how much the transaction changed.
  void look_at_rows() {
    REQUIRE(w_.db
                .query("SELECT connection_id FROM sync_jobs WHERE status = 'running'"
                       " GROUP BY tenant_id, connection_id HAVING COUNT(*) > 1",
                       {}, [](const storage::row& r) { FAIL_CHECK("two runs at a time of " << r.str(0)); })
                .has_value());
    trace_.note_changes(w_.db);
  }
  /// What went wrong so far. A blow may tell late: a commit that is held ends its tenant ten seconds on, and
  /// with it an exchange that has begun meanwhile; hence deaths count beside the blows.
  std::uint64_t troubles() {
    return disturbed_ + static_cast<std::uint64_t>(w_.meters.actor_restarts({"tenant"}).Value());
  }
  /// A refresh token is presented again only after something went wrong.
  void check_presented(const std::string& token) {
    const auto [at, first] = presented_.emplace(token, troubles());
    if (first) return;
    CHECK_MESSAGE(troubles() > at->second, "presented twice in peace: " << token);
    at->second = troubles();
  }

  // ---- the end

  std::size_t signals_of(const account& a) {
    const auto all = w_.signals(a.tenant);
    return static_cast<std::size_t>(std::ranges::count(all, a.row.id, &signal::connection));
  }
  bool is_complete() {
    return std::ranges::all_of(
        all_, [this](const auto& a) { return signals_of(a) == w_.provider.items[a.name].size(); });
  }
  void conclude() {
    troubled_ = false;
    while (!nodes_.empty()) end_node();
    begin_node();
    for (int i = 0; i < 600 && !is_complete(); ++i) w_.pass(seconds{10});
    for (int i = 0; i < 100; ++i) w_.pass(seconds{10});  // one more interval changes nothing
    w_.pass_slowly(seconds{2}, milliseconds{100});
    for (const auto& a : all_) check(a);
  }
  void check(const account& a) {
    CAPTURE(a.name);
    const auto row = w_.row(a.row, a.tenant);
    CHECK_FALSE(w_.provider.lost(a.name));
    CHECK_MESSAGE(row.status == connection_status::active, row.status_reason.value_or("no reason"));
    CHECK(signals_of(a) == w_.provider.items[a.name].size());
    CHECK_FALSE(storage::find_open_intent(w_.db, a.tenant, a.row.id).value());
    for (const auto& j : w_.jobs(a.tenant)) {
      trace_.note(static_cast<int>(j.status), to_millis(j.scheduled_at), j.attempts);
      CHECK(j.status != job_status::running);
      if (j.status == job_status::queued) CHECK_MESSAGE(j.scheduled_at > w_.now(), "a job was left behind");
    }
    REQUIRE(row.next_run_at);
    CHECK(*row.next_run_at > w_.now());
  }

  sync_world w_;
  std::minstd_rand dice_;
  event_trace trace_{w_.db};
  std::vector<account> all_;
  std::vector<std::unique_ptr<sync_node>> nodes_, graveyard_;
  std::map<std::string, std::uint64_t> presented_;
  std::uint64_t disturbed_ = 0;
  int last_node_ = 1;
  bool troubled_ = false;
};

}  // namespace

TEST_CASE("whatever fails and whoever dies, no grant is lost, no job is lost, and each item is one signal") {
  simulation_store files;
  const seed_range seeds{40};
  for (unsigned seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    files.clear();
    sync_history{*files.db, seed}.run(60);
  }
}

TEST_CASE("a seed is a whole history: nothing else decides what happens") {
  simulation_store files;
  check_replay(500, [&files](unsigned seed) {
    files.clear();
    return sync_history{*files.db, seed}.run(60);
  });
}
