#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace connectord::oauth {

/// One consent that was asked for.
struct state {
  state_id id;
  tenant_id tenant;
  std::string sha256;  ///< hex, of the value that travels
  std::string provider, redirect_uri;
  std::optional<std::string> verifier_ciphertext;  ///< PKCE
  timestamp created_at{}, expires_at{};

  friend bool operator==(const state&, const state&) = default;
};

/// What consuming it said.
enum class state_verdict : std::uint8_t { unknown, used, expired, valid };

/// The scope of the AEAD of a verifier: `<tenant>|<provider>|<state>`.
inline std::string verifier_scope(const state& s) {
  return s.tenant.str() + "|" + s.provider + "|" + s.id.str();
}

}  // namespace connectord::oauth
