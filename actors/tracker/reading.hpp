#pragma once

#include "actors/protocol/tracker.hpp"

namespace connectord::tracker {

/// Reads a body, marks its issues and packs it: all that can be done before the transaction.
body_read::reading read_snapshot(const snapshot_bytes& bytes, std::string raw_sha256, const policy& limits);

}  // namespace connectord::tracker
