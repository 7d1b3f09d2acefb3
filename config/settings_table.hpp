#pragma once

#include "config/settings.hpp"

#include <functional>

namespace connectord::config {

/// One row: everything that is known about a key. Parsing, flags, checks, the reference and the
/// start-up log all read it and nothing else.
struct setting {
  std::string key;       ///< without POBLYSH_
  std::string fallback;  ///< the default, as text that `assign` reads like any other; empty: none
  std::string expected;  ///< completes "expected …"
  std::string doc;
  /// False when the text does not parse or is out of bounds. Profile and generic keys come first, so a
  /// row may look at what rows above it have set.
  std::function<bool(settings&, std::string_view)> assign;
  std::string group = {};  ///< heading in the reference
  bool secret = false;
  bool may_be_empty = false;
  std::map<std::string, std::string> fallback_in = {};  ///< by profile, before `fallback`
  std::vector<std::string> aliases = {};

  const std::string& fallback_for(const std::string& profile) const {
    const auto found = fallback_in.find(profile);
    return found == fallback_in.end() ? fallback : found->second;
  }
};

const std::vector<setting>& generic_settings();
std::vector<setting> settings_of(const provider_facts& provider);
std::vector<setting> tracker_settings();

/// `some-name` as part of a key: `SOME_NAME`.
std::string key_part(std::string_view slug);

}  // namespace connectord::config
