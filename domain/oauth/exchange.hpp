#pragma once

#include "domain/http.hpp"
#include "domain/oauth/client.hpp"

#include <string>
#include <string_view>

/// What we ask an authorization server.
namespace connectord::oauth {

inline constexpr std::size_t max_authorize_url = 2048;

/// S256 of a PKCE verifier.
std::string challenge_of(std::string_view verifier);

/// Where to send the user. `verifier` is used when the client does PKCE. INTERNAL when the URL would be
/// longer than `max_authorize_url`: the settings name too many scopes.
result<std::string> authorize_url(const provider::definition& d, const client& c, std::string_view state,
                                  const secret& verifier);

/// These fail as `oauth_url` does.
result<http_request> token_request(const provider::definition& d, const client& c, std::string_view code,
                                   const secret& verifier);
result<http_request> refresh_request(const provider::definition& d, const client& c,
                                     const secret& refresh_token);

/// For a definition that has a revocation. `refresh` may be empty.
result<http_request> revoke_request(const provider::definition& d, const client& c, const secret& access,
                                    const secret& refresh);

}  // namespace connectord::oauth
