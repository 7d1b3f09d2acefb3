#pragma once

#include "domain/tracker/model.hpp"
#include "http/views/page.hpp"

/// Rows of the feed, of whatever kind, wherever a page shows some.
namespace connectord::web {

/// What the flag gates is not even named while it is off, so the row of its change is not shown either.
bool shows(const visitor& v, const tracker::activity& row);
/// Fills a slot with one row of a table; once more for each call.
void put_activity(fields f, std::string_view slot, const tracker::activity& row, timestamp now);

}  // namespace connectord::web
