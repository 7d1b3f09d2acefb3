#include "domain/oauth/callback.hpp"

#include "base/json.hpp"
#include "domain/provider/url.hpp"

#include <algorithm>

namespace connectord::oauth {
namespace {

constexpr std::size_t max_provider_error = 100;

const std::string* find(const form_fields& query, std::string_view name) {
  const auto hit = std::ranges::find(query, name, [](const auto& field) { return field.first; });
  return hit == query.end() ? nullptr : &hit->second;
}

error refused(std::string_view field, std::string_view reason, std::string_view type) {
  return invalid(field, reason).with("error_type", json::string_view{type});
}

/// What a log and a page can show of it.
json::string shown(std::string_view provider_error) {
  json::string out;
  for (const char c : provider_error)
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-')
      out.push_back(c);
  out.resize(std::min(out.size(), max_provider_error));
  return out;
}

std::optional<error> refusal_of(state_verdict verdict) {
  switch (verdict) {
    case state_verdict::unknown:
      return refused("state", "was not issued for this provider", "csrf_validation_failed");
    case state_verdict::used: return refused("state", "was used already", "state_reused");
    case state_verdict::expired: return refused("state", "has expired", "state_expired");
    case state_verdict::valid: break;
  }
  return std::nullopt;
}

/// RFC 9207. Where the server's origin is replaced, its issuer's is too.
bool other_issuer(const provider::definition& d, const client& c, const form_fields& query) {
  const auto* named = find(query, "iss");
  if (named == nullptr || d.oauth->issuer.empty()) return false;
  const auto expected = oauth_url(d, c, d.oauth->issuer);
  return !expected || *named != *expected;
}

std::string region_of(const provider::definition& d, const client& c, const form_fields& query) {
  const auto* host = find(query, d.oauth->region_callback_param);
  if (host == nullptr) return c.region;
  return provider::region_of_host(d, *host).value_or(c.region);
}

}  // namespace

result<std::string> presented_state(const provider::definition* d, const form_fields& query) {
  if (d == nullptr) return error{errc::not_found};
  const auto* state = find(query, "state");
  if (state == nullptr || state->empty()) return refused("state", "is required", "state_missing");
  return *state;
}

result<grant> decide_callback(const provider::definition& d, const client& c, const form_fields& query,
                              state_verdict verdict) {
  if (auto refusal = refusal_of(verdict)) return std::move(*refusal);
  if (other_issuer(d, c, query)) return refused("iss", "is not this provider's", "issuer_mismatch");
  if (const auto* denial = find(query, "error"))
    return refused("error", "the provider refused", "provider_denied").with("provider_error", shown(*denial));
  const auto* code = find(query, "code");
  if (code == nullptr || code->empty()) return refused("code", "is required", "code_missing");
  return grant{*code, region_of(d, c, query)};
}

}  // namespace connectord::oauth
