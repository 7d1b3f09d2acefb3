#pragma once

#include "storage/session.hpp"

#include <string>
#include <string_view>

namespace connectord::storage {

/// A final answer that a repeated request gets again. The scope of a tenant's request begins with
/// the tenant's id in lower case, so that the answer goes when the tenant does.
struct idempotent_answer {
  std::string scope, key;
  std::string body_sha256;  ///< hex, of the request's canonical JSON
  int status = 200;
  std::string body;
  std::string location;  ///< empty without one
  timestamp expires_at{};
};

/// Nothing when there is none that is still valid.
result<std::optional<idempotent_answer>> find_kept_answer(session& s, std::string_view scope,
                                                          std::string_view key, timestamp now);
/// In the transaction of the effect, so that both exist or neither. IDEMPOTENCY_IN_FLIGHT when
/// another request with this key was faster: roll back, and the repeated request finds its answer.
result<> keep_answer(session& s, const idempotent_answer& a, timestamp now);

}  // namespace connectord::storage
