#pragma once

#include "actors/protocol/message.hpp"
#include "domain/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace connectord {

/// One row of the live supervision tree.
struct actor_view {
  std::string id, kind;
  std::optional<tenant_id> tenant;
  std::optional<std::string> parent;
  std::string_view state;  ///< running, idle, restarting, suspended, stopped
  std::int64_t mailbox_depth = 0;
  std::uint64_t processed = 0, restarts = 0;
  std::optional<std::string> last_error;
  timestamp since{};
};

struct read_tree : message {
  std::optional<tenant_id> tenant;
  std::optional<std::string> kind;
  std::string after;  ///< id of the last row of the page before
  int limit = 50;
};
struct actor_tree : message {
  std::vector<actor_view> rows;  ///< by id
  bool more = false;
};

using ops_actor = typed_actor<replies<read_tree, actor_tree>>;

}  // namespace connectord
