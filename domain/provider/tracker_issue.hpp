#pragma once

#include "domain/provider/definition.hpp"
#include "domain/tracker/model.hpp"

#include <string>
#include <vector>

namespace connectord::provider {

/// An issue as one message of a provider shows it.
struct tracker_issue {
  tracker::issue_content content;  ///< of the identity only system and id
  /// Workspaces that its identity may have, best first; the last resort is the binding's own.
  std::vector<std::string> identities;
  /// What a resource mapping may call the place where it belongs.
  std::vector<std::string> workspaces, resources;
  bool deleted = false;
  std::vector<std::string> unmapped;  ///< words without a case: "status: Waiting"
};

/// A repository, project or team that issues belong to.
struct tracker_resource {
  std::vector<std::string> ids, workspaces;  ///< best first
  std::string label;
};

/// What is stored of an issue once a message was taken in. The identity is the stored one.
tracker::issue_content merged(const tracker_facts& f, const tracker::issue_content& stored,
                              const tracker::issue_content& told);

}  // namespace connectord::provider
