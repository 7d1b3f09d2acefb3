#pragma once

#include "domain/ids.hpp"
#include "domain/tracker/bind.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace connectord::storage {

/// What a candidate token lets its holder bind, once.
struct stored_candidate {
  std::string token_sha256;  ///< hex
  tracker::place at;
  std::optional<tracker::binding_id> binding;  ///< whose resource it was when the token was made
};

/// Forgets those that have expired, too.
result<> insert_candidates(session& s, tenant_id tenant, std::span<const stored_candidate> rows,
                           timestamp expires_at, timestamp now);
/// Takes it out of the store: of several callers one gets it. Nothing for one that is unknown, expired, used
/// or of another provider; that of another provider stays.
result<std::optional<stored_candidate>> consume_candidate(session& s, tenant_id tenant,
                                                          tracker::provider provider,
                                                          std::string_view token_sha256, timestamp now);

}  // namespace connectord::storage
