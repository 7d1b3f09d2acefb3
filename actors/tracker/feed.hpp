#pragma once

#include "actors/tracker/evaluate.hpp"

/// Rows of the feed, as every kind of change makes them.
namespace connectord::tracker {

/// A row by whoever makes the change, now; the rest is the caller's.
activity told_by(const change& c, std::string type, std::string_view summary);
/// The dashboard's page of a project, or of one of its work packages.
std::string page_of(const project_id& p, const std::optional<wp_ref>& wp = {});

}  // namespace connectord::tracker
