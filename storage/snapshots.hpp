#pragma once

#include "domain/ids.hpp"
#include "storage/session.hpp"

#include <string>

namespace connectord::storage {

/// A checkpoint of a tenant's rows at one revision; every snapshot may be deleted at any time.
struct stored_snapshot {
  std::int64_t revision = 0;
  int version = 0;
  std::string checksum;
  std::string body;
  timestamp created_at{};
};

/// Keeps the last two.
result<> save_snapshot(session& s, tenant_id tenant, const stored_snapshot& snapshot);
/// The one with the highest revision.
result<std::optional<stored_snapshot>> load_snapshot(session& s, tenant_id tenant);

}  // namespace connectord::storage
