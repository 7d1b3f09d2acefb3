#pragma once

#include "domain/grounded_signal.hpp"
#include "storage/session.hpp"

namespace connectord::storage {

/// The defaults when the tenant has none of its own.
result<signal_config> find_signal_config(session& s, tenant_id tenant);
/// Replaces the whole of it.
result<> put_signal_config(session& s, tenant_id tenant, const signal_config& c, timestamp now);

}  // namespace connectord::storage
