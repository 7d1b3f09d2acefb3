#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace connectord::web {

/// The plain text of a gzip body, of one member or several. Memory is bounded by `limit`, whatever the
/// ratio: PAYLOAD_TOO_LARGE at the first byte beyond it. INVALID_BODY for what is not gzip to its end.
result<std::string> gunzip(std::string_view packed, std::size_t limit);

}  // namespace connectord::web
