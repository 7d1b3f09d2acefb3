#include "actors/engine.hpp"

#include "base/log.hpp"
#include "storage/grounded_signals.hpp"
#include "storage/signal_configs.hpp"
#include "storage/tenants.hpp"

#include <algorithm>
#include <set>

namespace connectord {
namespace {

constexpr seconds patience{30};

struct verdicts {
  std::vector<signal_id> seen;  ///< all of them, judged or set aside
  std::vector<grounding::assessment> judged;
  signal_config config;
};

/// Reads and judges a batch; here payloads are parsed, away from the writer.
result<std::shared_ptr<const verdicts>> judge(storage::session& db, const services& s, const tenant_id& t) {
  auto out = std::make_shared<verdicts>();
  const auto row = storage::find_tenant(db, t);
  if (!row) return row.error();
  if (!*row || (*row)->status == tenant_status::suspended) return out;
  auto config = storage::find_signal_config(db, t);
  if (!config) return config.error();
  out->config = std::move(*config);
  const auto waiting = storage::unscored_signals(db, t, engine::batch);
  if (!waiting) return waiting.error();
  const auto now = s.now();
  for (const auto& x : *waiting) {
    out->seen.push_back(x.id);
    if (now - x.occurred_at >= grounding::longest_delay) continue;
    const auto* origin = s.catalog.find(x.provider);
    try {
      out->judged.push_back(grounding::assess(x, origin ? origin->scoring : provider::scoring_facts{},
                                              out->config.weights, now));
    } catch (const std::exception& e) {
      log::error("signal.not_scored", {{"tenant_id", t}, {"signal_id", x.id}, {"error", e.what()}});
    }
  }
  return out;
}

/// The clusters that the signals of a batch may join. One writer of them at a time for a tenant.
result<std::vector<grounding::cluster>> lock_clusters(storage::session& db, const tenant_id& t,
                                                      const verdicts& v) {
  if (const auto held = storage::lock_tenant(db, t); !held) return held.error();
  if (v.judged.empty()) return std::vector<grounding::cluster>{};
  const auto [first, last] = std::ranges::minmax_element(v.judged, {}, &grounding::assessment::occurred_at);
  return storage::clusters_between(db, t, first->occurred_at - grounding::cluster_span,
                                   last->occurred_at + grounding::cluster_span, engine::most_clusters);
}

result<> grow(storage::session& db, const tenant_id& t, const grounded_id& id, const grounding::assessment& a,
              const dimensions& weights, timestamp now) {
  auto row = storage::find_grounded(db, t, id);
  if (!row) return row.error();
  if (!*row || (*row)->status == grounded_status::actioned) return {};
  return storage::update_grounded(db, t, grounding::grown(std::move(**row), a, weights, now));
}

/// The verdicts of signals that nobody else has judged meanwhile. Answers the providers of the
/// signals that began a cluster.
result<std::vector<std::string>> record(storage::session& db, const tenant_id& t, const verdicts& v,
                                        timestamp now) {
  std::vector<std::string> grounded;
  auto open = lock_clusters(db, t, v);
  if (!open) return open.error();
  std::set<signal_id> ours;
  for (const auto& id : v.seen) {
    const auto taken = storage::take_unscored(db, t, id);
    if (!taken) return taken.error();
    if (*taken) ours.insert(id);
  }
  for (const auto& a : v.judged) {
    if (!ours.contains(a.signal)) continue;
    if (const auto* home = grounding::home_of(a, *open)) {
      if (const auto grew = grow(db, t, home->row, a, v.config.weights, now); !grew) return grew.error();
    } else if (a.scores.total >= v.config.threshold) {
      const auto row = grounding::begin_cluster(a, v.config.weights, now);
      const grounding::cluster begun{row.id, a.words, a.occurred_at};
      const auto stored = storage::insert_grounded(db, t, row, begun, v.config.webhook_url.has_value());
      if (!stored) return stored.error();
      if (!*stored) continue;
      open->push_back(begun);
      grounded.push_back(a.provider);
    }
  }
  return grounded;
}

}  // namespace

engine::engine(self_pointer<engine> self, services_ptr s, store_gate_actor store)
    : self_(self), services_(std::move(s)), store_(std::move(store)) {
  self_->delayed_send(self_, between_looks, look_for_signals{});
}

engine::interface::behavior_type engine::behavior() {
  return {[this](const look_for_signals&) {
    at_.reset();
    busy_ = false;
    next_tenant();
  }};
}

/// A tenant's trouble is passed by; trouble with the round itself ends it until the next look.
template <class T, class Function>
void engine::ask_store(std::optional<tenant_id> t, access_mode mode, Function fn,
                       std::function<void(const T&)> then) {
  self_
      ->request(store_, patience,
                make_job(t, mode, std::chrono::steady_clock::now() + patience, std::move(fn)))
      .then([then = std::move(then)](const db_answer& a) { then(a.get<T>()); },
            [this, t](const caf::error& e) {
              log::warn("engine.interrupted", {{"tenant_id", t ? t->text() : std::string_view{}},
                                               {"error", from_caf(e).message()}});
              t ? next_tenant() : rest();
            });
}

void engine::next_tenant() {
  ask_store<std::optional<tenant_id>>(
      std::nullopt, access_mode::read,
      [after = at_](storage::session& db) { return storage::next_unscored_tenant(db, after); },
      [this](const std::optional<tenant_id>& t) {
        if (!t) return rest();
        at_ = t;
        assess(*t);
      });
}

void engine::assess(const tenant_id& t) {
  ask_store<std::shared_ptr<const verdicts>>(
      t, access_mode::read, [s = services_, t](storage::session& db) { return judge(db, *s, t); },
      [this, t](const std::shared_ptr<const verdicts>& v) {
        if (v->seen.empty()) return next_tenant();
        ask_store<std::vector<std::string>>(
            t, access_mode::write,
            [v, t, now = services_->now()](storage::session& db) { return record(db, t, *v, now); },
            [this](const std::vector<std::string>& grounded) {
              for (const auto& provider : grounded)
                services_->meters.signals_grounded({provider}).Increment();
              busy_ = true;
              next_tenant();
            });
      });
}

void engine::rest() {
  if (busy_) return self_->send(self_, look_for_signals{});
  self_->delayed_send(self_, between_looks, look_for_signals{});
}

engine_actor spawn_engine(cradle where, services_ptr s, store_gate_actor store) {
  return spawn<engine>(where, {"engine", "engine", {}, {}}, std::move(s), std::move(store));
}

}  // namespace connectord
