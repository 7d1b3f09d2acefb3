#pragma once

#include "base/error.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace connectord::web {

/// Why a request was turned away before any work was done, for the metrics; empty for errors of the work.
std::string_view rejection_of(errc code) noexcept;

/// The one way in which an error becomes an answer, in the dialect of the path that was asked.
response problem(const error& e, const request& r);
/// As the connectors' paths say it (connectors-api, 2.1).
response problem(const error& e, std::string_view trace_id);

}  // namespace connectord::web
