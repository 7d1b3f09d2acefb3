#pragma once

#include "actors/plan.hpp"
#include "actors/protocol/registry.hpp"
#include "storage/audit.hpp"

/// What callers leave in the audit log: one row a change, in its transaction. Reads, refusals and
/// answers given once more leave none.
namespace connectord {

using audit_trail = std::optional<storage::audit_entry>;

storage::audit_entry audited(const request_meta& by, std::optional<tenant_id> t, timestamp at,
                             std::string_view action, std::string object);

/// Of a command whose plan is work. A delivery leaves none, for its own row is the history; but one
/// that ends a connection changes that row too.
audit_trail trail_of(const tenant_command& c, const plan& p, const tenant_id& t);
/// Of a request that was answered.
audit_trail trail_of(const registry_command& c, const job_value& answer);

}  // namespace connectord
