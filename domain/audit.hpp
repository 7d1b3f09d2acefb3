#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <optional>
#include <string>

/// Who did what, as the audit log tells it.
namespace connectord {

struct audit_filter {
  std::optional<connection_id> connection;
};

struct audit_row {
  std::string id;
  timestamp at{};
  std::string actor;   ///< "operator", "token:<id>", "session:<name>" or "webhook"
  std::string action;  ///< "connection.create"
  std::string trace_id;
};

}  // namespace connectord
