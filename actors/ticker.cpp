#include "actors/ticker.hpp"

#include "actors/calls.hpp"
#include "base/log.hpp"
#include "domain/oauth/refresh.hpp"

#include <caf/send.hpp>

namespace connectord {
namespace {

using std::chrono::steady_clock;

struct outlook {
  std::vector<storage::expiring_connection> expiring;
  std::int64_t stalled = 0;
};

double age_of(std::optional<timestamp> since, timestamp now) {
  return since ? std::chrono::duration<double>(now - *since).count() : 0;
}

/// Comes back to the scheduler when its last copy dies, wherever that is.
run_slot slot_for(const tenant_id& t, const ticker::interface& home) {
  return {{new std::atomic<bool>{false}, [t, home](const std::atomic<bool>* used) {
             caf::anon_send(home, slot_free{t, *used});
             delete used;
           }}};
}

}  // namespace

ticker::ticker(self_pointer<ticker> self, services_ptr s, store_gate_actor store, directory_actor directory)
    : self_(self),
      services_(std::move(s)),
      store_(std::move(store)),
      directory_(std::move(directory)),
      free_(services_->sync.concurrency) {
  next_look_ = services_->now();
  self_->send(self_, look_now{*next_look_});
  self_->send(self_, sweep_tokens{});
}

ticker::interface::behavior_type ticker::behavior() {
  return {
      [this](const work_queued& w) {
        if (w.tenant) enlist(*w.tenant);
        dispatch();
        look_at(services_->now());  // for what is due later; a backlog must not cost a look for each run
      },
      [this](const look_now& l) {
        if (next_look_ != l.when) return;
        next_look_.reset();
        look();
      },
      [this](const read_backlog&) -> caf::result<backlog> { return backlog{waiting_since_}; },
      [this](const sweep_tokens&) { sweep(); },
      [this](const refresh_due& r) {
        expiring_.push_back(r);
        refresh_next();
      },
      [this](const slot_free& f) {
        ++free_;
        if (f.used) enlist(f.tenant);
        dispatch();
      },
  };
}

template <class Command, class Then>
void ticker::tell(const tenant_id& t, Command c, seconds wait, Then then) {
  self_->request(directory_, wait, to_tenant{t, own_command(std::move(c), wait)})
      .then([then](const tenant_outcome& o) { then(&o.value); },
            [then](const caf::error&) { then(static_cast<const outcome*>(nullptr)); });
}

// ---- jobs

void ticker::look() {
  if (looking_) {
    again_ = true;
    return;
  }
  looking_ = true;
  const auto began = steady_clock::now();
  self_
      ->request(store_, patience,
                make_job(std::nullopt, access_mode::read, began + patience,
                         [now = services_->now()](storage::session& db) {
                           return storage::find_due_work(db, now, most_tenants);
                         }))
      .then(
          [this, began](const db_answer& a) {
            const std::chrono::duration<double, std::milli> took = steady_clock::now() - began;
            services_->meters.sync_tick_ms({}).Observe(took.count());
            on_due(a.get<storage::due_work>());
          },
          [this](const caf::error& e) {
            log::warn("scheduler.look_failed", {{"error", from_caf(e).message()}});
            looking_ = false;
            look_at(services_->now() + seconds{1});
          });
}

void ticker::on_due(const storage::due_work& due) {
  looking_ = false;
  services_->meters.sync_backlog({}).Set(static_cast<double>(due.backlog));
  services_->meters.jobs_oldest_age({}).Set(age_of(due.oldest, services_->now()));
  waiting_since_ = due.oldest;
  if (due.oldest && last_claim_) waiting_since_ = std::max(*due.oldest, *last_claim_);
  for (const auto& t : due.to_schedule)
    tell(t, schedule_due{services_->now()}, patience, [](const outcome*) {});
  for (const auto& t : due.to_run) enlist(t);
  dispatch();
  const auto now = services_->now();
  look_at(std::min(due.next.value_or(timestamp::max()), now + services_->sync.tick));
  if (std::exchange(again_, false)) look();
}

/// One timer at a time leads to a look; an earlier wish replaces a later one.
void ticker::look_at(timestamp when) {
  if (next_look_ && *next_look_ <= when) return;
  next_look_ = when;
  self_->delayed_send(self_, std::max<milliseconds>(soonest, when - services_->now()), look_now{when});
}

void ticker::enlist(const tenant_id& t) {
  if (enlisted_.insert(t).second) ring_.push_back(t);
}

void ticker::dispatch() {
  for (auto turns = ring_.size(); free_ > 0 && turns > 0; --turns) {
    const auto t = ring_.front();
    ring_.pop_front();
    if (asked_.contains(t)) {
      ring_.push_back(t);
      continue;
    }
    enlisted_.erase(t);
    give_slot(t);
  }
}

/// A tenant that took a job goes to the end of the ring: it may have another.
void ticker::give_slot(const tenant_id& t) {
  --free_;
  asked_.insert(t);
  const auto home = caf::actor_cast<interface>(caf::strong_actor_ptr{self_->ctrl()});
  tell(t, run_job{slot_for(t, home), services_->now()}, patience, [this, t](const outcome* o) {
    asked_.erase(t);
    const auto* claimed = o ? std::get_if<claimed_run>(o) : nullptr;
    if (claimed == nullptr || !claimed->work) return;
    last_claim_ = services_->now();
    waiting_since_.reset();
    enlist(t);
    dispatch();
  });
}

// ---- tokens

void ticker::sweep() {
  self_->delayed_send(self_, services_->refresh.tick, sweep_tokens{});
  const auto now = services_->now();
  const auto before = now + std::max(services_->refresh.lead, 2 * services_->refresh.tick);
  self_
      ->request(store_, patience,
                make_job(std::nullopt, access_mode::read, steady_clock::now() + patience,
                         [before](storage::session& db) -> result<outlook> {
                           auto rows = storage::find_expiring(db, before, 10 * most_tenants);
                           if (!rows) return rows.error();
                           const auto stalled = storage::count_stalled(db);
                           if (!stalled) return stalled.error();
                           return outlook{std::move(*rows), *stalled};
                         }))
      .then(
          [this, now](const db_answer& a) {
            const auto& [rows, stalled] = a.get<outlook>();
            services_->meters.sync_stalled({}).Set(static_cast<double>(stalled));
            services_->meters.connections_expiring({}).Set(static_cast<double>(rows.size()));
            for (const auto& r : rows) {
              const auto at = oauth::refresh_at(r.expires_at, now, services_->refresh.lead,
                                                services_->refresh.jitter, services_->chance());
              self_->delayed_send(self_, std::max<milliseconds>(milliseconds{0}, at - now),
                                  refresh_due{r.tenant, r.connection});
            }
          },
          [](const caf::error& e) {
            log::warn("scheduler.sweep_failed", {{"error", from_caf(e).message()}});
          });
}

void ticker::refresh_next() {
  while (refreshing_ < services_->refresh.concurrency && !expiring_.empty()) {
    const auto next = expiring_.front();
    expiring_.pop_front();
    ++refreshing_;
    tell(next.tenant, force_refresh{next.connection, refresh_cause::sweep, services_->now()},
         3 * services_->call_patience, [this](const outcome*) {
           --refreshing_;
           refresh_next();
         });
  }
}

ticker_actor spawn_ticker(cradle where, services_ptr s, store_gate_actor store, directory_actor directory) {
  return spawn<ticker>(where, {"scheduler", "scheduler", {}, {}}, std::move(s), std::move(store),
                       std::move(directory));
}

}  // namespace connectord
