#pragma once

#include "base/time.hpp"

#include <string>

namespace connectord::provider {

/// A signal without its tenant, connection and row id.
struct draft_signal {
  std::string kind, entity, entity_version;
  timestamp occurred_at{};
  std::string payload;  ///< a JSON object, as text
  std::string dedupe_key;
};

}  // namespace connectord::provider
