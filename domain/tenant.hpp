#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace connectord {

enum class tenant_status { active, suspended };

struct tenant {
  tenant_id id;
  std::optional<std::string> slug;
  std::string name;
  tenant_status status = tenant_status::active;
  std::string metadata = "{}";  ///< a JSON object, as text
  timestamp created_at{}, updated_at{};
};

struct tenant_token {
  token_id id;
  tenant_id tenant;
  std::string name;
  std::vector<std::string> scopes;
  std::string prefix;  ///< first 8 characters of the secret
  timestamp created_at{};
  std::optional<timestamp> expires_at, last_used_at, revoked_at;
};

/// What names a team: a token's digest, else an id, else a slug.
struct team_key {
  std::string token_sha256{};  ///< hex
  std::optional<tenant_id> id{};
  std::string slug{};
};
/// A team as a request finds it.
struct team_standing {
  tenant row;
  std::optional<tenant_token> token{};  ///< the one that named it
  bool tracker_on = false;              ///< flag tracker_connectors
};

}  // namespace connectord
