#pragma once

#include "domain/oauth/state.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string_view>

namespace connectord::storage {

result<> insert_oauth_state(session& s, const oauth::state& state);

struct consumed_state {
  oauth::state_verdict verdict = oauth::state_verdict::unknown;
  std::optional<oauth::state> row;  ///< present exactly when the verdict is `valid`
};
/// One statement decides: of several callers at most one gets `valid`. A state of another provider is
/// `unknown` and stays as it is.
result<consumed_state> consume_oauth_state(session& s, std::string_view sha256, std::string_view provider,
                                           timestamp now);

}  // namespace connectord::storage
