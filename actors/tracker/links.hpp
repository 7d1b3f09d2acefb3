#pragma once

#include "actors/protocol/tracker.hpp"
#include "actors/tracker/evaluate.hpp"

/// Links made and changed by hand (contract tracker-api, 3.4).
namespace connectord::tracker {

/// BINDING_NOT_FOUND, MAPPING_EXISTS.
result<link_view> create(change& c, const create_link& asked);
/// NOT_FOUND, MAPPING_EXISTS.
result<link_view> patch(change& c, const patch_link& asked);
result<> remove(change& c, const delete_link& asked);

}  // namespace connectord::tracker
