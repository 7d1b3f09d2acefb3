#pragma once

#include "config/settings.hpp"

namespace connectord::config {

struct given {
  std::string text;    ///< trimmed
  std::string source;  ///< `flag`, `environment` or the name of a file
};

struct gathered {
  std::map<std::string, given> values;  ///< by key without POBLYSH_, PROFILE included when anyone set it
  std::vector<std::string> problems;    ///< unreadable files and lines
};

/// All sources of `load_settings`, merged.
gathered gather(const environment& process, const std::map<std::string, std::string>& flags,
                const std::filesystem::path& working_folder);

}  // namespace connectord::config
