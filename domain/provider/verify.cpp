#include "domain/provider/verify.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "domain/provider/evaluate.hpp"

#include <algorithm>

namespace connectord::provider {
namespace {

constexpr seconds jwt_leeway{60};

error refused(std::string_view reason) {
  return error{errc::invalid_signature}.with("reason", json::string{reason});
}

/// Of any bytes; an empty one counts as missing.
std::optional<std::string_view> raw_header(const header_list& headers, std::string_view name) {
  const auto hit = std::ranges::find(headers, name, &header_list::value_type::first);
  if (hit == headers.end() || hit->second.empty()) return std::nullopt;
  return hit->second;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return filtered(text_filter::lower, a) == filtered(text_filter::lower, b);
}

/// What follows the authentication scheme; an empty scheme takes the whole header.
std::optional<std::string_view> credential(const header_list& headers, std::string_view header,
                                           std::string_view scheme) {
  const auto value = raw_header(headers, header);
  if (!value || scheme.empty()) return value;
  if (value->size() <= scheme.size() + 1 || (*value)[scheme.size()] != ' ' ||
      !equal_ignoring_case(value->substr(0, scheme.size()), scheme))
    return std::nullopt;
  const auto token = trimmed(value->substr(scheme.size()));
  return token.empty() ? std::nullopt : std::optional{token};
}

const proof* choose(const webhook_facts& webhook, std::string_view variant, std::string_view key) {
  for (const auto& p : webhook.proofs)
    if ((variant.empty() || p.variant.empty() || p.variant == variant) && key.starts_with(p.key_prefix))
      return &p;
  return nullptr;
}

/// MACs that the header offers; empty when it is malformed.
std::vector<std::string> offered_macs(const proof& p, std::string_view header) {
  std::vector<std::string> macs;
  while (!header.empty()) {
    const auto end = p.several ? std::min(header.find(' '), header.size()) : header.size();
    auto one = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    if (!one.starts_with(p.prefix)) continue;
    one.remove_prefix(p.prefix.size());
    auto mac = p.encoding == signature_encoding::hex ? from_hex(one) : from_base64(one);
    if (mac && mac->size() == sizeof(digest256)) macs.push_back(std::move(*mac));
  }
  return macs;
}

result<> check_time(const signed_time& rule, const proof_settings& settings, const webhook_request& request) {
  scene s{.headers = request.headers,
          .body = {},
          .data = {},
          .event = {},
          .digest = {},
          .time = {},
          .received = {},
          .unix_time = {}};
  const auto& from = rule.time.from;
  if (from.root == lookup_root::body) s.body = parse_document(request.body, parser_slot::body);
  const auto text = text_at(from, s);
  if (!text) return refused("missing_timestamp");
  const auto time = parse_time(rule.time.format, *text);
  if (!time) return refused("malformed_timestamp");
  const auto tolerance = settings.tolerance.value_or(rule.tolerance);
  // Whole seconds on both sides, so that the limit itself is accepted however far into its second we are.
  const auto distance = std::chrono::floor<seconds>(request.received_at) - std::chrono::floor<seconds>(*time);
  if (distance > tolerance || -distance > tolerance) return refused("timestamp_out_of_window");
  return {};
}

/// Pieces of the signed content; nothing when a header of it is missing.
std::optional<std::string> signed_content(const proof& p, const webhook_request& request) {
  std::string out;
  for (const auto& piece : p.content) {
    if (!piece.value) {
      out += piece.text;
    } else if (piece.value->root == lookup_root::body) {
      out += request.body;
    } else {
      const auto value = raw_header(request.headers, piece.value->header);
      if (!value) return std::nullopt;
      out += *value;
    }
  }
  return out;
}

result<> verify_hmac(const proof& p, const proof_settings& settings, std::string_view key,
                     const webhook_request& request) {
  const auto header = raw_header(request.headers, p.header);
  if (!header) return refused("missing_signature");
  const auto macs = offered_macs(p, *header);
  if (macs.empty()) return refused("malformed_signature");
  if (p.timestamp)
    if (auto fresh = check_time(*p.timestamp, settings, request); !fresh) return fresh;

  secret decoded;
  if (!p.key_prefix.empty()) {
    decoded = secret{from_base64(key.substr(p.key_prefix.size())).value_or("")};
    key = decoded.reveal();
  }
  if (key.empty()) return refused("signature_mismatch");
  const bool body_only =
      p.content.size() == 1 && p.content.front().value && p.content.front().value->root == lookup_root::body;
  const auto content = body_only ? std::optional<std::string>{} : signed_content(p, request);
  if (!body_only && !content) return refused("missing_signature");
  const auto expected = hmac_sha256(key, body_only ? request.body : std::string_view{*content});
  bool matches = false;
  for (const auto& mac : macs) matches |= equal_in_constant_time(bytes_of(expected), mac);
  if (!matches) return refused("signature_mismatch");
  return {};
}

result<> verify_token(const proof& p, std::string_view key, const webhook_request& request) {
  const auto token = credential(request.headers, p.header, p.prefix);
  if (!token) return refused("missing_signature");
  // Digests, so that not even the secret's length shows.
  if (!equal_in_constant_time(bytes_of(sha256(key)), bytes_of(sha256(*token))))
    return refused("invalid_token");
  return {};
}

struct jwt {
  json::object header, claims;
  std::string_view signed_text;
  std::string signature;
};

std::optional<json::object> decoded_object(std::string_view part) {
  const auto text = from_base64url(part);
  if (!text) return std::nullopt;
  auto object = parse_json_object(*text);
  if (!object) return std::nullopt;
  return std::move(*object);
}

std::optional<jwt> parse_jwt(std::string_view token) {
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  auto header = decoded_object(token.substr(0, first));
  auto claims = decoded_object(token.substr(first + 1, last - first - 1));
  auto signature = from_base64url(token.substr(last + 1));
  if (!header || !claims || !signature) return std::nullopt;
  return jwt{std::move(*header), std::move(*claims), token.substr(0, last), std::move(*signature)};
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : std::string_view{text->data(), text->size()};
}

std::optional<timestamp> time_of(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr ? std::nullopt : parse_time(time_format::epoch_s, std::to_string(*number));
}

bool claims_hold(const json::object& claims, const proof_settings& settings, timestamp now) {
  const auto expires = time_of(claims, "exp"), issued = time_of(claims, "iat");
  const auto* verified = claims.if_contains("email_verified");
  const auto issuer = text_of(claims, "iss");
  return !settings.audience.empty() && text_of(claims, "aud") == settings.audience && !issuer.empty() &&
         std::ranges::find(settings.issuers, issuer) != settings.issuers.end() &&  //
         expires && now <= *expires + jwt_leeway && issued && *issued <= now + jwt_leeway &&
         verified != nullptr && verified->is_bool() && verified->get_bool() &&
         (settings.subject_email.empty() || text_of(claims, "email") == settings.subject_email);
}

result<> verify_jwt(const proof& p, const proof_settings& settings, const webhook_request& request,
                    const key_set* keys) {
  const auto token = credential(request.headers, p.header, p.prefix);
  if (!token) return refused("missing_signature");
  const auto parsed = parse_jwt(*token);
  if (!parsed || keys == nullptr || text_of(parsed->header, "alg") != "RS256")
    return refused("invalid_token");
  const auto kid = text_of(parsed->header, "kid");
  const auto key = std::ranges::find(*keys, kid, &jwk::kid);
  if (kid.empty() || key == keys->end() ||
      !verify_rs256(key->n, key->e, parsed->signed_text, parsed->signature) ||
      !claims_hold(parsed->claims, settings, request.received_at))
    return refused("invalid_token");
  return {};
}

}  // namespace

result<> verify(const definition& provider, const proof_settings& settings, std::string_view key,
                const webhook_request& request, const key_set* keys) {
  const auto* p = provider.webhooks ? choose(provider.webhook, settings.variant, key) : nullptr;
  if (p == nullptr) return refused("signature_mismatch");
  if (p->scheme == proof_scheme::jwt_jwks) return verify_jwt(*p, settings, request, keys);
  if (key.empty())
    return refused(raw_header(request.headers, p->header) ? "signature_mismatch" : "missing_signature");
  return p->scheme == proof_scheme::hmac ? verify_hmac(*p, settings, key, request)
                                         : verify_token(*p, key, request);
}

std::optional<std::string> jwt_key_id(const webhook_request& request) {
  const auto token = credential(request.headers, "authorization", "bearer");
  if (!token) return std::nullopt;
  const auto header = decoded_object(token->substr(0, token->find('.')));
  if (!header) return std::nullopt;
  const auto kid = text_of(*header, "kid");
  return kid.empty() ? std::nullopt : std::optional{std::string{kid}};
}

}  // namespace connectord::provider
