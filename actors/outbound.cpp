#include "actors/outbound.hpp"

#include "base/log.hpp"
#include "domain/limit_left.hpp"

#include <caf/send.hpp>

namespace connectord {
namespace {

http_answered nothing_came(call_failure why) {
  http_response r;
  r.failure = why;
  return http_answered{std::move(r)};
}

/// An answer that is too large, and every 4xx, is about the request; the rest is about the host.
bool host_failed(const http_response& r) {
  if (!r.answered()) return r.failure != call_failure::too_large;
  return r.status >= 500;
}

std::string_view result_of(const http_response& r) {
  if (!r.answered()) return name_of(r.failure);
  if (r.status == 429) return "rate_limited";
  return r.status >= 500 ? "server_error" : r.status >= 400 ? "client_error" : "ok";
}

template <class Key>
std::size_t count_of(const std::map<Key, std::size_t>& counts, const Key& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}
template <class Key>
void count_down(std::map<Key, std::size_t>& counts, const Key& key) {
  if (const auto found = counts.find(key); --found->second == 0) counts.erase(found);
}

}  // namespace

outbound::outbound(self_pointer<outbound> self, outbound_plan plan)
    : self_(self), plan_(std::move(plan)), breakers_(plan_.each, plan_.host) {
  self_->sky().meters().provider_breaker_open.set_all(0);
}

outbound::interface::behavior_type outbound::behavior() {
  return {
      [this](send_request& r) { return on_request(r); },
      [this](call_ended& e) { on_ended(e); },
      [this](const look_at_held_back&) { look_at_held(); },
  };
}

caf::result<http_answered> outbound::on_request(send_request& r) {
  const party who{r.tenant, authority_of(r.request.url)};
  const bool full =
      waiting_.size() >= plan_.most_waiting || waiting_.waiting(who) >= plan_.most_waiting_of_tenant;
  if (full) {
    log::warn("outbound.queue_full", {{"host", who.second}});
    return refuse(r, "queue_full");
  }
  if (!breakers_.admits(who.first, who.second, now())) return refuse(r, "held_back");
  waiting_.push(who, {who, std::move(r), promise<http_answered>{self_}});
  dispatch();
  return later<http_answered>;
}

caf::result<http_answered> outbound::refuse(const send_request& r, std::string_view why) {
  count(r.provider, why);
  return nothing_came(call_failure::network_error);
}

bool outbound::has_room(const party& who) const {
  return count_of(of_tenant_, who.first) < plan_.most_of_tenant &&
         count_of(to_host_, who.second) < plan_.most_to_host;
}

void outbound::dispatch() {
  while (under_way_.size() < plan_.most_calls) {
    auto next = waiting_.pop_if([this](const party& who) { return has_room(who); });
    if (!next) return;
    begin(std::move(*next));
  }
}

/// Much may have changed while the call waited.
void outbound::begin(call c) {
  const auto& [tenant, host] = c.who;
  c.begun = now();
  if (c.wanted.deadline <= c.begun) {
    count(c.wanted.provider, name_of(call_failure::timeout));
    return c.reply.deliver(nothing_came(call_failure::timeout));
  }
  if (!breakers_.admits(tenant, host, c.begun)) {
    count(c.wanted.provider, "held_back");
    return c.reply.deliver(nothing_came(call_failure::network_error));
  }
  breakers_.begin(tenant, host);
  ++of_tenant_[tenant];
  ++to_host_[host];
  const auto number = ++last_number_;
  auto request = std::move(c.wanted.request);
  const auto deadline = c.wanted.deadline;
  under_way_.emplace(number, std::move(c));
  plan_.carry(std::move(request), deadline,
              [me = caf::actor_cast<caf::actor_addr>(self_), number](http_response r) {
                if (const auto alive = caf::actor_cast<caf::actor>(me))
                  caf::anon_send(alive, call_ended{number, std::move(r)});
              });
}

void outbound::on_ended(call_ended& e) {
  auto ended = under_way_.extract(e.number);
  if (!ended) return;
  auto& c = ended.mapped();
  count_down(of_tenant_, c.who.first);
  count_down(to_host_, c.who.second);
  judge(c.who, c.wanted.provider, e.response);
  count_answered(c, e.response);
  const auto& [tenant, host] = c.who;
  const auto took = std::chrono::duration_cast<milliseconds>(now() - c.begun).count();
  log::info("outbound_call",
            {{"tenant_id", tenant ? tenant->text() : std::string_view{}},
             {"provider", c.wanted.provider},
             {"host", host},
             {"status", e.response.status},
             {"duration_ms", took},
             {"failure", e.response.answered() ? std::string_view{} : name_of(e.response.failure)}});
  c.reply.deliver(http_answered{std::move(e.response)});
  dispatch();
}

void outbound::judge(const party& who, const std::string& provider, const http_response& r) {
  const auto& [tenant, host] = who;
  if (!host_failed(r)) return breakers_.succeeded(tenant, host);
  if (breakers_.failed(tenant, host, now()))
    log::warn("outbound.suspended",
              {{"tenant_id", tenant ? tenant->text() : std::string_view{}}, {"host", host}});
  if (!breakers_.admits(tenant, host, now())) hold_back(who, provider);
}

// ---- what operators see; calls without a provider are the service's own affair

void outbound::count(const std::string& provider, std::string_view result) {
  if (!provider.empty()) self_->sky().meters().provider_requests({provider, result}).Increment();
}

void outbound::count_answered(const call& c, const http_response& r) {
  const auto& provider = c.wanted.provider;
  if (provider.empty()) return;
  auto& meters = self_->sky().meters();
  count(provider, result_of(r));
  meters.provider_request_seconds({provider, result_of(r)})
      .Observe(std::chrono::duration<double>(now() - c.begun).count());
  if (const auto told = limit_left_of(r.headers)) meters.provider_limit_left({provider}).Set(told->share());
}

void outbound::hold_back(const party& who, const std::string& provider) {
  if (provider.empty()) return;
  if (held_back_.empty()) self_->delayed_send(self_, between_looks, look_at_held_back{});
  if (held_back_.emplace(who, provider).second)
    self_->sky().meters().provider_breaker_open({provider}).Increment();
}

void outbound::look_at_held() {
  std::erase_if(held_back_, [this](const auto& held) {
    const auto& [who, provider] = held;
    if (!breakers_.admits(who.first, who.second, now())) return false;
    self_->sky().meters().provider_breaker_open({provider}).Decrement();
    return true;
  });
  if (!held_back_.empty()) self_->delayed_send(self_, between_looks, look_at_held_back{});
}

outbound_actor spawn_outbound(cradle where, outbound_plan plan) {
  return spawn<outbound>(where, {"system/outbound", "system", {}, {}}, std::move(plan));
}

}  // namespace connectord
