#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "domain/provider/definition.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::oauth {

/// Our app at one provider: what its definition and the settings make together.
struct client {
  std::string id;
  secret key;  ///< the client secret
  std::vector<std::string> scopes;
  std::string redirect_uri;
  bool pkce = true;
  std::optional<std::string> oauth_base, api_base;  ///< origins in place of the provider's own
  std::string region;                               ///< one of the definition's; empty when it has none
};

/// Authorize, token and revoke URLs live at `oauth_base` when there is one, all others at `api_base`.
/// VALIDATION_FAILED for a region that the definition does not know.
result<std::string> oauth_url(const provider::definition& d, const client& c, std::string_view pattern);
result<std::string> api_url(const provider::definition& d, const client& c, std::string_view pattern);

/// Value of the `authorization` header of API calls.
std::string bearer(const provider::definition& d, const secret& access);

}  // namespace connectord::oauth
