#include "actors/plan.hpp"
#include "storage/unrouted.hpp"
#include "tests/support/simulated_world.hpp"

#include <random>

using namespace connectord;

namespace {

enum class blow {
  refuse,
  doubt_before,
  doubt_after,
  exception,
  hold,
  claim,
  most  ///< how many there are
};

fault as_fault(blow b) {
  constexpr std::array faults{fault::refuse_before,
                              fault::in_doubt_before_commit,
                              fault::in_doubt_after_commit,
                              fault::exception,
                              fault::hold,
                              fault::none};
  return faults[static_cast<std::size_t>(b)];
}

/// What a scripted store does now; a claim by somebody else happens right before the job.
fault strike(simulated_world& w, blow b) {
  if (b == blow::claim && w.script.current && storage::find_tenant(w.db, *w.script.current).value())
    w.stolen(*w.script.current);
  return as_fault(b);
}

struct flow {
  const char* name;
  std::function<void(simulated_world&)> prepare, run;
};

void connected(simulated_world& w) {
  w.must(w.connect(w.acme, party::anchor));
  w.must(w.connect(w.neighbour, party::anchor));
}

std::vector<unrouted_id> unrouted(simulated_world& w, const std::string& account) {
  std::vector<unrouted_id> ids;
  for (const auto& u : storage::list_unrouted(w.db, {}, {}, 100'000).value())
    for (const auto& i : u.identities)
      if (i.value == account) ids.push_back(u.id);
  return ids;
}

const std::vector<flow>& flows() {
  static const std::vector<flow> all{
      {"activation", [](auto& w) { w.must(w.connect(w.neighbour, party::anchor)); },
       [](auto& w) { w.must(w.connect(w.acme, party::anchor)); }},
      {"delivery", connected, [](auto& w) { w.must(w.deliver(w.acme, 1, party::anchor)); }},
      {"duplicate", connected,
       [](auto& w) {
         w.begin(w.deliver(w.acme, 1, party::anchor));
         w.must(w.deliver(w.acme, 1, party::anchor));
         w.must(w.deliver(w.acme, 1, party::anchor));
         w.must(w.deliver(w.acme, 1, party::anchor, 2));
       }},
      {"connection", connected,
       [](auto& w) {
         w.must(w.connect(w.acme, "second"));
         w.must(w.patch(w.acme, "second", 1));
         w.must(w.disconnect(w.acme, "second"));
         w.must(w.connect(w.acme, "second"));
       }},
      {"rotation", connected,
       [](auto& w) {
         w.must(w.rotate(w.acme, party::anchor));
         w.must(w.deliver(w.acme, 1, party::anchor));
       }},
      {"replay",
       [](auto& w) {
         connected(w);
         w.must(w.deliver(w.acme, 1, party::anchor));
       },
       [](auto& w) { w.must(w.replay(w.acme, w.deliveries(w.acme).front().id)); }},
      {"passivation", connected,
       [](auto& w) {
         w.must(w.patch(w.acme, party::anchor, 1));
         w.must(w.steer(w.acme, steer_tenant::action::replace));
         w.must(w.read(w.acme));
       }},
      {"catch-up", connected,
       [](auto& w) {
         w.must(w.set_status(w.acme, tenant_status::suspended));
         w.must(w.deliver(w.acme, 1, party::anchor));
         w.must(w.deliver(w.acme, 2, party::anchor));
         w.must(w.set_status(w.acme, tenant_status::active));
         for (int i = 0; i < 4; ++i) w.pass(seconds{20});  // no message of anybody's wakes it
         CHECK(w.signals(w.acme).size() == 2);
       }},
      {"app-level delivery",
       [](auto& w) {
         connected(w);
         w.must(w.connect(w.acme, w.acme.id.str()));
         w.must(w.connect(w.other, w.acme.id.str()));
       },
       [](auto& w) {
         w.must(w.route(1, w.acme.id.str()));
         CHECK(w.routed_deliveries == 2);
         CHECK(w.signals(w.acme).size() == 1);
         CHECK(w.signals(w.other).size() == 1);
       }},
      {"unrouted",
       [](auto& w) {
         connected(w);
         w.must(w.route(1, w.acme.id.str()));
         w.must(w.connect(w.acme, w.acme.id.str()));
       },
       [](auto& w) {
         for (const auto& id : unrouted(w, w.acme.id.str())) w.must(w.reroute(id));
         CHECK(unrouted(w, w.acme.id.str()).empty());
         CHECK(w.signals(w.acme).size() == 1);
       }},
  };
  return all;
}

/// True when the flow reached job `k`.
bool survives(storage::session& db, const flow& f, blow b, std::size_t k) {
  simulated_world w{db};
  f.prepare(w);
  const auto first = w.script.jobs;
  w.script.fate = [&, first](std::size_t n) { return n == first + k ? strike(w, b) : fault::none; };
  f.run(w);
  const bool reached = w.script.jobs > first + k;
  w.must(w.deliver(w.neighbour, 1, party::anchor));
  w.conclude();
  return reached;
}

/// A random history. Tenants `acme` and `other` suffer; the neighbour works beside them in peace.
class history {
 public:
  history(storage::session& db, unsigned seed) : w_{db}, dice_{seed} {
    w_.must(w_.connect(w_.acme, party::anchor));
    w_.must(w_.connect(w_.other, party::anchor));
    w_.must(w_.connect(w_.neighbour, party::anchor));
  }

  event_trace run(int steps) {
    w_.script.fate = [this](std::size_t) {
      const bool struck = below(6) == 0;
      const auto what =
          struck ? strike(w_, static_cast<blow>(below(static_cast<int>(blow::most)))) : fault::none;
      w_.trace.note(to_millis(w_.now()), static_cast<int>(what));
      return what;
    };
    for (int i = 0; i < steps; ++i) {
      step(below(4) == 0 ? w_.other : w_.acme);
      if (below(3) > 0) w_.run();
      if (below(4) == 0) caf::anon_send(w_.store, release_one{});
      if (below(5) == 0) w_.pass(milliseconds{1 << below(16)});
      if (below(3) == 0) w_.poll();
    }
    w_.conclude(40);
    return w_.trace;
  }

 private:
  int below(int n) { return std::uniform_int_distribution{0, n - 1}(dice_); }
  std::string account() { return "account-" + std::to_string(below(3)); }

  void step(party& p) {
    const int what = below(24);
    if (what < 9) return w_.begin(w_.deliver(p, below(12), party::anchor, below(2)));
    if (what < 11) return w_.begin(w_.deliver(p, below(12), account()));
    if (what < 12) return w_.begin(w_.forge(p, below(12)));
    if (what < 14) return w_.begin(w_.deliver(w_.neighbour, below(50), party::anchor));
    if (what < 16) return w_.begin(w_.connect(p, account()));
    if (what < 17) return w_.begin(w_.route(below(12), account()));
    if (what < 18) return w_.begin(w_.read(p));
    if (what < 19) return w_.begin(w_.steer(p, steer_tenant::action::replace));
    if (what < 20)
      return w_.begin(w_.set_status(p, p.suspended ? tenant_status::active : tenant_status::suspended));
    if (what < 21) {
      const auto kept = w_.deliveries(p);
      return kept.empty() ? void()
                          : w_.begin(w_.replay(
                                p, kept[static_cast<std::size_t>(below(static_cast<int>(kept.size())))].id));
    }
    const auto which = account();
    if (!p.connections.contains(which)) return;
    if (what < 22) return w_.begin(w_.patch(p, which, below(100)));
    if (what < 23) return w_.begin(w_.rotate(p, which));
    w_.begin(w_.disconnect(p, which));
  }

  simulated_world w_;
  std::minstd_rand dice_;
};

}  // namespace

TEST_CASE("a fault at any job of any flow loses nothing that was promised, once the client asks again") {
  simulation_store files;
  for (const auto& f : flows())
    for (int b = 0; b < static_cast<int>(blow::most); ++b)
      for (std::size_t k = 0;; ++k) {
        const std::string name{f.name};
        CAPTURE(name);
        CAPTURE(b);
        CAPTURE(k);
        files.clear();
        if (!survives(*files.db, f, static_cast<blow>(b), k)) break;
      }
}

TEST_CASE("whatever happens in whatever order, what was promised is kept and nobody waits for ever") {
  simulation_store files;
  const seed_range seeds{200};
  for (unsigned seed = seeds.first; seed <= seeds.last; ++seed) {
    CAPTURE(seed);
    files.clear();
    history{*files.db, seed}.run(60);
  }
}

TEST_CASE("a seed is the whole of a tenant's history") {
  simulation_store files;
  check_replay(100, [&files](unsigned seed) {
    files.clear();
    return history{*files.db, seed}.run(60);
  });
}

TEST_CASE("a state made anew from its rows equals the one that wrote them") {
  simulation_store files;
  actor_fixture system;
  const auto shared = test_services(system.meters);
  for (unsigned seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    std::minstd_rand dice{seed};
    const auto below = [&](int n) { return std::uniform_int_distribution{0, n - 1}(dice); };
    const auto id = tenant_id::make();
    const auto now = from_millis(1'760'000'000'000);
    REQUIRE(storage::provision_tenant(*files.db, id, now).has_value());
    tenant_state state{*storage::find_tenant(*files.db, id).value(), {}};
    for (int i = 0; i < 20; ++i) {
      auto wanted = test_connection("account-" + std::to_string(below(4)));
      wanted.now = now + seconds{i};
      if (below(3) == 0) wanted.wanted.metadata = R"({"text":"\u00e9 \" )" + std::to_string(i) + "\"}";
      if (below(4) == 0) wanted.webhook_secret = secret{"a secret of sixteen"};
      mutation m{wanted};
      if (const auto* c = state.find("example", wanted.wanted.external_id)) {
        if (const int what = below(4); what == 0)
          m = delete_connection{c->id, wanted.now};
        else if (what == 1)
          m = rotate_webhook_secret{c->id, wanted.now};
      }
      const auto decided = decide(shared, state, m);
      const auto* todo = std::get_if<plan>(&decided);
      if (todo == nullptr) continue;
      const auto done = todo->work(*files.db);
      REQUIRE(done.has_value());
      for (const auto& row : done->rows) state.put(row);
    }
    const tenant_state again{*storage::find_tenant(*files.db, id).value(),
                             storage::load_connections(*files.db, id).value()};
    CHECK(again.connections() == state.connections());
    for (int n = 0; n < 4; ++n) {
      const std::vector<identity> named{{"external_id", "account-" + std::to_string(n)}};
      const auto a = again.resolve("example", named), b = state.resolve("example", named);
      CHECK((a.row == nullptr) == (b.row == nullptr));
      if (a.row && b.row) CHECK(a.row->id == b.row->id);
    }
    std::vector<connection> rows;
    for (const auto& [key, c] : state.connections()) rows.push_back(c);
    CHECK(read_snapshot(write_snapshot(rows)) == rows);
  }
}
