#pragma once

#include "domain/tracker/model.hpp"

namespace connectord::tracker {

enum class issue_effect : std::uint8_t { created, updated, unchanged, skipped_older };

/// What an incoming issue does to the stored one (`nullptr`: none). Both times known and the incoming one older:
/// the stored content stays, though the issue still counts as present (contract tracker-api, 4.6).
issue_effect compare(const issue_content* stored, const issue_content& incoming);

}  // namespace connectord::tracker
