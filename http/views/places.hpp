#pragma once

#include "domain/tracker/model.hpp"

#include <string>
#include <string_view>

/// Where the dashboard shows what.
namespace connectord::web {

std::string url_of(const tracker::project_id& p);
/// Without `?mission=` for one that has none.
std::string url_of(const tracker::work_package& wp);

/// Stands for what is not known; that is not zero.
inline constexpr std::string_view not_known = "—";

}  // namespace connectord::web
