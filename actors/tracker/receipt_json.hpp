#pragma once

#include "actors/tracker/apply.hpp"

#include <span>
#include <string>

/// What a receipt shows, as it is stored (contract tracker-api, 4.5).
namespace connectord::tracker {

std::string counts_json(const ingest_counts& n);
std::string warnings_json(std::span<const snapshot_warning> warnings);

/// Which rows it touched, at most 100 of each kind, and its part of the feed:
/// {issues, links, drift: {…: [ids]}, feed: {from_seq, to_seq}, truncated}.
std::string effects_json(const applied& did, const binding_change& b);
inline constexpr std::string_view no_effects =
    R"({"issues":{"created":[],"updated":[],"absent":[]},"links":{"created":[],"updated":[]},)"
    R"("drift":{"opened":[],"resolved":[]},"feed":null,"truncated":false})";

}  // namespace connectord::tracker
