#pragma once

#include "http/router.hpp"

#include <string>
#include <string_view>

namespace connectord::web {

/// The OpenAPI 3.1 document of a route table; component schemas are the assets schemas.json
/// and *.schemas.json.
std::string openapi_document(const router& routes, std::string_view version);

}  // namespace connectord::web
