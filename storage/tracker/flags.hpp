#pragma once

#include "domain/ids.hpp"
#include "domain/tracker/model.hpp"
#include "storage/session.hpp"

namespace connectord::storage {

/// A flag of a team; where none is stored it has `fallback`.
result<tracker::feature_flag> find_flag(session& s, tenant_id tenant, std::string_view key, bool fallback);
result<> put_flag(session& s, tenant_id tenant, const tracker::feature_flag& flag);

result<bool> tracker_on(session& s, tenant_id tenant, bool fallback);

}  // namespace connectord::storage
