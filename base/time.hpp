#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connectord {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// UTC, milliseconds: the resolution of the store.
using timestamp = std::chrono::sys_time<milliseconds>;
using steady_time = std::chrono::steady_clock::time_point;

/// The only reader of the wall clock. `domain` never calls it: there, time is an argument.
timestamp now_utc();

constexpr std::int64_t to_millis(timestamp t) { return t.time_since_epoch().count(); }
constexpr timestamp from_millis(std::int64_t ms) { return timestamp{milliseconds{ms}}; }

/// "2025-01-02T03:04:05Z", with ".678" only when the milliseconds are not zero.
std::string to_rfc3339(timestamp t);
/// Without a fraction, always: "2025-01-02T03:04:05Z".
std::string to_rfc3339_seconds(timestamp t);

/// RFC 3339 with any offset. Lenient in two points: a space where a query lost its `+`, and an
/// offset without colon (+0000). Digits beyond milliseconds are cut off.
std::optional<timestamp> parse_rfc3339(std::string_view text);

}  // namespace connectord
