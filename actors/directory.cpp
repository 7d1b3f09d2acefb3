#include "actors/directory.hpp"

#include "actors/tenant.hpp"
#include "base/log.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace connectord {
namespace {

int whole_seconds(steady_time::duration wait) {
  const auto left = std::chrono::ceil<seconds>(wait).count();
  return static_cast<int>(std::max<std::int64_t>(left, 1));
}

bool is_delivery(const tenant_command& c) {
  const auto* d = std::get_if<ingest_webhook>(&c.change);
  return d != nullptr && !d->proven;
}

/// An error without a code has no context to look into.
bool holds_black_box(const caf::error& reason) {
  return reason && reason.context().match_elements<black_box>();
}

constexpr std::array phase_names{"idle", "running", "passivating", "restarting", "unavailable"};

}  // namespace

directory::directory(self_pointer<directory> self, services_ptr s, store_gate_actor store, inbox_actor inbox,
                     restart_policy policy)
    : self_(self),
      services_(std::move(s)),
      store_(std::move(store)),
      inbox_(std::move(inbox)),
      policy_(policy) {
  self_->set_down_handler([this](caf::down_msg& d) { on_down(d); });
  self_->delayed_send(self_, sweep_interval, sweep{});
}

directory::~directory() {
  for (const auto& [address, id] : living_) caf::anon_send_exit(address, caf::exit_reason::kill);
  for (auto* gauge : in_phase_)
    if (gauge != nullptr) gauge->Set(0);
}

directory::interface::behavior_type directory::behavior() {
  return {
      [this](to_tenant& m) { return on_command(m); },
      [this](rows_of_tenant& m) { return pass_on<db_answer>(m.tenant, m.read); },
      [this](connections_of_tenant& m) { return pass_on<connection_list>(m.tenant, m.read); },
      [this](const describe_tenants& d) { return on_describe(d); },
      [this](const steer_tenant& m) { return on_steer(m); },
      [this](const drain&) { return on_drain(); },
      [this](const reactivate& r) {
        const auto found = slots_.find(r.tenant);
        if (found == slots_.end() || found->second.generation != r.generation || drained_) return;
        activate(found->second);
      },
      [this](const sweep&) { on_sweep(); },
      [this](const may_leave& m) {
        const auto found = slots_.find(m.tenant);
        if (found == slots_.end()) return;
        found->second.forgettable = true;
        begin_leaving(found->second);
      },
  };
}

// ---- the way in

caf::result<tenant_outcome> directory::on_command(to_tenant& m) {
  auto& s = slot_of(m.tenant);
  const bool locked = s.locked_out.holds(m.command.meta.fingerprint);
  // Deliveries are never turned away: what the tenant cannot take, the inbox stores.
  if (is_delivery(m.command) && (locked || s.phase == tenant_phase::unavailable))
    return self_->delegate(inbox_, store_for_tenant{m.tenant, std::move(m.command), locked});
  if (locked) return as_caf(error{errc::message_quarantined});
  return pass_on<tenant_outcome>(m.tenant, m.command);
}

template <class Reply, class Message>
caf::result<Reply> directory::pass_on(const tenant_id& id, Message& m) {
  if (drained_) return as_caf(error{errc::service_unavailable}.retry_in(1));
  auto& s = slot_of(id);
  if (s.phase == tenant_phase::unavailable) return as_caf(not_now(s));
  if (s.phase == tenant_phase::idle) activate(s);
  used(s);
  if (s.phase == tenant_phase::running) return self_->delegate(s.actor, std::move(m));
  if (s.held.size() >= most_held) return as_caf(not_now(s));
  s.held.emplace_back(std::pair{std::move(m), promise<Reply>{self_}});
  return later<Reply>;
}

error directory::not_now(const slot& s) const {
  return error{errc::tenant_unavailable}.retry_in(
      s.next_try ? whole_seconds(*s.next_try - self_->clock().now()) : 1);
}

directory::slot& directory::slot_of(const tenant_id& id) {
  auto& s = slots_[id];
  if (!s.signs) {
    s.id = id;
    s.signs = self_->sky().admit({"tenant/" + id.str(), "tenant", self_->signs().card.id, id});
    tenants_in(s.phase).Increment();
  }
  return s;
}

prometheus::Gauge& directory::tenants_in(tenant_phase p) {
  auto*& gauge = in_phase_[static_cast<std::size_t>(p)];
  if (gauge == nullptr) gauge = &services_->meters.tenants({phase_names[static_cast<std::size_t>(p)]});
  return *gauge;
}

void directory::enter(slot& s, tenant_phase p) {
  tenants_in(s.phase).Decrement();
  s.phase = p;
  tenants_in(p).Increment();
}

void directory::used(slot& s) {
  s.last_used = self_->clock().now();
  if (s.actor) by_use_.splice(by_use_.end(), by_use_, s.turn);
}

// ---- life and death

void directory::activate(slot& s) {
  ++s.generation;
  s.forgettable = false;
  s.next_try.reset();
  s.wake = false;
  enter(s, tenant_phase::running);
  s.actor = spawn_tenant(self_, services_, s.id, store_, [front = self_->address(), id = s.id] {
    if (const auto alive = caf::actor_cast<caf::strong_actor_ptr>(front))
      caf::anon_send(caf::actor_cast<caf::actor>(alive), may_leave{id});
  });
  s.turn = by_use_.insert(by_use_.end(), s.id);
  s.last_used = self_->clock().now();
  self_->monitor(s.actor);
  living_.emplace(s.actor.address(), s.id);
  release_held(s);
}

void directory::release_held(slot& s) {
  for (auto& held : std::exchange(s.held, {}))
    std::visit([&](auto& h) { h.second.delegate(s.actor, std::move(h.first)); }, held);
}

/// Nothing overtakes: what was delegated before is ahead of this in the tenant's mailbox, and what
/// comes from now on is held back.
void directory::begin_leaving(slot& s) {
  if (s.phase != tenant_phase::running) return;
  enter(s, tenant_phase::passivating);
  caf::anon_send(s.actor, passivate{});
}

void directory::on_down(const caf::down_msg& down) {
  const auto found = living_.find(down.source);
  if (found == living_.end()) return;
  auto& s = slots_.at(found->second);
  living_.erase(found);
  by_use_.erase(s.turn);
  s.actor = nullptr;
  const bool crashed = holds_black_box(down.reason);
  const bool left = !down.reason || s.phase == tenant_phase::passivating;
  enter(s, tenant_phase::idle);
  s.signs->turn(vital_state::idle);
  if (left && !crashed)
    s.failed_probes = 0;
  else if (is_in_doubt(down.reason))
    on_doubt(s);
  else
    on_crash(s, down.reason);
  if (drained_) {
    if (living_.empty()) drained_->deliver(done{});
    return;
  }
  if (s.phase == tenant_phase::idle && (s.wake || !s.held.empty())) return activate(s);
  if (s.phase == tenant_phase::idle && s.forgettable) forget(s);
}

/// Nothing is known of the tenant, so nothing is kept: ids that nobody has must not cost memory.
void directory::forget(const slot& s) {
  tenants_in(s.phase).Decrement();
  self_->sky().dismiss(s.signs->card.id);
  slots_.erase(tenant_id{s.id});
}

void directory::on_crash(slot& s, const caf::error& reason) {
  std::uint64_t fingerprint = 0;
  if (holds_black_box(reason)) fingerprint = reason.context().get_as<black_box>(0).fingerprint;
  auto& meters = services_->meters;
  if (s.locked_out.died_on(fingerprint)) meters.quarantined({"message"}).Increment();
  s.signs->restarted();
  meters.actor_restarts({"tenant"}).Increment();
  const auto jitter = std::uniform_real_distribution{-1.0, 1.0}(dice_);
  auto pause = s.history.crashed(policy_, self_->clock().now(), jitter);
  enter(s, pause ? tenant_phase::restarting : tenant_phase::unavailable);
  if (!pause) {
    pause = probe_pause(s.failed_probes++);
    for (auto& held : std::exchange(s.held, {}))
      std::visit([&](auto& h) { h.second.refuse(error{errc::tenant_unavailable}.retry_in(300)); }, held);
    s.history.forget();
  }
  log::warn("tenant.crashed", {{"tenant_id", s.id},
                               {"unavailable", s.phase == tenant_phase::unavailable},
                               {"retry_ms", pause->count()},
                               {"restarts", s.signs->restarts()}});
  wait_out(s, *pause);
}

/// The store's failure, which its own refusals make rare again: neither the tenant nor the message is to
/// blame, so it uses up no restart and locks nothing out.
void directory::on_doubt(slot& s) {
  s.signs->last_words("a commit is in doubt");
  s.signs->restarted();
  services_->meters.actor_restarts({"tenant"}).Increment();
  enter(s, tenant_phase::restarting);
  log::warn("tenant.in_doubt", {{"tenant_id", s.id}, {"restarts", s.signs->restarts()}});
  wait_out(s, policy_.first);
}

void directory::wait_out(slot& s, milliseconds pause) {
  s.next_try = self_->clock().now() + pause;
  s.signs->turn(vital_state::restarting);
  self_->delayed_send(self_, pause, reactivate{s.id, ++s.generation});
}

void directory::on_sweep() {
  self_->delayed_send(self_, sweep_interval, sweep{});
  const auto now = self_->clock().now();
  auto over =
      by_use_.size() > services_->most_live_tenants ? by_use_.size() - services_->most_live_tenants : 0;
  for (const auto& id : std::vector<tenant_id>(by_use_.begin(), by_use_.end())) {
    auto& s = slots_.at(id);
    const bool idle = now - s.last_used > services_->idle_before_passivation;
    if (!idle && over == 0) break;
    if (over > 0) --over;
    begin_leaving(s);
  }
}

// ---- operators

caf::result<tenant_healths> directory::on_describe(const describe_tenants& d) {
  tenant_healths answer;
  for (const auto& id : d.tenants) {
    tenant_health h;
    if (const auto found = slots_.find(id); found != slots_.end()) {
      const auto& s = found->second;
      h = {s.phase, s.signs->restarts(), s.signs->last_error(), s.signs->since()};
    }
    answer.rows.push_back(std::move(h));
  }
  return answer;
}

caf::result<done> directory::on_steer(const steer_tenant& m) {
  using action = steer_tenant::action;
  auto& s = slot_of(m.tenant);
  s.forgettable = m.what == action::forget;
  if (m.what != action::replace) {
    s.history.forget();
    s.locked_out.release();
    s.failed_probes = 0;
    s.wake = m.what == action::revive;
  }
  if (s.phase == tenant_phase::running) {
    begin_leaving(s);
  } else if (s.phase == tenant_phase::restarting || s.phase == tenant_phase::unavailable) {
    enter(s, tenant_phase::idle);
    s.signs->turn(vital_state::idle);
    ++s.generation;
    m.what == action::forget ? forget(s) : activate(s);
  } else if (m.what == action::revive && s.phase == tenant_phase::idle) {
    activate(s);  // work may be waiting in the store
  } else if (s.forgettable && s.phase == tenant_phase::idle) {
    forget(s);
  }
  return done{};
}

caf::result<done> directory::on_drain() {
  drained_.emplace(self_);
  if (living_.empty()) drained_->deliver(done{});
  for (auto& [id, s] : slots_) begin_leaving(s);
  return later<done>;
}

directory_actor spawn_directory(cradle where, services_ptr s, store_gate_actor store, inbox_actor inbox,
                                restart_policy policy) {
  return spawn<directory>(where, {"system/directory", "system", {}, {}}, std::move(s), std::move(store),
                          std::move(inbox), policy);
}

}  // namespace connectord
