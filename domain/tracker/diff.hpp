#pragma once

#include "domain/tracker/model.hpp"

#include <optional>
#include <span>
#include <string>

namespace connectord::tracker {

/// What stands for the content of an issue when contents are compared.
struct content_mark {
  std::string fingerprint;  ///< 32 hex digits; equal for equal content
  std::optional<external_time> updated_at;
};
content_mark mark_of(const issue_content& c);

/// What stands for a whole list of issues, `marks` being theirs: 64 hex digits, equal for equal contents in
/// equal order.
std::string digest_of(std::span<const issue_content> issues, std::span<const content_mark> marks);

enum class issue_effect : std::uint8_t { created, updated, unchanged, skipped_older };

/// What an incoming issue does to the stored one (`nullptr`: none). Both times known and the incoming one
/// older: the stored content stays, though the issue still counts as present (contract tracker-api, 4.6).
issue_effect compare(const content_mark* stored, const content_mark& incoming);

}  // namespace connectord::tracker
