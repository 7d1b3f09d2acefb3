#pragma once

#include "domain/http.hpp"

#include <optional>

namespace connectord {

/// What an answer says is left of the caller's limit, from 0 to 1: of `…ratelimit…-remaining` beside
/// `…ratelimit…-limit`, as nearly everybody writes them. The scarcest where there are several; nothing
/// without such headers.
std::optional<double> limit_left(const header_list& headers);

}  // namespace connectord
