#pragma once

#include "domain/queries.hpp"
#include "domain/tenant.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// CONFLICT with `details.field` = "id" or "slug". So does `update_tenant` for the slug.
result<> insert_tenant(session& s, const tenant& t);
result<std::optional<tenant>> find_tenant(session& s, tenant_id id);
result<std::optional<tenant>> find_tenant_by_slug(session& s, std::string_view slug);
/// Name, slug, metadata and the time of change. False when there is no such tenant.
result<bool> update_tenant(session& s, const tenant& t);
/// With every row that it owns. False when there was no such tenant.
result<bool> delete_tenant(session& s, tenant_id id);

/// By `created_at`, then id.
result<std::vector<tenant>> list_tenants(session& s, const tenant_filter& filter,
                                         const std::optional<position>& after, int limit);

/// The right to write for a tenant, until somebody claims it again.
struct claim {
  tenant row;
  std::int64_t epoch = 0, revision = 0;
};
/// Takes the next epoch; nothing when there is no such tenant.
result<std::optional<claim>> claim_tenant(session& s, tenant_id id);
/// Makes the tenant, with its id for a name, when it is not there.
result<> provision_tenant(session& s, tenant_id id, timestamp now);

/// STALE_EPOCH when the tenant was claimed by somebody else, or is gone. Holds until the transaction
/// ends: nobody can claim the tenant in between.
result<> fence(session& s, tenant_id id, std::int64_t epoch);
/// Fences, and answers the next revision of the tenant's rows.
result<std::int64_t> advance(session& s, tenant_id id, std::int64_t epoch);

/// Who may write, now: the epoch of the last claim. Nothing when there is no such tenant.
result<std::optional<std::int64_t>> find_epoch(session& s, tenant_id id);

/// Holds off whoever else writes for the tenant, until the transaction ends.
result<> lock_tenant(session& s, tenant_id id);

/// Takes the next epoch as well: whoever knows the tenant as it was looks at it anew before the next write.
/// False when nothing had to change, or there is no such tenant.
result<bool> set_tenant_status(session& s, tenant_id id, tenant_status status, timestamp now);

/// `secret_sha256` is hex; the secret itself is never stored.
result<> insert_token(session& s, const tenant_token& t, std::string_view secret_sha256);
result<std::vector<tenant_token>> list_tokens(session& s, tenant_id tenant);
/// False when the tenant has no such token. Revoking twice keeps the first time.
result<bool> revoke_token(session& s, tenant_id tenant, token_id id, timestamp now);
/// Revoked and expired ones too: the caller judges.
result<std::optional<tenant_token>> find_token(session& s, std::string_view secret_sha256);
result<> touch_token(session& s, tenant_id tenant, token_id id, timestamp now);

}  // namespace connectord::storage
