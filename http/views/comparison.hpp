#pragma once

#include "domain/tracker/records.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::web {

/// One field of a work package beside that of its issue, as both would be read.
struct compared_field {
  std::string_view name;
  std::string ours, theirs;  ///< empty when it is not known
  std::optional<bool> same;  ///< nothing when one of them is not known
};

/// Status, title, assignee and priority, in that order, by the rules of drift (tracker-api, 5.3).
std::vector<compared_field> compare(const tracker::work_package& ours, const tracker::issue_content& theirs);

}  // namespace connectord::web
