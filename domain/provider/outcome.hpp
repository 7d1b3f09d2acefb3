#pragma once

#include "domain/http.hpp"
#include "domain/provider/evaluate.hpp"

#include <optional>
#include <string>

/// Only for the sources of this folder: what an answer without the wanted content means.
namespace connectord::provider {

/// Why a call brought nothing.
struct call_outcome {
  failure_class what = failure_class::transient;
  std::optional<seconds> hint;  ///< the provider asks for this pause
  std::string message;          ///< nothing of the provider's own text
};

/// Nothing for an answer that is fine. The scene holds the answer, `$status` included.
std::optional<call_outcome> outcome_of(const sync_facts& facts, const http_response& answer, const scene& s,
                                       timestamp now);

}  // namespace connectord::provider
