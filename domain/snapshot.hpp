#pragma once

#include "domain/connection.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord {

/// A checkpoint of a tenant's connections. It may be used only when its revision equals the row's,
/// and it may be deleted at any time.
inline constexpr int snapshot_version = 1;

std::string write_snapshot(const std::vector<connection>& connections);
/// Nothing when the text is of another version, damaged, or not a snapshot at all.
std::optional<std::vector<connection>> read_snapshot(std::string_view text);

/// Hex SHA-256 of a snapshot's text.
std::string snapshot_checksum(std::string_view text);

}  // namespace connectord
