#pragma once

#include "domain/audit.hpp"
#include "domain/queries.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace connectord::storage {

/// Who did what to which object, written in the transaction of the change. No values, no secrets.
struct audit_entry {
  std::optional<tenant_id> tenant;  ///< none for what concerns several, and for the end of one
  timestamp at{};
  std::string actor;   ///< as audit_row has it
  std::string action;  ///< "connection.create"
  std::string object;  ///< the id of the row that changed
  std::string trace_id;
};

result<> append_audit(session& s, const audit_entry& e);

/// The latest first.
result<std::vector<audit_row>> list_audit(session& s, tenant_id tenant, const audit_filter& filter,
                                          const std::optional<position>& after, int limit);

}  // namespace connectord::storage
