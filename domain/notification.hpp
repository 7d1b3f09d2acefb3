#pragma once

#include "base/secret.hpp"
#include "domain/grounded_signal.hpp"
#include "domain/http.hpp"

namespace connectord {

/// What a tenant's URL is told about a grounded signal.
std::string notification_body(const tenant_id& t, const grounded_signal& row);

/// The call that carries it. With a token it is the bearer, and the key of a signature in the Standard
/// Webhooks scheme: its bytes, or behind `whsec_` what the rest of it is the base64 of.
http_request notification(const std::string& url, const secret& token, const grounded_id& id,
                          std::string body, timestamp now);

}  // namespace connectord
