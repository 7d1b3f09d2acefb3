#pragma once

#include "actors/protocol/ops.hpp"
#include "actors/spawn.hpp"

namespace connectord {

/// Shows the tree to operators. First born and last to die; holds no state of its own.
ops_actor spawn_ops(cradle where);

}  // namespace connectord
