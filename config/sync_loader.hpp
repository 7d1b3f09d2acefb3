#pragma once

#include "config/provider_yaml.hpp"
#include "domain/provider/sync_facts.hpp"

#include <string>

namespace connectord::config {

/// The section `sync` of a definition. Only for the provider loader.
provider::sync_facts read_sync(const YAML::Node& node, const std::string& field, yaml_problems& problems);

/// What lists items: `request`, `page` and `records`.
void read_listing(yaml_map& in, provider::stream_facts& out);

}  // namespace connectord::config
