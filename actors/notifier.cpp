#include "actors/notifier.hpp"

#include "base/log.hpp"
#include "domain/notification.hpp"
#include "storage/grounded_signals.hpp"
#include "storage/signal_configs.hpp"
#include "storage/tenants.hpp"

namespace connectord {
namespace {

constexpr seconds patience{30};

}  // namespace

notifier::notifier(self_pointer<notifier> self, services_ptr s, store_gate_actor store, outbound_actor out,
                   secret token)
    : self_(self),
      services_(std::move(s)),
      store_(std::move(store)),
      out_(std::move(out)),
      token_(std::move(token)) {
  self_->delayed_send(self_, between_looks, look_for_notifications{});
}

notifier::interface::behavior_type notifier::behavior() {
  return {
      [this](const look_for_notifications&) {
        self_->delayed_send(self_, between_looks, look_for_notifications{});
        if (under_way_ < most) look();
      },
      [this](const attempt_again& m) { attempt(m.what); },
  };
}

/// What is due, with where it goes. A tenant without a URL any more, or without a status that lets it
/// act, is not told: the one never, the other when its lease is over.
result<std::vector<errand>> notifier::lease_errands(storage::session& db, timestamp now, int room) {
  const auto due = storage::lease_notifications(db, now, now + lease, room, most_of_tenant);
  if (!due) return due.error();
  std::vector<errand> out;
  for (const auto& d : *due) {
    const auto row = storage::find_tenant(db, d.tenant);
    if (!row) return row.error();
    if (!*row || (*row)->status == tenant_status::suspended) continue;
    const auto config = storage::find_signal_config(db, d.tenant);
    if (!config) return config.error();
    if (config->webhook_url)
      out.push_back({d.tenant, d.row.id, *config->webhook_url, notification_body(d.tenant, d.row)});
    else if (const auto gone = storage::settle_notification(db, d.tenant, d.row.id); !gone)
      return gone.error();
  }
  return out;
}

void notifier::look() {
  self_
      ->request(store_, patience,
                make_job(std::nullopt, access_mode::write, std::chrono::steady_clock::now() + patience,
                         [room = most - under_way_, now = services_->now()](storage::session& db) {
                           return lease_errands(db, now, room);
                         }))
      .then(
          [this](const db_answer& a) {
            for (const auto& e : a.get<std::vector<errand>>()) {
              ++under_way_;
              attempt(std::make_shared<errand>(e));
            }
          },
          [](const caf::error& e) {
            log::warn("notifier.interrupted", {{"error", from_caf(e).message()}});
          });
}

void notifier::attempt(const errand_ptr& e) {
  ++e->attempts;
  const auto deadline = self_->clock().now() + one_call;
  send_request call{e->tenant, {}, notification(e->url, token_, e->row, e->body, services_->now()), deadline};
  self_->request(out_, one_call + seconds{1}, std::move(call))
      .then([this, e](const http_answered& a) { on_answer(e, a.response); },
            [this, e](const caf::error&) { on_answer(e, {.failure = call_failure::network_error}); });
}

void notifier::on_answer(const errand_ptr& e, const http_response& r) {
  if (r.ok()) return settle(e, "delivered");
  if (e->attempts > pauses.size()) {
    log::warn("notification.failed", {{"tenant_id", e->tenant},
                                      {"host", authority_of(e->url)},
                                      {"status", r.status},
                                      {"error", upstream_error(r)}});
    return settle(e, "failed");
  }
  self_->delayed_send(self_, pauses[e->attempts - 1], attempt_again{e});
}

void notifier::settle(const errand_ptr& e, std::string_view outcome) {
  services_->meters.notifications({outcome}).Increment();
  const auto settled = [this] { --under_way_; };
  self_
      ->request(store_, patience,
                make_job(std::nullopt, access_mode::write, std::chrono::steady_clock::now() + patience,
                         [t = e->tenant, id = e->row](storage::session& db) -> result<bool> {
                           const auto gone = storage::settle_notification(db, t, id);
                           if (!gone) return gone.error();
                           return true;
                         }))
      .then([settled](const db_answer&) { settled(); },
            [settled](const caf::error& failure) {
              log::warn("notifier.interrupted", {{"error", from_caf(failure).message()}});
              settled();
            });
}

notifier_actor spawn_notifier(cradle where, services_ptr s, store_gate_actor store, outbound_actor out,
                              secret token) {
  return spawn<notifier>(where, {"notifier", "notifier", {}, {}}, std::move(s), std::move(store),
                         std::move(out), std::move(token));
}

}  // namespace connectord
