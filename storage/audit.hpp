#pragma once

#include "domain/ids.hpp"
#include "storage/session.hpp"

#include <string>

namespace connectord::storage {

/// Who did what to which object, written in the transaction of the change. No values, no secrets.
struct audit_entry {
  timestamp at{};
  std::string actor, action, object, outcome;
  std::optional<std::string> trace_id;
};

result<> append_audit(session& s, tenant_id tenant, const audit_entry& e);

}  // namespace connectord::storage
