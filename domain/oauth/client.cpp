#include "domain/oauth/client.hpp"

#include "domain/provider/url.hpp"

namespace connectord::oauth {
namespace {

result<std::string> resolved(const provider::definition& d, const client& c, std::string_view pattern,
                             const std::optional<std::string>& origin) {
  const auto values = provider::url_values(d, {.region = c.region, .client_id = c.id, .external_id = {}});
  if (!values) return values.error();
  return provider::resolve_url(pattern, *values, origin);
}

}  // namespace

result<std::string> oauth_url(const provider::definition& d, const client& c, std::string_view pattern) {
  return resolved(d, c, pattern, c.oauth_base);
}

result<std::string> api_url(const provider::definition& d, const client& c, std::string_view pattern) {
  return resolved(d, c, pattern, c.api_base);
}

std::string bearer(const provider::definition& d, const secret& access) {
  return d.oauth->token_scheme + " " + std::string{access.reveal()};
}

}  // namespace connectord::oauth
