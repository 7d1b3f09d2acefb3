#pragma once

#include "domain/connection.hpp"
#include "storage/session.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// Revoked ones too, with their identities, by `created_at`, then id.
result<std::vector<connection>> load_connections(session& s, tenant_id tenant);
result<std::optional<connection>> find_connection(session& s, tenant_id tenant, connection_id id);

/// Without its identities. CONFLICT when the tenant has this (provider, external_id).
result<> insert_connection(session& s, tenant_id tenant, const connection& c);
/// All but id, provider, external_id, `created_at`, the identities and the tokens: whoever changes something
/// else may have read the row before a refresh. NOT_FOUND when it is not there.
result<> update_connection(session& s, tenant_id tenant, const connection& c);
/// Access and refresh token, expiry and scopes after a consent or a revocation. `c` gets the next epoch, so
/// that a refresh that is under way loses. NOT_FOUND when it is not there.
result<> replace_tokens(session& s, tenant_id tenant, connection& c);
/// The access token of that epoch worked.
result<> forget_previous_refresh(session& s, tenant_id tenant, connection_id id, std::int64_t epoch);
/// Writes the identities that the connection has now in place of those that it had.
result<> replace_identities(session& s, tenant_id tenant, const connection& c);

struct owner {
  tenant_id tenant;
  connection_id connection;

  friend auto operator<=>(const owner&, const owner&) = default;
};
/// Over all tenants: each connection, not revoked, that answers to one of the identities, once.
result<std::vector<owner>> owners_of(session& s, std::string_view provider,
                                     std::span<const identity> identities);

}  // namespace connectord::storage
