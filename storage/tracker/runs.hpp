#pragma once

#include "domain/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <vector>

namespace connectord::storage {

result<> insert_run(session& s, tenant_id tenant, const tracker::sync_run& run);
/// Newest first, of one binding.
result<std::vector<tracker::sync_run>> list_runs(session& s, tenant_id tenant, tracker::binding_id binding,
                                                 const std::optional<sort_key>& after, int limit);

}  // namespace connectord::storage
