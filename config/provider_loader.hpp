#pragma once

#include "base/result.hpp"
#include "config/provider_facts.hpp"
#include "domain/provider/catalog.hpp"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace connectord::config {

/// One definition from its YAML text. Strict: unknown fields, unknown names, templates that do not
/// parse and webhooks without a proof are refused. VALIDATION_FAILED; the message has one line a
/// problem, "file:line: field: what is wrong".
result<provider::definition> load_provider(std::string_view yaml, std::string_view file_name);

/// The embedded definitions, overridden slug by slug by the *.yaml files of the folder, which have to
/// pass `check_provider`; those that are only for the relaxed profiles are left out of the others.
result<provider::catalog> load_catalog(const std::optional<std::filesystem::path>& extra_folder,
                                       bool local_profile);

/// What the settings have to know of each provider.
std::vector<provider_facts> facts_of(const provider::catalog& catalog);

}  // namespace connectord::config
