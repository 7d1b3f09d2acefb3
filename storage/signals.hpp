#pragma once

#include "domain/queries.hpp"
#include "domain/signal.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <vector>

namespace connectord::storage {

struct stored_signal {
  signal_id id;
  bool inserted = false;
};
/// For each, the id of the signal that the tenant has under this provider and dedupe key: its own,
/// or that of the one that was first, be it in this call.
result<std::vector<stored_signal>> insert_signals(session& s, tenant_id tenant,
                                                  std::span<const signal* const> signals);
result<stored_signal> insert_signal(session& s, tenant_id tenant, const signal& signal);
/// Of versions that a poll has told of before a delivery does: the poll saw only that something changed, the
/// delivery knows what, so the poll's signal becomes the delivery's, id and place kept.
result<> adopt_polled(session& s, tenant_id tenant, std::span<const signal* const> delivered);
/// Whether any signal of the tenant and provider tells of this version.
result<bool> knows_version(session& s, tenant_id tenant, std::string_view provider, std::string_view entity,
                           std::string_view version);
result<std::optional<signal>> find_signal(session& s, tenant_id tenant, signal_id id);

/// Newest first. Only what a list shows, and what is asked for: no versions and no keys.
result<std::vector<signal>> list_signals(session& s, tenant_id tenant, const signal_filter& filter,
                                         const std::optional<position>& after, int limit, signal_extra with);

}  // namespace connectord::storage
