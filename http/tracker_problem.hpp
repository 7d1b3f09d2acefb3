#pragma once

#include "base/error.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

#include <optional>

namespace connectord::web {

/// The superset body that every path of the tracker's contract answers errors with (tracker-api, 1.3).
/// What is invalid stands in `details.errors`: as the error brings it, or one entry for each detail.
response tracker_problem(const error& e, const request& r);

/// The header Idempotency-Key, when it was sent once and is 1 to 255 characters 0x21 to 0x7E.
std::optional<std::string_view> well_formed_key(const request& r) noexcept;

}  // namespace connectord::web
