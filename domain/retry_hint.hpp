#pragma once

#include "base/time.hpp"
#include "domain/http.hpp"

#include <optional>
#include <string_view>

namespace connectord {

/// Longest pause that a provider can ask for.
inline constexpr seconds longest_hint{86'400};

/// "Sun, 06 Nov 1994 08:49:37 GMT", the form that RFC 9110 prescribes.
std::optional<timestamp> parse_http_date(std::string_view text);

/// The pause that `Retry-After` asks for, as seconds or as a date; none for one that is over.
std::optional<seconds> retry_after(const http_response& answer, timestamp now);

/// From now to then in whole seconds, rounded up; at most `longest_hint`.
std::optional<seconds> pause_until(timestamp then, timestamp now);

}  // namespace connectord
