#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

/// How a person gets to the dashboard: through a door that Core opened, or with a token of their own.
namespace connectord {

inline constexpr std::chrono::hours longest_session{12};
inline constexpr std::chrono::minutes session_idle{30};
inline constexpr std::chrono::minutes door_open_for{5};

/// A browser's session. Its secret is kept as a digest only.
struct dashboard_session {
  tenant_id tenant;
  std::optional<token_id> token;  ///< it was opened with this one and ends with it
  std::string who;                ///< for the page and the audit log: `operator`, a token's name, a person
  std::vector<std::string> scopes;
  timestamp created_at{}, used_at{}, expires_at{};

  bool ended(timestamp now) const { return expires_at <= now || used_at + session_idle <= now; }
};

/// A one-time link. Whoever follows it first gets the session.
struct dashboard_door {
  tenant_id tenant;
  std::string who;
  std::vector<std::string> scopes;
  std::string return_path;  ///< of the dashboard
  std::chrono::seconds session{longest_session};
  timestamp expires_at{};
};

}  // namespace connectord
