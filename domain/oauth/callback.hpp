#pragma once

#include "base/form.hpp"
#include "base/result.hpp"
#include "domain/oauth/client.hpp"
#include "domain/oauth/state.hpp"

#include <string>

/// The decisions of a callback (contract, 5.3): first `presented_state`, then the state is consumed in
/// the store, then `decide_callback`. First match wins.
namespace connectord::oauth {

/// The state that came back. NOT_FOUND for a provider that is not registered (null), VALIDATION_FAILED
/// without a state.
result<std::string> presented_state(const provider::definition* d, const form_fields& query);

struct grant {
  std::string code;
  std::string region;  ///< to use in the client; empty when the definition has none
};
/// VALIDATION_FAILED with `details.error_type`; by then the state is spent, so nothing can be tried again.
result<grant> decide_callback(const provider::definition& d, const client& c, const form_fields& query,
                              state_verdict verdict);

}  // namespace connectord::oauth
