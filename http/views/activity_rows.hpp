#pragma once

#include "domain/tracker/model.hpp"
#include "http/team.hpp"
#include "http/views/page.hpp"

/// Rows of the feed, of whatever kind, wherever a page shows some.
namespace connectord::web {

/// What the flag gates is not even named while it is off, so the row of its change is not shown either.
bool shows(const visitor& v, const tracker::activity& row);
/// Fills a slot with one row of a table; once more for each call.
void put_activity(fields f, std::string_view slot, const tracker::activity& row, timestamp now);

/// The newest rows of a project, or of one of its work packages.
struct recent_rows {
  result<std::shared_ptr<const list_activity::answer>> rows;
  std::string feed_url;  ///< where all of them are
};
asio::awaitable<recent_rows> recent_activity(app& a, request& r, const visitor& v, const uuid& project,
                                             std::string_view wp_id = {});
/// Fills recent_activity.html.
void put_recent(fields f, const visitor& v, const recent_rows& recent, const request& r);

}  // namespace connectord::web
