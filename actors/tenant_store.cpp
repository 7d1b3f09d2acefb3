#include "actors/tenant_store.hpp"

#include "actors/plan_parts.hpp"
#include "actors/rows.hpp"
#include "actors/tracker/facade.hpp"
#include "actors/tracker/gates.hpp"
#include "actors/tracker/projects.hpp"
#include "actors/tracker/tracker.hpp"
#include "base/log.hpp"
#include "domain/snapshot.hpp"
#include "storage/audit.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/grounded_signals.hpp"
#include "storage/idempotency.hpp"
#include "storage/job_queue.hpp"
#include "storage/jobs.hpp"
#include "storage/signal_configs.hpp"
#include "storage/signals.hpp"
#include "storage/snapshots.hpp"
#include "storage/tenants.hpp"
#include "storage/traffic.hpp"

#include <algorithm>

namespace connectord {
namespace {

struct reader {
  storage::session& db;
  const tenant_id& t;

  result<job_value> operator()(const list_signals& q) const {
    return paged(storage::list_signals(db, t, q.filter, q.at.after, q.at.limit + 1, q.with), q.at.limit);
  }
  result<job_value> operator()(const list_deliveries& q) const {
    return paged(storage::list_deliveries(db, t, q.filter, q.at.after, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const list_jobs& q) const {
    return paged(storage::list_jobs(db, t, q.filter, q.at.after, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const list_audit& q) const {
    return paged(storage::list_audit(db, t, q.filter, q.at.after, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const get_traffic& q) const {
    auto day = storage::traffic_of(db, t, q.connection, q.until);
    if (!day) return day.error();
    return job_value::of(*day);
  }
  result<job_value> operator()(const get_signal& q) const { return found(storage::find_signal(db, t, q.id)); }
  result<job_value> operator()(const get_job& q) const { return found(storage::find_job(db, t, q.id)); }
  result<job_value> operator()(const get_delivery& q) const {
    auto row = storage::find_delivery(db, t, q.id);
    if (!row) return row.error();
    if (!*row) return error{errc::not_found};
    auto ids = storage::receipt_signal_ids(db, t, q.id);
    if (!ids) return ids.error();
    return job_value::of(delivery_detail{std::move(**row), std::move(*ids)});
  }
  result<job_value> operator()(const list_grounded& q) const {
    auto rows = storage::list_grounded(db, t, q.filter, q.at.after, q.offset, q.at.limit + 1);
    if (!rows) return rows.error();
    const auto total = storage::count_grounded(db, t, q.filter);
    if (!total) return total.error();
    return job_value::of(grounded_page{cut(std::move(*rows), q.at.limit), *total});
  }
  result<job_value> operator()(const get_grounded& q) const {
    return found(storage::find_grounded(db, t, q.id));
  }
  result<job_value> operator()(const get_signal_config&) const {
    auto own = storage::find_signal_config(db, t);
    if (!own) return own.error();
    return job_value::of(std::move(*own));
  }
  template <class Family>
    requires requires(const Family& q) { q.rules; }
  result<job_value> operator()(const Family& q) const {
    return read_tracker(db, t, q);
  }
  result<job_value> operator()(const ping&) const { return job_value{}; }
};

bool can_open(const keyring& keys, const connection& c) {
  const auto held = [&](const std::optional<std::string>& sealed) {
    const auto id = sealed ? keyring::key_id_of(*sealed) : std::nullopt;
    return !sealed || (id && keys.holds(*id));
  };
  const auto held_secret = [&](const std::optional<sealed_secret>& s) { return !s || held(s->ciphertext); };
  return held(c.access_ciphertext) && held(c.refresh_ciphertext) && held_secret(c.webhook_secret) &&
         held_secret(c.previous_webhook_secret);
}

/// The snapshot's connections when it equals the rows; else why not. Key rotation rewrites the rows
/// alone: a snapshot that needs a key that is gone is older than they are.
std::string_view read_checkpoint(storage::session& db, const keyring& keys, claimed_tenant& c) {
  const auto stored = storage::load_snapshot(db, c.row.id);
  if (!stored || !*stored) return "missing";
  const auto& s = **stored;
  if (s.revision != c.revision || s.version != snapshot_version) return "stale";
  if (s.checksum != snapshot_checksum(s.body)) return "corrupt";
  auto connections = read_snapshot(s.body);
  if (!connections) return "corrupt";
  if (!std::ranges::all_of(*connections, [&](const auto& x) { return can_open(keys, x); })) return "stale";
  c.connections = std::move(*connections);
  return "used";
}

/// Two deaths lock a message out; a stored delivery that throws has nobody to answer, so once is enough.
result<> set_aside(storage::session& db, const tenant_id& t, const delivery& d, timestamp now,
                   std::string_view why) {
  log::error("delivery.quarantined", {{"tenant_id", t}, {"delivery_id", d.id}, {"error", why}});
  auto row = d;
  row.status = delivery_status::quarantined;
  row.attempts += 1;
  row.processed_at = now;
  row.error = "processing ended unexpectedly";
  return storage::finish_delivery(db, t, row);
}

result<std::map<connection_id, job_status>> syncing_of(storage::session& db, const tenant_id& t) {
  const auto live = storage::live_jobs(db, t);
  if (!live) return live.error();
  std::map<connection_id, job_status> out;
  for (const auto& j : *live)
    if (auto& status = out.try_emplace(j.connection, j.status).first->second; j.status == job_status::running)
      status = j.status;
  return out;
}

result<ran_step> run_keyed(storage::session& db, const tenant_id& t, const step& x, timestamp now,
                           std::chrono::hours kept_for) {
  const auto& key = x.key;
  if (key) {
    const auto kept = storage::find_kept_answer(db, key->scope, key->key, now);
    if (!kept) return kept.error();
    if (*kept) {
      if ((*kept)->body_sha256 != key->body_sha256) return error{errc::idempotency_key_reused};
      tenant_outcome again{kept_answer{(*kept)->status, (*kept)->body, (*kept)->location}};
      again.replayed = true;
      return ran_step{std::move(again)};
    }
  }
  auto done = x.todo.work(db);
  if (!done) return done.error();
  if (x.trail)
    if (const auto kept = storage::append_audit(db, *x.trail); !kept) return kept.error();
  if (key) {
    const auto answer = x.render(done->answer);
    const auto stored = storage::keep_answer(
        db,
        {key->scope, key->key, key->body_sha256, answer.status, answer.body, answer.location, now + kept_for},
        now);
    if (!stored) return stored.error();
  }
  ran_step ran{
      tenant_outcome{std::move(done->answer)}, std::move(done->rows), {}, done->scheduled, done->reclaimed};
  if (x.todo.queues_work || x.todo.moves_jobs) {
    auto live = syncing_of(db, t);
    if (!live) return live.error();
    ran.syncing = std::move(*live);
  }
  return ran;
}

}  // namespace

result<std::optional<claimed_tenant>> claim_tenant_rows(storage::session& db, const services& s,
                                                        const tenant_id& id, bool provision, bool newborn,
                                                        timestamp now) {
  if (provision)
    if (const auto made = storage::provision_tenant(db, id, now); !made) return made.error();
  auto claim = storage::claim_tenant(db, id);
  if (!claim) return claim.error();
  if (!*claim) return std::optional<claimed_tenant>{};
  claimed_tenant c;
  c.row = std::move((*claim)->row);
  c.epoch = (*claim)->epoch;
  c.revision = (*claim)->revision;
  const auto received = storage::count_received(db, id);
  if (!received) return received.error();
  c.received = *received;
  const auto reclaimed = take_back(db, s, id, newborn ? s.node : std::string{}, now);
  if (!reclaimed) return reclaimed.error();
  c.reclaimed = reclaimed->jobs;
  if (!reclaimed->rows.empty()) {
    const auto advanced = storage::advance(db, id, c.epoch);
    if (!advanced) return advanced.error();
    c.revision = *advanced;
  }
  auto live = syncing_of(db, id);
  if (!live) return live.error();
  c.syncing = std::move(*live);
  c.snapshot = read_checkpoint(db, s.keys, c);
  if (c.snapshot != "used") {
    auto rows = storage::load_connections(db, id);
    if (!rows) return rows.error();
    c.connections = std::move(*rows);
  }
  return std::optional{std::move(c)};
}

result<std::vector<ran_step>> run_steps(storage::session& db, const services& s, const tenant_id& t,
                                        std::span<const step> steps, timestamp now) {
  std::vector<ran_step> out;
  const auto shares = [](const step& x) { return x.todo.delivery && !x.todo.changes && !x.key; };
  if (std::ranges::all_of(steps, shares)) {
    std::vector<const intake*> all;
    for (const auto& x : steps) all.push_back(x.todo.delivery.get());
    const auto taken = take_in(db, s, t, all);
    if (!taken) return taken.error();
    for (const auto& a : *taken) out.push_back({tenant_outcome{outcome{ingest_outcome{a}}}});
    return out;
  }
  for (const auto& x : steps) {
    auto ran = run_keyed(db, t, x, now, s.idempotency);
    if (!ran) return ran.error();
    out.push_back(std::move(*ran));
  }
  return out;
}

result<caught_up> settle_received(storage::session& db, const services& s, const tenant_state& state,
                                  std::int64_t epoch, int most) {
  const auto& t = state.row().id;
  if (const auto fenced = storage::fence(db, t, epoch); !fenced) return fenced.error();
  const auto waiting = storage::received_deliveries(db, t, most);
  if (!waiting) return waiting.error();
  const auto now = s.now();
  caught_up out{static_cast<std::int64_t>(waiting->size())};
  for (const auto& d : *waiting) {
    try {
      const auto done = settle(db, s, state, d, std::nullopt, now);
      if (!done) return done.error();
      if (done->ended) out.rows.push_back(*done->ended);
    } catch (const std::exception& e) {
      if (const auto aside = set_aside(db, t, d, now, e.what()); !aside) return aside.error();
    }
  }
  if (out.rows.empty()) return out;
  const auto advanced = storage::advance(db, t, epoch);
  if (!advanced) return advanced.error();
  out.revision = *advanced;
  return out;
}

result<std::optional<connection_list>> connections_of_others(storage::session& db, const tenant_id& t,
                                                             std::int64_t epoch) {
  const auto now = storage::find_epoch(db, t);
  if (!now) return now.error();
  if (*now == epoch) return std::optional<connection_list>{};
  auto rows = storage::load_connections(db, t);
  if (!rows) return rows.error();
  auto syncing = syncing_of(db, t);
  if (!syncing) return syncing.error();
  connection_list all;
  all.rows = std::move(*rows);
  all.syncing = std::move(*syncing);
  return std::optional{std::move(all)};
}

db_function row_reader(const tenant_id& t, const row_query& q) {
  return [t, q](storage::session& db) { return std::visit(reader{db, t}, q); };
}

}  // namespace connectord
