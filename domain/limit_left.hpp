#pragma once

#include "domain/http.hpp"

#include <cstdint>
#include <optional>

namespace connectord {

/// Calls that a provider still takes from the caller, and of how many.
struct limit_left {
  std::int64_t left = 0, of = 1;

  double share() const { return static_cast<double>(left) / static_cast<double>(of); }  ///< 0 to 1
  friend bool operator==(const limit_left&, const limit_left&) = default;
};

/// What an answer says of that: `…ratelimit…-remaining` beside `…ratelimit…-limit`, as nearly everybody
/// writes them. The scarcest where there are several; nothing without such headers.
std::optional<limit_left> limit_left_of(const header_list& headers);

}  // namespace connectord
