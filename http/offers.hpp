#pragma once

#include "domain/provider/discovery.hpp"
#include "http/team.hpp"

#include <optional>
#include <string_view>
#include <vector>

/// What a connection's account offers to a tracker's bindings, beside the bindings that there are.
namespace connectord::web {

/// A resource, and the binding that it leads to already; null: none.
struct offer {
  const provider::tracker_resource* what;
  const tracker::binding_view* bound;
};

/// `list` points into the rest. It has what was asked for, by label.
struct offers {
  connection of;
  tracker::provider system{};
  shared_discovery found;
  std::vector<std::shared_ptr<const rows_page<tracker::binding_view>>> bindings;
  std::vector<offer> list;
};

/// The team's connection; NOT_FOUND for any other.
asio::awaitable<result<connection>> find_connection(app& a, request& r);

/// Asks the provider, unless somebody has just done so and `afresh` is not wanted. `search` is a part of
/// label or id, in any letter case; empty: all. Errors as `provider::may_discover` and the actor name them.
asio::awaitable<result<offers>> offers_of(app& a, request& r, connection c, std::string_view search,
                                          bool afresh);

/// Where an offer stands in its list.
sort_key key_of(const offer& o);

}  // namespace connectord::web
