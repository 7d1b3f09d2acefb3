#pragma once

#include <string>
#include <string_view>

namespace connectord {

/// `prefix` and 26 characters of Crockford's base32 (upper case): 130 random bits, so
/// that nobody guesses one and none is given out twice.
std::string crockford_id(std::string_view prefix);

}  // namespace connectord
