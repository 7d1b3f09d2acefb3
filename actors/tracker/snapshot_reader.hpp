#pragma once

#include "actors/protocol/tracker.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

namespace connectord {

/// Reads bodies on a thread of its own, one at a time, so that megabytes of JSON hold up neither the io
/// thread nor a transaction, and never more than one of them is taken apart in memory.
snapshot_reader_actor spawn_snapshot_reader(cradle where, services_ptr s);

}  // namespace connectord
