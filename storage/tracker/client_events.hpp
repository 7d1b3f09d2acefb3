#pragma once

#include "domain/ids.hpp"
#include "domain/tracker/model.hpp"
#include "storage/session.hpp"

namespace connectord::storage {

struct client_event_row {
  std::string key;
  tracker::project_id project;
  timestamp received_at{};
  std::string_view envelope;  ///< JSON text
};
/// False when the tenant has it already.
result<bool> insert_client_event(session& s, tenant_id tenant, const client_event_row& e);

}  // namespace connectord::storage
