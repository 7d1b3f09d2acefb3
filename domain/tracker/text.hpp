#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text as the tracker compares and shows it. White space and letter case mean ASCII's.
namespace connectord::tracker {

/// Titles are equal when these are: trimmed, runs of white space made one space.
std::string collapsed(std::string_view text);
std::string lower_ascii(std::string_view text);
/// Equal after trimming, in any letter case, without making a copy.
bool same_name(std::string_view a, std::string_view b);
/// At most `limit` code points; what is cut off leaves an ellipsis, which counts.
std::string shortened(std::string_view text, std::size_t limit = 300);

}  // namespace connectord::tracker
