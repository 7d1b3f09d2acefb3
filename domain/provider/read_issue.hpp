#pragma once

#include "domain/provider/evaluate.hpp"
#include "domain/provider/tracker_issue.hpp"

/// Only for the sources of this folder: what a message says of an issue.
namespace connectord::provider {

/// The issue of a message that one of the sources knows; nothing when none does, or when the issue
/// lacks its id or title. The scene is as it was.
std::optional<tracker_issue> tracker_issue_of(const tracker_facts& f,
                                              const std::vector<issue_source>& sources, scene& s);
/// Nothing for an item without an id.
std::optional<tracker_resource> tracker_resource_of(const resource_facts& f, const scene& item);

}  // namespace connectord::provider
