#pragma once

#include <string_view>

namespace connectord {

/// The commit that this binary was built from, or `unknown`.
extern const std::string_view build_commit;

}  // namespace connectord
