#pragma once

#include "domain/ids.hpp"
#include "storage/session.hpp"

/// Each call deletes at most `limit` rows and answers how many, so that no transaction lasts long;
/// call again while it answers `limit`.
namespace connectord::storage {

/// Received before `before`, except what still waits to be processed.
result<std::int64_t> purge_deliveries(session& s, tenant_id tenant, timestamp before, int limit);
/// Expired ones.
result<std::int64_t> purge_delivery_keys(session& s, tenant_id tenant, timestamp now, int limit);
/// Finished before `before`.
result<std::int64_t> purge_jobs(session& s, tenant_id tenant, timestamp before, int limit);
/// Both occurred and received before `before`.
result<std::int64_t> purge_signals(session& s, tenant_id tenant, timestamp before, int limit);

/// Signals that nobody scored, having occurred before `before`: they stay, as what they are.
result<std::int64_t> purge_unscored(session& s, tenant_id tenant, timestamp before, int limit);

/// Of all tenants: expired ones.
result<std::int64_t> purge_idempotency(session& s, timestamp now, int limit);
/// Of all tenants: states that expired before `before`.
result<std::int64_t> purge_oauth_states(session& s, timestamp before, int limit);
/// Of all tenants: intents that ended and began before `before`.
result<std::int64_t> purge_refresh_intents(session& s, timestamp before, int limit);
/// Of all tenants: previous refresh tokens whose time is over.
result<std::int64_t> purge_previous_refresh(session& s, timestamp now, int limit);
result<std::int64_t> purge_unrouted(session& s, timestamp before, int limit);

}  // namespace connectord::storage
