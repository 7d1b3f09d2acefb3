#pragma once

#include "base/strong_id.hpp"

namespace connectord {

using tenant_id = strong_id<struct tenant_tag>;
using token_id = strong_id<struct token_tag>;
using connection_id = strong_id<struct connection_tag>;
using delivery_id = strong_id<struct delivery_tag>;
using receipt_id = strong_id<struct receipt_tag>;
using signal_id = strong_id<struct signal_tag>;
using job_id = strong_id<struct job_tag>;
using unrouted_id = strong_id<struct unrouted_tag>;
using state_id = strong_id<struct state_tag>;
using grounded_id = strong_id<struct grounded_tag>;
using intent_id = strong_id<struct intent_tag>;

}  // namespace connectord
