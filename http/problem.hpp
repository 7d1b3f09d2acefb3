#pragma once

#include "base/error.hpp"
#include "http/response.hpp"

namespace connectord::web {

/// The one way in which an error becomes an answer (contract, 2.1).
response problem(const error& e, std::string_view trace_id);

}  // namespace connectord::web
