#include "actors/janitor.hpp"

#include "base/log.hpp"
#include "domain/grounding.hpp"
#include "storage/dashboard.hpp"
#include "storage/retention.hpp"
#include "storage/tenants.hpp"

namespace connectord {
namespace {

constexpr seconds patience{30};
constexpr std::chrono::hours spent_oauth_states{24};  // they tell a reused state from an unknown one
constexpr std::chrono::hours spent_refresh_intents{24};

}  // namespace

janitor::janitor(self_pointer<janitor> self, services_ptr s, store_gate_actor store)
    : self_(self), services_(std::move(s)), store_(std::move(store)) {
  self_->delayed_send(self_, after_start, tidy_up{});
}

janitor::interface::behavior_type janitor::behavior() {
  return {[this](const tidy_up&) {
    deleted_ = 0;
    after_.reset();
    tidy_common();
  }};
}

template <class T, class Function>
void janitor::ask_store(access_mode mode, Function fn, std::function<void(const T&)> then) {
  self_
      ->request(store_, patience,
                make_job(std::nullopt, mode, std::chrono::steady_clock::now() + patience, std::move(fn)))
      .then([then = std::move(then)](const db_answer& a) { then(a.get<T>()); },
            [this](const caf::error& e) {
              log::warn("retention.interrupted", {{"error", from_caf(e).message()}});
              rest();
            });
}

void janitor::tidy_common() {
  ask_store<purged>(
      access_mode::write,
      [keep = services_->retention, now = services_->now()](storage::session& db) {
        return purge_common(db, keep, now);
      },
      [this](const purged& p) {
        deleted_ += p.rows;
        p.more ? tidy_common() : read_page();
      });
}

void janitor::read_page() {
  ask_store<std::vector<tenant>>(
      access_mode::read,
      [after = after_](storage::session& db) { return storage::list_tenants(db, {}, after, tenants_a_page); },
      [this](const std::vector<tenant>& rows) {
        for (const auto& t : rows) page_.push_back(t.id);
        more_pages_ = rows.size() == tenants_a_page;
        if (more_pages_) after_ = position{to_millis(rows.back().created_at), rows.back().id.str()};
        tidy_next();
      });
}

void janitor::tidy_next() {
  if (page_.empty()) return more_pages_ ? read_page() : rest();
  ask_store<purged>(
      access_mode::write,
      [id = page_.front(), keep = services_->retention, now = services_->now()](storage::session& db) {
        return purge_tenant(db, id, keep, now);
      },
      [this](const purged& p) {
        deleted_ += p.rows;
        if (!p.more) page_.pop_front();
        tidy_next();
      });
}

void janitor::rest() {
  page_.clear();
  if (deleted_ > 0) log::info("retention.purged", {{"rows", deleted_}});
  self_->delayed_send(self_, between_walks, tidy_up{});
}

result<janitor::purged> janitor::purge_common(storage::session& db, const retention_policy& keep,
                                              timestamp now) {
  purged p;
  const auto answers = storage::purge_idempotency(db, now, batch);
  if (!answers) return answers.error();
  p.count(*answers);
  const auto states = storage::purge_oauth_states(db, now - spent_oauth_states, batch);
  if (!states) return states.error();
  p.count(*states);
  const auto intents = storage::purge_refresh_intents(db, now - spent_refresh_intents, batch);
  if (!intents) return intents.error();
  p.count(*intents);
  const auto previous = storage::purge_previous_refresh(db, now, batch);
  if (!previous) return previous.error();
  p.count(*previous);
  const auto sessions = storage::purge_dashboard(db, now, batch);
  if (!sessions) return sessions.error();
  p.count(*sessions);
  if (keep.deliveries.count() == 0) return p;
  const auto unrouted = storage::purge_unrouted(db, now - keep.deliveries, batch);
  if (!unrouted) return unrouted.error();
  p.count(*unrouted);
  return p;
}

result<janitor::purged> janitor::purge_tenant(storage::session& db, const tenant_id& t,
                                              const retention_policy& keep, timestamp now) {
  purged p;
  const auto keys = storage::purge_delivery_keys(db, t, now, batch);
  if (!keys) return keys.error();
  p.count(*keys);
  const auto purge = [&](auto purge_kind, std::chrono::days kept) -> result<> {
    if (kept.count() == 0) return {};
    const auto gone = purge_kind(db, t, now - kept, batch);
    if (!gone) return gone.error();
    p.count(*gone);
    return {};
  };
  const auto unscored = storage::purge_unscored(db, t, now - grounding::longest_delay, batch);
  if (!unscored) return unscored.error();
  p.count(*unscored);
  if (const auto ok = purge(storage::purge_jobs, keep.jobs); !ok) return ok.error();
  if (const auto ok = purge(storage::purge_deliveries, keep.deliveries); !ok) return ok.error();
  if (const auto ok = purge(storage::purge_signals, keep.signals); !ok) return ok.error();
  return p;
}

janitor_actor spawn_janitor(cradle where, services_ptr s, store_gate_actor store) {
  return spawn<janitor>(where, {"scheduler/janitor", "scheduler", {}, {}}, std::move(s), std::move(store));
}

}  // namespace connectord
