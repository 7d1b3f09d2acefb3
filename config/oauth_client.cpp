#include "config/oauth_client.hpp"

namespace connectord::config {
namespace {

std::string redirect_uri_of(std::string pattern, std::string_view slug) {
  constexpr std::string_view hole = "{provider}";
  for (auto at = pattern.find(hole); at != std::string::npos; at = pattern.find(hole, at + slug.size()))
    pattern.replace(at, hole.size(), slug);
  return pattern;
}

std::string region_of(const provider_settings& own, const provider::oauth_facts& facts) {
  const auto named = own.values.find(facts.region_key);
  return named == own.values.end() ? std::string{} : named->second;
}

}  // namespace

std::optional<oauth::client> oauth_client_of(const settings& s, const provider::definition& d) {
  const auto own = s.providers.find(d.slug);
  if (!d.oauth || own == s.providers.end() || !own->second.configured()) return std::nullopt;
  const auto& p = own->second;
  return oauth::client{.id = p.client_id,
                       .key = p.client_secret,
                       .scopes = p.scopes.value_or(d.default_scopes),
                       .redirect_uri = redirect_uri_of(s.oauth_redirect_uri, d.slug),
                       .pkce = p.pkce.value_or(d.oauth->pkce),
                       .oauth_base = p.oauth_base,
                       .api_base = p.api_base,
                       .region = region_of(p, *d.oauth)};
}

}  // namespace connectord::config
