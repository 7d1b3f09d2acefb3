#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord {

using form_fields = std::vector<std::pair<std::string, std::string>>;

/// All but the unreserved characters of RFC 3986 as %XX: fits a query, a form and a path segment.
std::string percent_encoded(std::string_view text);
/// `a=1&b=2`, for a query or an application/x-www-form-urlencoded body.
std::string form_encoded(const form_fields& fields);
/// In the order of the text; nothing when an escape is broken. `+` is a space.
std::optional<form_fields> form_decoded(std::string_view text);

}  // namespace connectord
