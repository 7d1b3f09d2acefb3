#pragma once

#include "domain/ids.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>

namespace connectord::storage {

/// Who did what to which object, written in the transaction of the change. No values, no secrets.
struct audit_entry {
  std::optional<tenant_id> tenant;  ///< none for what concerns several, and for the end of one
  timestamp at{};
  std::string actor;   ///< "operator", "token:<id>" or "webhook"
  std::string action;  ///< "connection.create"
  std::string object;  ///< the id of the row that changed
  std::string trace_id;
};

result<> append_audit(session& s, const audit_entry& e);

}  // namespace connectord::storage
