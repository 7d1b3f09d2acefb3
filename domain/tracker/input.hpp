#pragma once

#include "domain/tracker/model.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Words as clients may write them: aliases, letter case, times with microseconds (contract
/// tracker-api, 1.1, 3.1).
namespace connectord::tracker {

/// Trimmed, in any letter case; `azure` and `azure-devops` are azure_devops.
std::optional<provider> read_provider(std::string_view text);
/// `split` is split_ownership.
std::optional<doctrine_mode> read_mode(std::string_view text);
/// `spec_kitty` is local.
std::optional<owner> read_owner(std::string_view text);
/// The field that a policy means: `assignees` is assignee.
std::string_view field_name(std::string_view text);

/// The type of a resource for which none is stored.
std::string_view default_resource_type(provider p);

/// RFC 3339 with `Z` or a numeric offset; digits beyond microseconds are cut off.
std::optional<external_time> read_time(std::string_view text);
/// UTC with `Z`; the fraction has as many digits as it needs, none to six.
std::string to_rfc3339(external_time t);

}  // namespace connectord::tracker
