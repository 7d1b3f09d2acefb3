#pragma once

#include "base/json.hpp"
#include "domain/provider/replay.hpp"

#include <filesystem>
#include <vector>

/// A definition that a user brings, together with the recordings that prove it: `fixtures/<slug>/*.json`
/// are deliveries, `fixtures/<slug>/sync/*.json` are syncs, both beside the definition.
namespace connectord::config {

struct fixture {
  std::filesystem::path file;
  bool sync = false;
  std::string text;
  json::object content;
};

/// In the order of their names; none is no error. VALIDATION_FAILED for what is no JSON object.
result<std::vector<fixture>> load_fixtures(const std::filesystem::path& folder);

/// What the definition makes of a fixture.
result<provider::meaning> replay(const provider::definition& d, const fixture& from);

struct checked_provider {
  provider::definition definition;
  std::size_t deliveries = 0, syncs = 0;  ///< that mean what they are expected to
};

/// Everything that has to hold before a definition from a folder is used: it loads, each fixture means
/// what its `expect` says, a delivery proves itself, and a fixture shows each kind and effect of its
/// rules. VALIDATION_FAILED; the message has one line a problem, "file:line: field: what is wrong".
result<checked_provider> check_provider(const std::filesystem::path& file);

/// Writes what the definition makes of its fixtures into their `expect`; how many have changed.
result<std::size_t> accept_fixtures(const std::filesystem::path& file);

}  // namespace connectord::config
