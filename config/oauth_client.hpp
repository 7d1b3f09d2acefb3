#pragma once

#include "config/settings.hpp"
#include "domain/oauth/client.hpp"

#include <optional>

namespace connectord::config {

/// Our app at the provider; nothing when it has no OAuth or no credentials.
std::optional<oauth::client> oauth_client_of(const settings& s, const provider::definition& d);

}  // namespace connectord::config
