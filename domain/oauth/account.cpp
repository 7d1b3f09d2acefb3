#include "domain/oauth/account.hpp"

#include "domain/provider/evaluate.hpp"
#include "domain/provider/url.hpp"

#include <boost/json/serialize.hpp>

namespace connectord::oauth {
namespace {

constexpr std::size_t max_name = 255;  // code points, as for connections that are made by hand

/// Of a call that has no sense to us; what the provider says about its limits is kept.
failure identity_failed(failure f) {
  if (f.kind != failure_class::rate_limited) f.error = "identity_failed";
  return f;
}

/// "user.id" becomes {"user":{"id":…}}.
std::string nested(std::string_view flat) {
  json::object out;
  for (auto& [path, value] : parse_json_object(flat).value()) {
    auto* at = &out;
    std::string_view rest = path;
    for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      auto& inner = (*at)[rest.substr(0, dot)];
      at = &(inner.is_object() ? inner.get_object() : inner.emplace_object());
      rest.remove_prefix(dot + 1);
    }
    (*at)[rest] = value;
  }
  return json::serialize(out);
}

}  // namespace

account_machine::account_machine(const provider::definition& d, const client& c, const token_set& tokens)
    : definition_(d), client_(c), tokens_(tokens) {}

account_machine::step account_machine::next() const {
  if (failure_) return *failure_;
  const auto& calls = definition_.oauth->account.calls;
  if (call_ == calls.size()) return facts();
  const auto& call = calls[call_];
  auto url = api_url(definition_, client_, call.url);
  if (!url) return identity_failed({});
  http_request r{
      .method = call.method,
      .url = std::move(*url),
      .headers = {{"accept", "application/json"}, {"authorization", bearer(definition_, tokens_.access)}},
      .body = call.body.value_or("")};
  if (call.body) r.headers.emplace_back("content-type", "application/json");
  return r;
}

void account_machine::take(const http_response& response, timestamp now) {
  if (const auto failed = failure_of(response, now)) {
    failure_ = identity_failed(*failed);
    return;
  }
  auto answer = parse_json(response.body);
  if (!answer) {
    failure_ = identity_failed({.status = response.status, .error{}, .reason{}, .retry_after{}});
    return;
  }
  status_ = response.status;
  answers_[definition_.oauth->account.calls[call_++].name] = std::move(*answer);
}

account_machine::step account_machine::facts() const {
  const auto& facts = definition_.oauth->account;
  const auto failed = identity_failed({.status = status_, .error{}, .reason{}, .retry_after{}});
  auto values = provider::url_values(definition_, {.region = client_.region, .client_id{}, .external_id{}});
  if (!values) return failed;
  auto token = parse_json_object(tokens_.document.reveal());
  if (!token) return failed;
  values->insert_or_assign("token", std::move(*token));
  for (const auto& [name, answer] : answers_) values->insert_or_assign(name, answer);

  const header_list no_headers;
  const auto text = json::serialize(*values);
  provider::scene s{.headers = no_headers};
  s.body = provider::parse_document(text, provider::parser_slot::body);
  auto external_id = provider::render(facts.external_id, s);
  if (!external_id || code_points(*external_id) > max_name) return failed;
  auto display_name = provider::render(facts.display_name, s);
  if (display_name && code_points(*display_name) > max_name) display_name.reset();
  std::string flat;
  json_writer w{flat};
  w.open();
  for (const auto& [name, choices] : facts.metadata) provider::write_member(w, name, choices, s);
  w.close();
  return account{std::move(*external_id), std::move(display_name), nested(flat)};
}

}  // namespace connectord::oauth
