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

}  // namespace connectord
