#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::config {

enum class setting_kind { text, secret, integer, enumeration, list, host_list };

/// The kind that a definition names: text, secret, integer, enumeration, list, host_list.
std::optional<setting_kind> setting_kind_of(std::string_view name);

/// A setting that only one provider has; an entry of `settings:` in its definition, with the fields
/// key, kind, default, min, max, values, doc, secret.
struct provider_setting {
  std::string key;  ///< without POBLYSH_
  setting_kind kind = setting_kind::text;
  std::string default_value;  ///< empty: none
  std::int64_t min = 0;       ///< integer
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> values;  ///< enumeration
  std::string doc;
  bool secret = false;
};

/// What the settings have to know about a provider; the settings' own code names none.
struct provider_facts {
  std::string slug;
  bool oauth = false;
  bool local_only = false;                ///< registered in the profiles local and test only
  bool required_in_production = false;    ///< credentials required while POBLYSH_PROVIDERS is unset
  std::vector<std::string> webhook_keys;  ///< without POBLYSH_; those without a row below are secrets
  std::vector<provider_setting> settings;
};

}  // namespace connectord::config
