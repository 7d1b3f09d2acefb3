#pragma once

#include "config/provider_yaml.hpp"
#include "domain/provider/tracker_facts.hpp"

#include <string>

namespace connectord::config {

/// The section `tracker` of a definition; `sync` is the one beside it. Only for the provider loader.
provider::tracker_facts read_tracker(const YAML::Node& node, const std::string& field,
                                     const provider::sync_facts& sync, yaml_problems& problems);

}  // namespace connectord::config
