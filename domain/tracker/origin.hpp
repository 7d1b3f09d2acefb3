#pragma once

#include "domain/tracker/model.hpp"

#include <optional>
#include <string>

namespace connectord::tracker {

using origin_id = strong_id<struct mission_origin_tag>;

/// Whose issues a mission can come from.
constexpr bool has_origins(provider p) { return p == provider::jira || p == provider::linear; }

/// The external issue that a mission was made for; one of a project's mission (contract tracker-api, 7.4).
struct mission_origin {
  origin_id id;
  project_id project;
  std::string mission_key;                  ///< what names the mission, whichever member that was
  std::optional<std::string> mission_slug;  ///< as shown
  tracker::provider provider{};
  std::string issue_id, issue_key, issue_url, title, status;
  timestamp bound_at{};
};

}  // namespace connectord::tracker
