#pragma once

#include "config/provider_yaml.hpp"
#include "domain/provider/rules.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Expressions, conditions, shapes and rules out of YAML. Only for the provider loader.
namespace connectord::config {

template <class T>
using names = std::pair<std::string_view, T>;

/// `many`: an `each` step is allowed.
provider::lookup read_lookup(const YAML::Node& node, const std::string& field, yaml_problems& problems,
                             bool many = false);
provider::text_template read_template(const YAML::Node& node, const std::string& field,
                                      yaml_problems& problems);
provider::choice read_choice(yaml_map& in, const std::string& name);
std::vector<std::pair<std::string, provider::choice>> read_choices(yaml_map& in, const std::string& name);
/// A map of one member: format to path.
provider::time_candidate read_time(const YAML::Node& node, const std::string& field, yaml_problems& problems);
std::vector<provider::time_candidate> read_times(yaml_map& in, const std::string& name);
provider::conditions read_conditions(yaml_map& in, const std::string& name);
std::vector<provider::event_case> read_cases(yaml_map& in, const std::string& name);

using shape_index = std::map<std::string, std::size_t>;
shape_index read_shapes(yaml_map& in, std::vector<provider::shape>& out);
std::vector<provider::rule> read_rules(yaml_map& in, const shape_index& shapes);

}  // namespace connectord::config
