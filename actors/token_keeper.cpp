#include "actors/token_keeper.hpp"

#include "actors/calls.hpp"
#include "base/log.hpp"
#include "domain/oauth/exchange.hpp"

#include <algorithm>

namespace connectord {

using std::chrono::steady_clock;

token_keeper::token_keeper(self_pointer<token_keeper> self, services_ptr s, tenant_id tenant,
                           std::string provider, connection_id connection, tenant_actor parent)
    : self_(self),
      services_(std::move(s)),
      tenant_(tenant),
      provider_(std::move(provider)),
      connection_(connection),
      parent_(std::move(parent)) {}

token_keeper::interface::behavior_type token_keeper::behavior() {
  return {
      [this](fresh_token& f) { return on_fresh(f); },
      [this](const ask_again&) { begin(); },
      [this](const store_again&) { store(*unstored_); },
  };
}

caf::result<token_lent> token_keeper::on_fresh(fresh_token& f) {
  waiting_.push_back({std::move(f), promise<token_lent>{self_}, false});
  if (!busy_) start_round();
  return later<token_lent>;
}

/// The strongest of the wishes counts: what one of them knows to be refused is refused for all.
void token_keeper::begin() {
  begin_refresh b{connection_, {}, refresh_cause::use, joined_, {}, services_->now()};
  for (auto& w : waiting_) {
    w.heard = true;
    b.cause = std::max(b.cause, w.asked.cause);
    if (w.asked.cause == refresh_cause::force) b.asked = std::max(b.asked, w.asked.asked);
    if (w.asked.rejected) b.rejected = std::max(b.rejected, w.asked.rejected);
  }
  ask_tenant(std::move(b), [this](const caf::error& e) { settle([&e](auto& w) { w.reply.fail(e); }); });
}

template <class Command, class Otherwise>
void token_keeper::ask_tenant(Command c, Otherwise otherwise) {
  const auto patience = patience_of(*services_);
  self_->request(parent_, patience, own_command(std::move(c), patience))
      .then(
          [this](const tenant_outcome& o) {
            unstored_.reset();
            on_step(std::get<refresh_step>(o.value));
          },
          otherwise);
}

void token_keeper::on_step(const refresh_step& step) {
  if (const auto* lent = std::get_if<lent_token>(&step)) return lend(*lent);
  if (const auto* failed = std::get_if<refresh_failed>(&step))
    return settle([failed](auto& w) {
      // Whoever forced it hears what the provider said; a run needs to know only that it is over.
      const bool over = failed->lasting && w.asked.cause != refresh_cause::force;
      w.reply.refuse(over ? error{errc::unauthorized} : failed->why);
    });
  if (const auto* begun = std::get_if<refresh_begun>(&step)) return exchange(*begun);
  if (self_->clock().now() > give_up_)
    return settle([](auto& w) { w.reply.refuse(error{errc::service_unavailable}.retry_in(5)); });
  const auto& elsewhere = std::get<refresh_elsewhere>(step);
  if (!elsewhere.stored) {
    joined_ = elsewhere.epoch;
    self_->delayed_send(self_, pause, ask_again{});
    return;
  }
  // Others' tokens are there: those will do, whatever this round was for.
  for (auto& w : waiting_) w.asked.cause = refresh_cause::use;
  begin();
}

/// Who came after the question was asked may want more than this token, unless it is brand-new.
void token_keeper::lend(const lent_token& token) {
  const auto late = std::stable_partition(waiting_.begin(), waiting_.end(),
                                          [this](const waiting& w) { return w.heard || exchanged_; });
  std::vector<waiting> left;
  std::move(late, waiting_.end(), std::back_inserter(left));
  waiting_.erase(late, waiting_.end());
  settle([&token](auto& w) { w.reply.deliver(token_lent{token}); });
  if (left.empty()) return;
  waiting_ = std::move(left);
  start_round();
}

void token_keeper::start_round() {
  busy_ = true;
  exchanged_ = false;
  joined_.reset();
  give_up_ = self_->clock().now() + 2 * services_->call_patience;
  begin();
}

void token_keeper::exchange(refresh_begun begun) {
  exchanged_ = true;
  begun_ = std::move(begun);
  sent_ = steady_clock::now();
  const auto known = services_->clients.find(provider_);
  if (known == services_->clients.end()) return on_answer(unreachable());
  auto client = known->second;
  client.region = begun_.region;
  auto request = oauth::refresh_request(*services_->catalog.find(provider_), client, begun_.presented);
  if (!request) return on_answer(unreachable());
  services_->meters.refresh_attempts({provider_}).Increment();
  self_
      ->request(services_->outbound->get(), patience_of(*services_),
                call_of(*services_, tenant_, provider_, std::move(*request)))
      .then([this](const http_answered& a) { on_answer(a.response); },
            [this](const caf::error&) { on_answer(unreachable()); });
}

void token_keeper::on_answer(const http_response& r) {
  auto answer = oauth::read_token_answer(r, services_->now());
  count(answer);
  store({begun_, std::move(answer), services_->now()});
}

void token_keeper::store(end_refresh what) {
  if (std::holds_alternative<oauth::token_set>(what.answer)) unstored_ = what;
  ask_tenant(std::move(what), [this](const caf::error& e) { on_unstored(e); });
}

/// Once the lease is over another may present the old token again, and whoever comes next does. Ending tells
/// the tenant that it need not wait for these tokens any more.
void token_keeper::on_unstored(const caf::error& e) {
  if (unstored_ && services_->now() + store_pause < begun_.intent.lease_expires_at)
    return self_->delayed_send(self_, store_pause, store_again{});
  settle([&e](auto& w) { w.reply.fail(e); });
  if (unstored_) self_->quit(caf::exit_reason::normal);
}

void token_keeper::count(const oauth::token_answer& answer) const {
  auto& m = services_->meters;
  m.refresh_seconds({provider_}).Observe(std::chrono::duration<double>(steady_clock::now() - sent_).count());
  const auto* why = std::get_if<oauth::failure>(&answer);
  if (why == nullptr) return m.refresh_successes({provider_}).Increment();
  constexpr std::array classes{"transient", "rate_limited", "permanent"};
  const auto kind = classes[static_cast<std::size_t>(why->kind)];
  m.refresh_failures({provider_, kind}).Increment();
  log::warn("token.refresh_failed", {{"tenant_id", tenant_},
                                     {"provider", provider_},
                                     {"connection_id", connection_},
                                     {"error", why->error},
                                     {"status", why->status}});
}

void token_keeper::settle(const std::function<void(waiting&)>& answer) {
  busy_ = false;
  for (auto& w : std::exchange(waiting_, {})) answer(w);
}

token_keeper_actor spawn_token_keeper(cradle where, services_ptr s, const tenant_id& tenant,
                                      const std::string& provider, const connection_id& connection,
                                      tenant_actor parent) {
  return spawn<token_keeper>(where, {"refresh/" + connection.str(), "refresh", {}, tenant}, std::move(s),
                             tenant, provider, connection, std::move(parent));
}

}  // namespace connectord
