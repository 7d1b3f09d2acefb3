#include "actors/oauth_flow.hpp"

#include "actors/calls.hpp"
#include "domain/oauth/exchange.hpp"

#include <caf/exit_reason.hpp>

namespace connectord {

oauth_flow::oauth_flow(self_pointer<oauth_flow> self, services_ptr s, tenant_id tenant)
    : self_(self), services_(std::move(s)), tenant_(tenant) {}

oauth_flow::interface::behavior_type oauth_flow::behavior() {
  return {[this](begin_flow& b) { return on_begin(b); }};
}

template <class Then>
void oauth_flow::send(http_request r, Then then) {
  self_
      ->request(services_->outbound->get(), patience_of(*services_),
                call_of(*services_, tenant_, what_.consent.provider, std::move(r)))
      .then([then](const http_answered& a) { then(a.response); },
            [then](const caf::error&) { then(unreachable()); });
}

caf::result<flow_granted> oauth_flow::on_begin(begin_flow& b) {
  what_ = std::move(b.what);
  reply_.emplace(self_);
  const auto client = services_->clients.find(what_.consent.provider);
  const auto& sealed = what_.consent.verifier_ciphertext;
  const auto verifier =
      sealed ? services_->keys.open(*sealed, oauth::verifier_scope(what_.consent)) : result<secret>{secret{}};
  if (client == services_->clients.end() || !verifier) {
    refuse(invalid("state", "cannot be completed any more"));
    return later<flow_granted>;
  }
  client_ = client->second;
  client_.region = what_.given.region;
  client_.redirect_uri = what_.consent.redirect_uri;
  auto request = oauth::token_request(*services_->catalog.find(what_.consent.provider), client_,
                                      what_.given.code, *verifier);
  if (!request)
    refuse(request.error());
  else
    send(std::move(*request), [this](const http_response& r) { on_tokens(r); });
  return later<flow_granted>;
}

void oauth_flow::on_tokens(const http_response& r) {
  auto answer = oauth::read_token_answer(r, services_->now());
  if (const auto* why = std::get_if<oauth::failure>(&answer))
    return refuse(oauth::as_error(*why, what_.consent.provider));
  tokens_ = std::move(std::get<oauth::token_set>(answer));
  account_.emplace(*services_->catalog.find(what_.consent.provider), client_, tokens_);
  ask_account();
}

void oauth_flow::ask_account() {
  auto step = account_->next();
  if (auto* request = std::get_if<http_request>(&step))
    return send(std::move(*request), [this](const http_response& r) {
      account_->take(r, services_->now());
      ask_account();
    });
  if (const auto* why = std::get_if<oauth::failure>(&step))
    return refuse(oauth::as_error(*why, what_.consent.provider));
  grant(std::move(std::get<oauth::account>(step)));
}

void oauth_flow::grant(oauth::account whose) {
  reply_->deliver(flow_granted{
      store_grant{what_.consent.provider, std::move(tokens_), std::move(whose), services_->now()}});
  self_->quit(caf::exit_reason::normal);
}

void oauth_flow::refuse(error e) {
  reply_->refuse(std::move(e));
  self_->quit(caf::exit_reason::normal);
}

oauth_flow_actor spawn_oauth_flow(cradle where, const std::string& id, services_ptr s,
                                  const tenant_id& tenant) {
  return spawn<oauth_flow>(where, {id, "connection", {}, tenant}, std::move(s), tenant);
}

}  // namespace connectord
