#include "actors/census.hpp"

#include "base/log.hpp"
#include "storage/codec.hpp"

#include <limits>

namespace connectord {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

double seconds_between(timestamp from, timestamp to) {
  return std::chrono::duration<double>(to - from).count();
}
double shown(std::int64_t n) { return static_cast<double>(n); }

}  // namespace

census::census(self_pointer<census> self, services_ptr s, store_gate_actor store)
    : self_(self), services_(std::move(s)), store_(std::move(store)) {
  self_->send(self_, take_census{});
  self_->send(self_, walk_sealed{});
}

census::interface::behavior_type census::behavior() {
  return {
      [this](const take_census&) { count(); },
      [this](const walk_sealed&) {
        walked_ = {};
        by_key_.clear();
        walk();
      },
  };
}

template <class T, class Function, class Then>
void census::ask_store(Function fn, Then then, std::function<void()> otherwise) {
  const auto until = std::chrono::steady_clock::now() + patience;
  self_->request(store_, patience, make_job(std::nullopt, access_mode::read, until, std::move(fn)))
      .then([then](const db_answer& a) { then(a.get<T>()); },
            [otherwise = std::move(otherwise)](const caf::error& e) {
              log::warn("census.failed", {{"error", from_caf(e).message()}});
              otherwise();
            });
}

void census::count() {
  const auto rest = [this] { self_->delayed_send(self_, between_counts, take_census{}); };
  ask_store<storage::census>([](storage::session& db) { return storage::take_census(db); },
                             [this, rest](const storage::census& c) {
                               show(c);
                               rest();
                             },
                             rest);
}

/// A provider whose definition is gone is not named: labels come from definitions.
void census::show(const storage::census& c) const {
  auto& m = services_->meters;
  const auto now = services_->now();
  m.inbox_items({"received"}).Set(shown(c.received));
  m.inbox_items({"failed"}).Set(shown(c.failed));
  m.inbox_items({"quarantined"}).Set(shown(c.quarantined));
  m.inbox_oldest_age({}).Set(c.oldest_received ? seconds_between(*c.oldest_received, now) : 0);
  for (auto* counts : {&m.jobs, &m.connections, &m.tracker_drift}) counts->set_all(0);
  for (auto* ages : {&m.token_expiry, &m.tracker_snapshot_age}) ages->set_all(no_value);
  for (const auto& j : c.jobs)
    m.jobs({storage::text_of(j.type), storage::text_of(j.status)}).Set(shown(j.count));
  for (const auto& x : c.connections) {
    const bool defined = services_->catalog.find(x.provider) != nullptr;
    const std::string_view provider = defined ? std::string_view{x.provider} : "unknown";
    m.connections({provider, storage::text_of(x.status)}).Increment(shown(x.count));
    if (defined && x.status == connection_status::active && x.first_expiry)
      m.token_expiry({provider}).Set(seconds_between(now, *x.first_expiry));
  }
  for (const auto& s : c.snapshots) {
    m.tracker_snapshot_age({name_of(s.provider), "max"}).Set(seconds_between(s.oldest, now));
    m.tracker_snapshot_age({name_of(s.provider), "p95"}).Set(seconds_between(s.late, now));
  }
  for (const auto& d : c.drift) m.tracker_drift({name_of(d.provider)}).Set(shown(d.count));
  m.census_timestamp({}).Set(1e-3 * static_cast<double>(to_millis(now)));
}

void census::walk() {
  using page = std::vector<storage::sealed_value>;
  ask_store<page>(
      [after = walked_](storage::session& db) { return storage::sealed_values(db, after, walk_page); },
      [this](const page& p) { on_page(p); },
      [this] { self_->delayed_send(self_, between_walks, walk_sealed{}); });
}

void census::on_page(const std::vector<storage::sealed_value>& page) {
  for (const auto& v : page)
    if (const auto id = keyring::key_id_of(v.ciphertext)) ++by_key_[std::string{*id}];
  if (!page.empty()) {
    walked_ = storage::position_of(page.back());
    return walk();
  }
  auto& gauge = services_->meters.tokens_by_key;
  gauge.set_all(0);
  for (const auto& k : services_->keys.keys()) gauge({k.id}).Set(0);
  for (const auto& [id, n] : by_key_) gauge({id}).Set(shown(n));
  self_->delayed_send(self_, between_walks, walk_sealed{});
}

census_actor spawn_census(cradle where, services_ptr s, store_gate_actor store) {
  return spawn<census>(where, {"scheduler/census", "scheduler", {}, {}}, std::move(s), std::move(store));
}

}  // namespace connectord
