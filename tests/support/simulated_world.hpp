#pragma once

#include "actors/directory.hpp"
#include "actors/inbox.hpp"
#include "actors/registry.hpp"
#include "domain/snapshot.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/signals.hpp"
#include "storage/snapshots.hpp"
#include "storage/tenants.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/deliveries.hpp"
#include "tests/support/event_trace.hpp"

#include <map>
#include <set>

namespace connectord {

/// One request of a client that repeats it until it is answered for good.
struct call {
  enum class progress { waiting, over, again };
  std::string what;
  std::function<void()> send;
  std::function<progress()> look;
};

/// A tenant as its clients know it: what they sent, and what was promised to them.
struct party {
  static constexpr const char* anchor = "anchor";  ///< a connection that lives through everything

  tenant_id id = tenant_id::make();
  bool strict = false;  ///< not one error is forgiven
  bool suspended = false;
  std::map<std::string, connection_id> connections;  ///< by external id
  std::map<std::string, std::string> secrets;        ///< their webhook secrets, by external id
  std::map<std::string, std::string> sent;           ///< account, by digest of each genuine body
  std::map<std::string, receipt_id> accepted;        ///< by digest
};

/// Directory, tenants, inbox and registry over a scripted store, with clients and virtual time.
class simulated_world : public actor_fixture {
 public:
  explicit simulated_world(storage::session& s) : db{s} {
    auto mine = test_services(meters, example_catalog());
    mine->now = [this] { return now_; };
    mine->chance = [] { return 0.5; };
    shared = mine;
    script.db = &db;
    script.ran = [this] {
      check_fence();
      trace.note_changes(db);
    };
    store = host(spawn<scripted_store>({system, sky}, {"store", "system", {}, {}}, &script));
    inbox = host(spawn_inbox({system, sky}, shared, store));
    front = host(spawn_directory({system, sky}, shared, store, inbox));
    clerk = host(spawn_registry({system, sky}, store, front));
    script.spared = neighbour.id;
    neighbour.strict = true;
  }
  ~simulated_world() {
    script.fate = [](std::size_t) { return fault::none; };
  }

  storage::session& db;
  store_script script;
  services_ptr shared;
  scripted_store::handle store;
  inbox_actor inbox;
  directory_actor front;
  registry_actor clerk;
  party acme, other, neighbour;
  std::vector<call> calls;  ///< not answered for good yet
  event_trace trace{db};
  std::int64_t routed_deliveries = 0;

  void pass(milliseconds time) {
    now_ += time;
    actor_fixture::pass(time);
  }
  void begin(call c) {
    c.send();
    calls.push_back(std::move(c));
  }
  /// Repeats what may be repeated; what is over is forgotten.
  void poll() {
    std::erase_if(calls, [](call& c) {
      const auto how = c.look();
      if (how == call::progress::again) c.send();
      return how == call::progress::over;
    });
    run();
  }
  /// One request, to its end.
  void must(call c) {
    begin(std::move(c));
    run();
    for (int i = 0; i < 12 && !calls.empty(); ++i) {
      poll();
      if (!calls.empty()) pass(seconds{6});
    }
    poll();
    for (const auto& open : calls) FAIL_CHECK(open.what << " has no answer");
    calls.clear();
  }

  // ---- requests

  call connect(party& p, std::string account) {
    return mutation_of<stored_connection>(
        p, "connect",
        [this, account] {
          auto c = test_connection(account);
          c.now = now_;
          return mutation{c};
        },
        [&p, account](const stored_connection& s) { p.connections[account] = s.row.id; }, true);
  }
  call patch(party& p, std::string account, int n) {
    return mutation_of<stored_connection>(p, "patch", [this, &p, account, n] {
      patch_connection c;
      c.id = p.connections[account];
      c.patch.names_display_name = true;
      c.patch.display_name = "name " + std::to_string(n);
      c.patch.metadata = R"({"n":)" + std::to_string(n) + "}";
      c.now = now_;
      return mutation{c};
    });
  }
  call disconnect(party& p, std::string account) {
    return mutation_of<nothing>(
        p, "disconnect",
        [this, &p, account] {
          return mutation{delete_connection{p.connections[account], now_}};
        },
        [&p, account](const nothing&) { p.secrets.erase(account); });
  }
  call rotate(party& p, std::string account) {
    return mutation_of<new_webhook_secret>(
        p, "rotate",
        [this, &p, account] {
          return mutation{rotate_webhook_secret{p.connections[account], now_}};
        },
        [&p, account](const new_webhook_secret& s) { p.secrets[account] = s.value.reveal(); });
  }
  call replay(party& p, delivery_id d) {
    return mutation_of<replayed_delivery>(p, "replay", [this, d] {
      return mutation{replay_delivery{d, std::nullopt, now_}};
    });
  }
  call deliver(party& p, int id, std::string account, int text = 0) {
    const auto body = body_of(id, account, text);
    const auto digest = to_hex(bytes_of(sha256(body)));
    return mutation_of<ingest_outcome>(
        p, "deliver",
        [this, &p, id, account, body, digest] {
          const auto own = p.secrets.find(account);
          p.sent[digest] = account;
          return mutation{signed_delivery(
              id, body, own == p.secrets.end() ? test_secret : std::string_view{own->second})};
        },
        [&p, digest](const ingest_outcome& o) {
          const auto& a = std::get<accepted_delivery>(o);
          const auto [first, fresh] = p.accepted.emplace(digest, a.receipt);
          CHECK_MESSAGE(first->second == a.receipt, "a receipt never changes");
        },
        false, std::hash<std::string>{}(body));
  }
  /// Wrongly signed: refused, whatever happens.
  call forge(party& p, int id) {
    return mutation_of<ingest_outcome>(
        p, "forge",
        [this, id] { return mutation{signed_delivery(id, body_of(id, party::anchor, 666), "a guess")}; },
        [](const ingest_outcome&) { FAIL_CHECK("a forged delivery was accepted"); });
  }
  call set_status(party& p, tenant_status status) {
    return request_of<db_answer>(
        "status", false,
        [this, &p, status] {
          return ask<db_answer>(clerk, registry_command{meta(), set_tenant_status{p.id, status, now_}});
        },
        [&p, status](const db_answer&) { p.suspended = status == tenant_status::suspended; });
  }
  call steer(party& p, steer_tenant::action what) {
    return request_of<done>("steer", false, [this, &p, what] {
      return ask<done>(front, steer_tenant{p.id, what});
    });
  }
  call read(party& p) {
    return request_of<connection_list>("read", p.strict, [this, &p] {
      return ask<connection_list>(front, connections_of_tenant{p.id, read_connections{meta()}});
    });
  }
  /// At the app-level URL: for everyone who has the account.
  call route(int id, std::string account) {
    const auto body = body_of(id, account, 0);
    for (auto* p : {&acme, &other}) p->sent[to_hex(bytes_of(sha256(body)))] = account;
    return request_of<routed>(
        "route", false,
        [this, id, body] {
          return ask<routed>(inbox, route_delivery{meta(), signed_delivery(id, body, test_secret)});
        },
        [this](const routed& r) { routed_deliveries = r.deliveries; });
  }
  call reroute(unrouted_id id) {
    return request_of<routed>("reroute", false, [this, id] {
      return ask<routed>(inbox, reroute_delivery{meta(), id, now_});
    });
  }

  // ---- the end of a history

  /// The faults stop, everything is repeated, operators revive what needs it. Then nobody waits any
  /// more, and rows, memory and snapshots tell what the clients were told.
  void conclude(int most_rounds = 12) {
    script.fate = [](std::size_t) { return fault::none; };
    for (int i = 0; i < 200; ++i) caf::anon_send(store, release_one{});
    run();
    for (auto* p : {&acme, &other}) {
      begin(set_status(*p, tenant_status::active));
      begin(steer(*p, steer_tenant::action::revive));
    }
    run();
    for (int i = 0; i < most_rounds && !calls.empty(); ++i) {
      pass(seconds{20});
      poll();
    }
    for (const auto& c : calls) FAIL_CHECK(c.what << " has no answer");
    calls.clear();
    for (auto* p : {&acme, &other, &neighbour}) check(*p);
  }

  static std::string body_of(int id, const std::string& account, int text) {
    return R"({"action":"created","id":")" + std::to_string(id) + '/' + account + '/' + std::to_string(text) +
           R"(","account_id":")" + account + R"("})";
  }
  request_meta meta(std::uint64_t fingerprint = 0) {
    return {"trace", system.clock().now() + seconds{20}, fingerprint, {}};
  }
  timestamp now() const { return now_; }
  void stolen(const tenant_id& t) {
    fenced_ = fence_mark{t, storage::claim_tenant(db, t).value()->epoch, mark_of(t)};
  }
  std::vector<delivery> deliveries(const party& p) {
    return storage::list_deliveries(db, p.id, {}, {}, 100'000).value();
  }
  std::vector<signal> signals(const party& p) {
    return storage::list_signals(db, p.id, {}, {}, 100'000, signal_extra::none).value();
  }

 private:
  struct fence_mark {
    tenant_id tenant;
    std::int64_t epoch;
    std::vector<std::int64_t> rows;
  };

  template <class Reply, class Send>
  call request_of(std::string what, bool strict, Send send, std::function<void(const Reply&)> ok = {}) {
    auto slot = std::make_shared<answer<Reply>>();
    return {what, [slot, send] { *slot = send(); },
            [this, slot, what, ok, strict] {
              if (!**slot) return call::progress::waiting;
              const auto& r = ***slot;
              trace.note(what, r ? -1 : static_cast<int>(r.error().code()));
              if (r && ok) ok(*r);
              if (r) return call::progress::over;
              const auto code = r.error().code();
              if (strict) FAIL_CHECK(what << " of the neighbour: " << traits_of(code).code);
              return may_succeed(code) ? call::progress::again : call::progress::over;
            }};
  }
  template <class Reply, class Make>
  call mutation_of(party& p, std::string what, Make make, std::function<void(const Reply&)> ok = {},
                   bool provision = false, std::uint64_t fingerprint = 0) {
    return request_of<tenant_outcome>(
        std::move(what), p.strict,
        [this, &p, make, provision, fingerprint] {
          tenant_command c{meta(fingerprint), make()};
          c.provision = provision;
          return ask<tenant_outcome>(front, to_tenant{p.id, std::move(c)});
        },
        [ok](const tenant_outcome& o) {
          if (ok) ok(std::get<Reply>(o.value));
        });
  }
  static bool may_succeed(errc code) {
    return code == errc::commit_in_doubt || code == errc::database_unavailable ||
           code == errc::tenant_unavailable || code == errc::service_unavailable || code == errc::internal ||
           code == errc::message_quarantined || code == errc::tenant_suspended || code == errc::stale_epoch;
  }
  ingest_webhook signed_delivery(int id, const std::string& body, std::string_view key) const {
    auto d = test_delivery(id, key);
    d.body = body;
    d.headers.back().second = "sha256=" + to_hex(bytes_of(hmac_sha256(key, body)));
    d.now = now_;
    return d;
  }

  /// What only the incarnation with the claim may write.
  std::vector<std::int64_t> mark_of(const tenant_id& t) {
    std::vector<std::int64_t> mark;
    REQUIRE(db.query("SELECT revision, (SELECT count(*) FROM snapshots WHERE tenant_id = $1),"
                     " (SELECT coalesce(sum(attempts), 0) FROM deliveries WHERE tenant_id = $1),"
                     " (SELECT count(*) FROM connections WHERE tenant_id = $1) FROM tenants WHERE id = $1",
                     {t},
                     [&](const storage::row& r) {
                       for (int i = 0; i < 4; ++i) mark.push_back(r.integer(i));
                     })
                .has_value());
    return mark;
  }
  std::int64_t epoch_of(const tenant_id& t) {
    std::int64_t epoch = 0;
    REQUIRE(db.query("SELECT epoch FROM tenants WHERE id = $1", {t}, [&](const storage::row& r) {
                epoch = r.integer(0);
              }).has_value());
    return epoch;
  }
  /// Until the next claim, nobody has written in the name of the tenant that was taken away.
  void check_fence() {
    if (!fenced_) return;
    if (epoch_of(fenced_->tenant) != fenced_->epoch) return fenced_.reset();
    const auto rows = mark_of(fenced_->tenant);
    if (script.current == fenced_->tenant)
      for (std::size_t i = 0; i < rows.size(); ++i)
        CHECK_MESSAGE(rows[i] == fenced_->rows[i], "a fenced incarnation wrote; mark " << i);
    else
      fenced_->rows = mark_of(fenced_->tenant);  // the inbox writes for everybody
  }

  void check(party& p) {
    if (!storage::find_tenant(db, p.id).value()) return;
    for (const auto& d : deliveries(p))
      if (d.status == delivery_status::quarantined) must(replay(p, d.id));
    check_deliveries(p);
    const auto listed = ask<connection_list>(front, connections_of_tenant{p.id, read_connections{meta()}});
    run();
    REQUIRE(*listed);
    REQUIRE((*listed)->has_value());
    const auto rows = storage::load_connections(db, p.id).value();
    CHECK_MESSAGE((*listed)->value().rows == rows, "memory differs from the rows");
    must(steer(p, steer_tenant::action::replace));
    run();
    const auto claim = storage::claim_tenant(db, p.id).value();
    const auto snapshot = storage::load_snapshot(db, p.id).value();
    if (snapshot && snapshot->revision == claim->revision)
      CHECK_MESSAGE(read_snapshot(snapshot->body) == rows, "the snapshot differs from the rows");
  }

  void check_deliveries(const party& p) {
    std::map<std::string, receipt_id> stored;
    std::size_t meant = 0;
    for (const auto& d : deliveries(p)) {
      REQUIRE_MESSAGE(p.sent.contains(d.body_sha256), "something is stored that nobody sent");
      CHECK_MESSAGE(stored.emplace(d.body_sha256, d.receipt).second, "a delivery is stored twice");
      const auto named = storage::receipt_signal_ids(db, p.id, d.id).value().size();
      meant += named;
      CHECK_MESSAGE(d.status != delivery_status::received, "a delivery was left behind");
      const bool anchored = p.sent.at(d.body_sha256) == party::anchor;
      const bool processed = d.status == delivery_status::processed;
      // Replayed after its connection went, a delivery is unmatched and keeps the signal it had.
      CHECK_MESSAGE((processed || (!anchored && d.status == delivery_status::unmatched)), name_of(d.status));
      CHECK_MESSAGE((processed ? named == 1 : named <= 1), "not the signals of the delivery");
    }
    for (const auto& [digest, receipt] : p.accepted)
      CHECK_MESSAGE((stored.contains(digest) && stored.at(digest) == receipt),
                    "an accepted delivery is lost");
    CHECK_MESSAGE(signals(p).size() == meant, "a signal too many");
  }

  timestamp now_ = from_millis(1'760'000'000'000);
  std::optional<fence_mark> fenced_;
};

}  // namespace connectord
