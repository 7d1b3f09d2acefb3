#pragma once

#include "domain/tracker/records.hpp"
#include "http/app.hpp"
#include "http/views/view.hpp"

#include <vector>

namespace connectord::web {

/// Fills binding_rows.html: how each binding is, and why.
void put_binding_rows(fields f, const app& a, const std::vector<tracker::binding_view>& rows, timestamp now);

}  // namespace connectord::web
