#pragma once

#include "actors/tracker/evaluate.hpp"

#include <string>

namespace connectord::tracker {

/// A project that a client names by a uuid that is not known yet. Its slug gets `-` and 8 hex digits of the
/// uuid when another project has it (contract tracker-api, 3.7).
result<project> make_project(change& c, const uuid& project_uuid, const std::string& slug);

}  // namespace connectord::tracker
