#pragma once

#include "actors/protocol/tenant.hpp"
#include "actors/protocol/work.hpp"

namespace connectord {

/// Answered by a shared_discovery, on the tenant's behalf. All who ask while one is under way share it.
struct discover : message {
  discover(connection c, token_keeper_actor k, bool again)
      : row(std::move(c)), keeper(std::move(k)), afresh(again) {}
  connection row;
  token_keeper_actor keeper;
  bool afresh;
};
using discovery_actor = typed_actor<replies<discover, tenant_outcome>>;  // One a connection.

}  // namespace connectord
