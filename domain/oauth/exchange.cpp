#include "domain/oauth/exchange.hpp"

#include "base/crypto.hpp"
#include "base/form.hpp"
#include "base/json.hpp"
#include "domain/provider/url.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace connectord::oauth {
namespace {

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string out;
  for (const auto& text : texts) {
    if (!out.empty()) out += separator;
    out += text;
  }
  return out;
}

/// RFC 6749, 2.3.1: both parts are encoded before they are joined.
std::string basic_credentials(const client& c) {
  return "Basic " + to_base64(percent_encoded(c.id) + ":" + percent_encoded(c.key.reveal()));
}

void set_header(header_list& headers, std::string_view name, std::string value) {
  const auto known = std::ranges::find(headers, name, [](const auto& h) { return h.first; });
  if (known == headers.end())
    headers.emplace_back(name, std::move(value));
  else
    known->second = std::move(value);
}

void set_body(http_request& r, provider::token_encoding encoding, const form_fields& fields) {
  if (encoding == provider::token_encoding::form) {
    set_header(r.headers, "content-type", "application/x-www-form-urlencoded");
    r.body = form_encoded(fields);
    return;
  }
  set_header(r.headers, "content-type", "application/json");
  json::object body;
  for (const auto& [name, value] : fields) body[name] = value;
  r.body = json::serialize(body);
}

/// A call in which the client says who it is.
http_request authenticated(std::string url, const client& c, provider::client_auth how,
                           provider::token_encoding encoding, form_fields fields) {
  http_request r{
      .method = "POST", .url = std::move(url), .headers = {{"accept", "application/json"}}, .body{}};
  if (how == provider::client_auth::basic) {
    set_header(r.headers, "authorization", basic_credentials(c));
  } else {
    fields.emplace_back("client_id", c.id);
    fields.emplace_back("client_secret", c.key.reveal());
  }
  set_body(r, encoding, fields);
  return r;
}

result<http_request> token_call(const provider::definition& d, const client& c, form_fields fields) {
  const auto& facts = *d.oauth;
  auto url = oauth_url(d, c, facts.token_url);
  if (!url) return url.error();
  auto r = authenticated(std::move(*url), c, facts.authentication, facts.encoding, std::move(fields));
  for (const auto& [name, value] : facts.token_headers)
    set_header(r.headers, provider::filtered(provider::text_filter::lower, name), value);
  return r;
}

}  // namespace

std::string challenge_of(std::string_view verifier) { return to_base64url(bytes_of(sha256(verifier))); }

result<std::string> authorize_url(const provider::definition& d, const client& c, std::string_view state,
                                  const secret& verifier) {
  auto url = oauth_url(d, c, d.oauth->authorize_url);
  if (!url) return url;
  form_fields query{{"response_type", "code"}, {"client_id", c.id}, {"redirect_uri", c.redirect_uri}};
  if (!c.scopes.empty()) query.emplace_back("scope", joined(c.scopes, d.scope_separator));
  query.emplace_back("state", state);
  if (c.pkce) {
    query.emplace_back("code_challenge", challenge_of(verifier.reveal()));
    query.emplace_back("code_challenge_method", "S256");
  }
  query.insert(query.end(), d.oauth->authorize_params.begin(), d.oauth->authorize_params.end());
  auto out = provider::with_query(std::move(*url), query);
  if (out.size() > max_authorize_url) return error{errc::internal, "The authorize URL is too long."};
  return out;
}

result<http_request> token_request(const provider::definition& d, const client& c, std::string_view code,
                                   const secret& verifier) {
  form_fields fields{
      {"grant_type", "authorization_code"}, {"code", std::string{code}}, {"redirect_uri", c.redirect_uri}};
  if (c.pkce) fields.emplace_back("code_verifier", verifier.reveal());
  return token_call(d, c, std::move(fields));
}

result<http_request> refresh_request(const provider::definition& d, const client& c,
                                     const secret& refresh_token) {
  return token_call(
      d, c, {{"grant_type", "refresh_token"}, {"refresh_token", std::string{refresh_token.reveal()}}});
}

result<http_request> revoke_request(const provider::definition& d, const client& c, const secret& access,
                                    const secret& refresh) {
  const auto& revoke = *d.oauth->revoke;
  auto url = oauth_url(d, c, revoke.url);
  if (!url) return url.error();
  using provider::revoke_auth;
  http_request r;
  if (revoke.authentication == revoke_auth::bearer) {
    r = {.url = std::move(*url),
         .headers = {{"accept", "application/json"}, {"authorization", bearer(d, access)}},
         .body{}};
  } else {
    const bool refresh_token = revoke.refresh_token && !refresh.empty();
    form_fields fields{{revoke.parameter, std::string{(refresh_token ? refresh : access).reveal()}}};
    const auto how = revoke.authentication == revoke_auth::basic ? provider::client_auth::basic
                                                                 : provider::client_auth::body;
    r = authenticated(std::move(*url), c, how, revoke.encoding, std::move(fields));
  }
  r.method = revoke.method;
  return r;
}

}  // namespace connectord::oauth
