#pragma once

#include "domain/queries.hpp"
#include "domain/tracker/gate.hpp"
#include "storage/session.hpp"

#include <optional>
#include <vector>

namespace connectord::storage {

result<> insert_gate(session& s, const tracker::gate& g);
/// With its deliveries; false when there is none of that id.
result<bool> delete_gate(session& s, tenant_id tenant, tracker::gate_id id);

/// Whoever's it is.
result<std::optional<tracker::gate>> find_gate(session& s, tracker::gate_id id);
result<std::optional<tracker::gate>> find_gate(session& s, tenant_id tenant, tracker::gate_id id);
/// Oldest first; the key is {created_at, id}.
result<std::vector<tracker::gate>> list_gates(session& s, tenant_id tenant, const keyset& at, int limit);

/// False when it is known already.
result<bool> insert_gate_delivery(session& s, const tracker::gate& g, std::string_view delivery,
                                  timestamp now);

}  // namespace connectord::storage
