#include "actors/tenant.hpp"

#include "actors/tenant_store.hpp"
#include "base/log.hpp"
#include "storage/snapshots.hpp"
#include "storage/tenants.hpp"

#include "domain/snapshot.hpp"

#include <caf/exit_reason.hpp>

namespace connectord {
namespace {

using std::chrono::steady_clock;

/// No CAF timer per request on the hot path: `commit_overdue` guards every wait for the store.
const auto guarded_by_watchdog = caf::infinite;

std::string name_of(const idempotency& k) { return k.scope + '\n' + k.key; }

/// Of a statement that threw: its own text, which is what an operator reads as the last error.
std::string words_of(const caf::error& e) {
  const auto& context = e.context();
  return context.match_elements<std::string>() ? context.get_as<std::string>(0) : to_string(context);
}

}  // namespace

caf::error in_doubt() { return {1, caf::atom("in_doubt")}; }
bool is_in_doubt(const caf::error& reason) { return reason == in_doubt(); }

tenant_worker::tenant_worker(self_pointer<tenant_worker> self, services_ptr s, tenant_id id,
                             store_gate_actor store, std::function<void()> offer_to_leave)
    : self_(self),
      services_(std::move(s)),
      id_(id),
      store_(std::move(store)),
      offer_to_leave_(std::move(offer_to_leave)),
      children_(self, self, services_, id) {
  self_->set_down_handler([this](const caf::down_msg& d) { on_child_down(d); });
  claim(false);
}

tenant_worker::interface::behavior_type tenant_worker::behavior() {
  return {
      [this](tenant_command& c) { return on_command(c); },
      [this](const read_connections&) { return on_connections(); },
      [this](list_rows& r) { return on_list(r); },
      [this](const passivate&) {
        leaving_ = true;
        children_.stop_runs();
        work();
      },
      [this](const commit_overdue& o) {
        watched_ = false;
        if (awaiting_store_ && o.commit == commit_) throw std::runtime_error("the store does not answer");
        if (awaiting_store_) await_store();
      },
      [this](const snapshot_due&) {
        if (dirty_ > 0 && !awaiting_store_) save_snapshot();
      },
      [this](const catch_up_due&) {
        if (!claimed_ && !gone_quiet()) return look(false);
        received_ = 1;  // at least one is worth a look
        work();
      },
  };
}

template <class T, class Function>
void tenant_worker::ask_store(access_mode mode, Function fn, std::function<void(const T&)> then,
                              std::function<void(const caf::error&)> otherwise) {
  await_store();
  self_
      ->request(store_, guarded_by_watchdog,
                make_job(id_, mode, steady_clock::now() + commit_deadline, std::move(fn)))
      .then(
          [this, then = std::move(then)](const db_answer& a) {
            awaiting_store_ = false;
            then(a.get<T>());
          },
          [this, otherwise = std::move(otherwise)](const caf::error& e) {
            awaiting_store_ = false;
            otherwise(e);
          });
}

void tenant_worker::await_store() {
  awaiting_store_ = true;
  ++commit_;
  if (std::exchange(watched_, true)) return;
  self_->delayed_send(self_, commit_deadline, commit_overdue{commit_});
}

// ---- birth

void tenant_worker::claim(bool provision) {
  ask_store<std::optional<claimed_tenant>>(
      access_mode::write,
      [s = services_, id = id_, provision, newborn = newborn_, now = services_->now()](storage::session& db) {
        return claim_tenant_rows(db, *s, id, provision, newborn, now);
      },
      [this](const std::optional<claimed_tenant>& c) { on_claimed(c); },
      [this](const caf::error& e) { on_unclaimed(e); });
}

/// A store that cannot be reached is no crash of the tenant's: it would be unavailable for minutes
/// after the store is back. Whoever waits hears of it, and the claim is tried again.
void tenant_worker::on_unclaimed(const caf::error& e) {
  const auto refusal = from_caf(e);
  if (e == caf::sec::runtime_error) throw std::runtime_error("the claim failed");
  if (refusal.code() == errc::commit_in_doubt) return self_->quit(in_doubt());
  refuse_all(refusal);
  look_later();
}

/// Work may be waiting in the store that no message will ask for.
void tenant_worker::look_later() {
  received_ = 0;
  self_->delayed_send(self_, catch_up_pause, catch_up_due{});
}

void tenant_worker::on_claimed(const std::optional<claimed_tenant>& c) {
  if (!c) {
    const bool wanted = std::ranges::any_of(queue_, [](const auto& q) { return q.command.provision; });
    return wanted ? claim(true) : refuse_unknown();
  }
  claimed_ = true;
  newborn_ = false;
  epoch_ = c->epoch;
  revision_ = c->revision;
  received_ = c->row.status == tenant_status::active ? c->received : 0;
  state_ = tenant_state{c->row, c->connections};
  syncing_ = c->syncing;
  count_reclaimed(c->reclaimed);
  services_->meters.snapshot_loads({c->snapshot}).Increment();
  // The inbox may have stored one more while this incarnation was being born.
  if (c->row.status == tenant_status::active) self_->delayed_send(self_, catch_up_pause, catch_up_due{});
  answer_early_reads();
  work();
}

/// Nobody may learn that a tenant is unknown without a proof for it.
void tenant_worker::refuse_unknown() {
  for (auto& q : queue_) {
    const auto* d = std::get_if<ingest_webhook>(&q.command.change);
    if (d == nullptr || d->proven) continue;
    if (const auto proven = prove_for_app(*services_, *d); !proven) q.reply.refuse(proven.error());
  }
  refuse_all(error{errc::tenant_not_found}.with("tenant_id", json::string{id_.text()}));
  if (!leaving_) offer_to_leave_();
}

/// Answers everybody. It must not end unasked: what is in its mailbox would bounce.
void tenant_worker::refuse_all(const error& e) {
  for (auto& q : std::exchange(queue_, {}))
    if (q.reply.owed()) q.reply.refuse(e);
  for (auto& r : std::exchange(early_, {})) std::visit([&](auto& read) { read.reply.refuse(e); }, r);
  work();
}

/// Somebody asks and nothing is known of the tenant, yet or any more.
void tenant_worker::look(bool provision) {
  if (!claimed_ && !awaiting_store_) claim(provision);
}

// ---- commands

caf::result<tenant_outcome> tenant_worker::on_command(tenant_command& c) {
  if (queue_.size() >= most_waiting) {
    services_->meters.permits_refused({"tenant_queue"}).Increment();
    return as_caf(error{errc::service_unavailable}.retry_in(1));
  }
  if (c.key && !keys_in_flight_.insert(name_of(*c.key)).second)
    return as_caf(error{errc::idempotency_in_flight}.retry_in(1));
  queued_command q{std::move(c), promise<tenant_outcome>{self_}};
  if (may_decide_early(q)) {
    auto decided = prepare(q);
    auto* todo = std::get_if<plan>(&decided);
    if (todo == nullptr) {
      answer(std::move(q), std::move(decided));
      return later<tenant_outcome>;
    }
    q.decided = std::move(*todo);
    q.decided_at = revision_;
  }
  const bool provision = q.command.provision;
  queue_.push_back(std::move(q));
  look(provision);
  work();
  return later<tenant_outcome>;
}

/// The next batch of deliveries is read and proven while the store commits the one before it, unless
/// something ahead of it may change the state.
bool tenant_worker::may_decide_early(const queued_command& q) const {
  return claimed_ && !outdated_ && awaiting_store_ && can_share(q.command.change) && !q.command.key &&
         queue_.size() < largest_batch && (queue_.empty() || queue_.back().decided) &&
         std::ranges::none_of(batch_, [](const auto& b) { return b.todo.changes; });
}

void tenant_worker::release_key(const tenant_command& c) {
  if (c.key) keys_in_flight_.erase(name_of(*c.key));
}

/// The next thing to do, if nothing is in flight.
void tenant_worker::work() {
  if (awaiting_store_) return;
  if (outdated_) superseded();
  if (!claimed_) {
    if (gone_quiet()) self_->quit(caf::exit_reason::normal);
    return;
  }
  if (received_ > 0) return catch_up();
  gather();
  if (!batch_.empty()) return commit();
  if (leaving_) return children_.busy() || !gone_quiet() ? void() : leave();
  if (dirty_ >= mutations_per_snapshot) save_snapshot();
}

void tenant_worker::gather() {
  const auto most = one_by_one_ > 0 ? 1 : largest_batch;
  while (!queue_.empty() && batch_.size() < most) {
    auto& next = queue_.front();
    if (hand_over(next)) {
      queue_.pop_front();
      continue;
    }
    const bool shares = can_share(next.command.change) && !next.command.key;
    if (!batch_.empty() && !shares) return;
    auto decided = prepare(next);
    auto* todo = std::get_if<plan>(&decided);
    if (todo && todo->changes && !batch_.empty()) return;  // it changes the state: alone, next time
    auto taken = std::move(next);
    queue_.pop_front();
    if (todo == nullptr) {
      answer(std::move(taken), std::move(decided));
      continue;
    }
    const bool alone = !shares || todo->changes;
    batch_.push_back({std::move(taken), std::move(*todo)});
    if (alone) return;
  }
}

decision tenant_worker::prepare(queued_command& q) {
  if (q.decided && q.decided_at == revision_) return *std::exchange(q.decided, {});
  self_->handling(q.command.meta);
  return decide(services_, state_, q.command.change);
}

void tenant_worker::commit() {
  auto steps = std::make_shared<std::vector<step>>();
  for (const auto& b : batch_) {
    const auto& c = b.asked.command;
    steps->push_back({b.todo, c.key, c.render, trail_of(c, b.todo, id_)});
  }
  if (batch_.size() == 1) self_->handling(batch_.front().asked.command.meta);
  ask_store<committed>(
      access_mode::write,
      [s = services_, id = id_, epoch = epoch_, revision = revision_, steps,
       now = services_->now()](storage::session& db) -> result<committed> {
        committed done;
        done.revision = revision;
        if (const auto fenced = storage::fence(db, id, epoch); !fenced) return fenced.error();
        auto ran = run_steps(db, *s, id, *steps, now);
        if (!ran) return ran.error();
        done.steps = std::move(*ran);
        for (const auto& x : done.steps) {
          if (x.rows.empty()) continue;
          const auto advanced = storage::advance(db, id, epoch);
          if (!advanced) return advanced.error();
          done.revision = *advanced;
        }
        return done;
      },
      [this](const committed& c) { on_committed(c); }, [this](const caf::error& e) { on_refused(e); });
}

void tenant_worker::on_committed(const committed& c) {
  superseded_ = 0;
  // Committed but not yet applied. A crash here is safe: the next incarnation reads the rows.
  auto answered = std::exchange(batch_, {});
  if (one_by_one_ > 0) --one_by_one_;
  if (c.revision != revision_) {
    revision_ = c.revision;
    if (dirty_++ == 0) self_->delayed_send(self_, longest_dirty, snapshot_due{});
  }
  for (std::size_t i = 0; i < answered.size(); ++i) {
    const auto& ran = c.steps[i];
    for (const auto& row : ran.rows) state_.put(row);
    if (ran.syncing) syncing_ = *ran.syncing;
    release_key(answered[i].asked.command);
    conclude(answered[i], ran);
    if (ran.outcome.replayed) services_->meters.idempotency_replays({"replayed"}).Increment();
    answered[i].asked.reply.deliver(with_job(ran.outcome));
  }
  work();
}

void tenant_worker::on_refused(const caf::error& e) {
  const bool threw = e == caf::sec::runtime_error;
  const auto refusal = from_caf(e);
  if (refusal.code() == errc::stale_epoch) return superseded();
  if (!threw && refusal.code() == errc::commit_in_doubt) return self_->quit(in_doubt());
  if (refusal.code() == errc::idempotency_key_reused)
    services_->meters.idempotency_replays({"mismatch"}).Increment();
  auto failed = std::exchange(batch_, {});
  const bool infrastructure = refusal.code() == errc::database_unavailable;
  if (failed.size() > 1 && !infrastructure) {
    // One of them is to blame. Nothing was written, so each is tried alone.
    one_by_one_ = failed.size();
    for (auto b = failed.rbegin(); b != failed.rend(); ++b) queue_.push_front(std::move(b->asked));
    return work();
  }
  if (one_by_one_ > 0) --one_by_one_;
  if (threw) {
    self_->handling(failed.front().asked.command.meta);
    batch_ = std::move(failed);  // answered by their promises when this actor ends
    throw std::runtime_error(words_of(e));
  }
  for (auto& b : failed) {
    release_key(b.asked.command);
    follow_exchange(b.asked.command.change, nullptr);
    b.asked.reply.refuse(refusal);
  }
  work();
}

/// Another node has claimed the tenant, because calls came there. Nothing was written here: what waits is
/// decided again on the rows as they are now, under an epoch of our own. That is no crash.
void tenant_worker::superseded() {
  log::info("tenant.superseded", {{"tenant_id", id_}, {"epoch", epoch_}});
  for (auto b = batch_.rbegin(); b != batch_.rend(); ++b) queue_.push_front(std::move(b->asked));
  batch_.clear();
  claimed_ = outdated_ = false;
  dirty_ = 0;
  if (queue_.empty()) return work();  // theirs, until somebody wants a change of us
  const auto longest = 20.0 * std::min(++superseded_, 10);
  self_->delayed_send(self_, milliseconds{static_cast<int>(longest * services_->chance())}, catch_up_due{});
}

// ---- background

void tenant_worker::catch_up() {
  const auto known = std::make_shared<const tenant_state>(state_);
  ask_store<caught_up>(
      access_mode::write,
      [s = services_, known, epoch = epoch_](storage::session& db) {
        return settle_received(db, *s, *known, epoch, static_cast<int>(largest_batch));
      },
      [this](const caught_up& c) {
        for (const auto& row : c.rows) state_.put(row);
        if (c.revision) revision_ = *c.revision;
        received_ = c.settled > 0 ? std::max<std::int64_t>(received_ - c.settled, 0) : 0;
        work();
      },
      [this](const caf::error& e) {
        const auto refusal = from_caf(e);
        if (refusal.code() == errc::stale_epoch) return superseded();
        if (refusal.code() == errc::commit_in_doubt) return self_->quit(in_doubt());
        if (refusal.code() != errc::database_unavailable)
          throw std::runtime_error("catch up: " + std::string{refusal.message()});
        look_later();
        work();
      });
}

void tenant_worker::save_snapshot() {
  dirty_ = 0;
  auto body = std::make_shared<const std::string>(write_snapshot(connections().rows));
  ask_store<bool>(
      access_mode::write,
      [id = id_, epoch = epoch_, revision = revision_, body,
       now = services_->now()](storage::session& db) -> result<bool> {
        if (const auto fenced = storage::fence(db, id, epoch); !fenced) return fenced.error();
        const auto saved = storage::save_snapshot(
            db, id, {revision, snapshot_version, snapshot_checksum(*body), *body, now});
        if (!saved) return saved.error();
        return true;
      },
      [this](const bool&) { work(); },
      [this](const caf::error& e) {
        // A snapshot is disposable.
        if (from_caf(e).code() == errc::stale_epoch) return superseded();
        work();
      });
}

void tenant_worker::leave() {
  if (dirty_ > 0) return save_snapshot();
  self_->quit(caf::exit_reason::normal);
}

tenant_actor spawn_tenant(cradle where, services_ptr s, const tenant_id& id, store_gate_actor store,
                          std::function<void()> offer_to_leave) {
  return spawn<tenant_worker>(where, {"tenant/" + id.str(), "tenant", {}, id}, std::move(s), id,
                              std::move(store), std::move(offer_to_leave));
}

}  // namespace connectord
