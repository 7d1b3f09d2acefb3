#pragma once

#include "base/result.hpp"
#include "http/response.hpp"

#include <string_view>

namespace connectord::web {

/// The viewer at /docs; it loads its parts from /docs/{asset} and the document from /openapi.json.
response docs_page();
/// NOT_FOUND for what is no part of the viewer.
result<response> docs_asset(std::string_view name);

}  // namespace connectord::web
