#pragma once

#include "domain/tracker/model.hpp"

#include <string_view>

namespace connectord::tracker {

inline constexpr std::string_view abort_before_commit = "tracker.snapshot.before_commit";
inline constexpr std::string_view abort_after_commit = "tracker.snapshot.after_commit";

/// Profile test only: kills the process, as if the power went, if that is the point that the policy names.
void abort_at(const policy& rules, std::string_view point);

}  // namespace connectord::tracker
