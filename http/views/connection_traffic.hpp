#pragma once

#include "domain/connection.hpp"
#include "domain/traffic.hpp"
#include "http/views/page.hpp"

#include <memory>

/// The last 24 hours of a connection.
namespace connectord::web {

using shown_traffic = result<std::shared_ptr<const day_of_traffic>>;

/// FORBIDDEN for whoever may not see deliveries and jobs.
asio::awaitable<shown_traffic> traffic_for(app& a, request& r, const visitor& v, const connection& c);
/// Fills the slot TRAFFIC: bars by the clock hour, and their numbers as a table.
void put_traffic(fields f, const request& r, const shown_traffic& found);

}  // namespace connectord::web
