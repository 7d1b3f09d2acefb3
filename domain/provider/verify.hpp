#pragma once

#include "base/secret.hpp"
#include "domain/delivery.hpp"
#include "domain/provider/definition.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::provider {

struct webhook_request {
  const header_list& headers;
  std::string_view body;  ///< as it came
  timestamp received_at;
};

/// Values of the settings that `setting_keys` names.
struct proof_settings {
  std::optional<secret> app_secret;
  std::string variant;  ///< empty: the definition's first
  std::optional<seconds> tolerance;
  std::string audience;
  std::vector<std::string> issuers;
  std::string subject_email;  ///< empty: any
};

/// An RSA key; modulus and exponent are big-endian bytes.
struct jwk {
  std::string kid, n, e;
};
using key_set = std::vector<jwk>;

/// INVALID_SIGNATURE with `details.reason` unless the delivery proves to know `key`. Key sets are
/// asked for only where the definition says `jwt_jwks`; there `key` is not looked at. What is not
/// configured (an empty key, audience, issuer list or key set) never verifies.
result<> verify(const definition& provider, const proof_settings& settings, std::string_view key,
                const webhook_request& request, const key_set* keys);

/// `kid` of the bearer JWT, so that the key set can be fetched first.
std::optional<std::string> jwt_key_id(const webhook_request& request);

}  // namespace connectord::provider
