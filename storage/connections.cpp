#include "storage/connections.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

#include <unordered_map>

namespace connectord::storage {
namespace {

#define CONNECTION_COLUMNS                                                             \
  "id, provider, external_id, display_name, status, status_reason, access_ciphertext," \
  " refresh_ciphertext, token_epoch, expires_at, scopes, metadata, webhook_secret,"    \
  " previous_webhook_secret, previous_webhook_secret_valid_until, next_run_at,"        \
  " created_at, updated_at, previous_refresh_ciphertext, previous_refresh_valid_until"

connection read_connection(const row& r) {
  connection c{.id = read_id<connection_id>(r, 0),
               .provider = r.str(1),
               .external_id = r.str(2),
               .display_name = r.maybe_str(3),
               .status = read_name<connection_status>(r, 4),
               .status_reason = r.maybe_str(5),
               .access_ciphertext = r.maybe_bytes(6),
               .refresh_ciphertext = r.maybe_bytes(7),
               .previous_refresh{},
               .token_epoch = r.integer(8),
               .expires_at = r.maybe_time(9),
               .scopes = decode_texts(r.text(10)),
               .metadata = r.str(11),
               .webhook_secret{},
               .previous_webhook_secret{},
               .identities{},
               .next_run_at = r.maybe_time(15),
               .created_at = r.time(16),
               .updated_at = r.time(17)};
  if (auto sealed = r.maybe_bytes(12)) c.webhook_secret = sealed_secret{std::move(*sealed), {}};
  if (auto sealed = r.maybe_bytes(13))
    c.previous_webhook_secret = sealed_secret{std::move(*sealed), r.maybe_time(14)};
  if (auto sealed = r.maybe_bytes(18))
    c.previous_refresh = sealed_secret{std::move(*sealed), r.maybe_time(19)};
  return c;
}

std::optional<blob> bytes_of_secret(const std::optional<sealed_secret>& secret) {
  return secret ? std::optional{blob{secret->ciphertext}} : std::nullopt;
}
std::optional<timestamp> end_of(const std::optional<sealed_secret>& secret) {
  return secret ? secret->valid_until : std::nullopt;
}

}  // namespace

result<std::vector<connection>> load_connections(session& s, tenant_id tenant) {
  auto found = all_of(s,
                      select{"SELECT " CONNECTION_COLUMNS " FROM connections"}
                          .with(" WHERE tenant_id = ", tenant)
                          .raw(" ORDER BY created_at, id"),
                      read_connection);
  if (!found) return found;
  std::unordered_map<connection_id, connection*> by_id;
  for (auto& c : *found) by_id.emplace(c.id, &c);
  const auto ok = s.query(
      "SELECT connection_id, kind, value FROM connection_identities WHERE tenant_id = $1 ORDER BY kind, "
      "value",
      {tenant}, [&](const row& r) {
        const auto owner = by_id.find(read_id<connection_id>(r, 0));
        if (owner != by_id.end()) owner->second->identities.push_back({r.str(1), r.str(2)});
      });
  if (!ok) return ok.error();
  return found;
}

result<std::optional<connection>> find_connection(session& s, tenant_id tenant, connection_id id) {
  auto found = find_one(s, "SELECT " CONNECTION_COLUMNS " FROM connections WHERE tenant_id = $1 AND id = $2",
                        {tenant, id}, read_connection);
  if (!found || !*found) return found;
  const auto ok = s.query(
      "SELECT kind, value FROM connection_identities WHERE tenant_id = $1 AND connection_id = $2"
      " ORDER BY kind, value",
      {tenant, id}, [&](const row& r) {
        (*found)->identities.push_back({r.str(0), r.str(1)});
      });
  if (!ok) return ok.error();
  return found;
}

result<> insert_connection(session& s, tenant_id tenant, const connection& c) {
  return done(s.execute("INSERT INTO connections (tenant_id, " CONNECTION_COLUMNS
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
                        "$17, $18, $19, $20, $21)",
                        {tenant,
                         c.id,
                         c.provider,
                         c.external_id,
                         c.display_name,
                         text_of(c.status),
                         c.status_reason,
                         maybe_blob(c.access_ciphertext),
                         maybe_blob(c.refresh_ciphertext),
                         c.token_epoch,
                         c.expires_at,
                         encode_texts(c.scopes),
                         c.metadata,
                         bytes_of_secret(c.webhook_secret),
                         bytes_of_secret(c.previous_webhook_secret),
                         end_of(c.previous_webhook_secret),
                         c.next_run_at,
                         c.created_at,
                         c.updated_at,
                         bytes_of_secret(c.previous_refresh),
                         end_of(c.previous_refresh)}));
}

result<> update_connection(session& s, tenant_id tenant, const connection& c) {
  return changed_one(s.execute(
      "UPDATE connections SET display_name = $3, status = $4, status_reason = $5, metadata = $6,"
      " webhook_secret = $7, previous_webhook_secret = $8, previous_webhook_secret_valid_until = $9,"
      " next_run_at = $10, updated_at = $11 WHERE tenant_id = $1 AND id = $2",
      {tenant, c.id, c.display_name, text_of(c.status), c.status_reason, c.metadata,
       bytes_of_secret(c.webhook_secret), bytes_of_secret(c.previous_webhook_secret),
       end_of(c.previous_webhook_secret), c.next_run_at, c.updated_at}));
}

result<> replace_tokens(session& s, tenant_id tenant, connection& c) {
  const auto epoch = find_one(s,
                              "UPDATE connections SET access_ciphertext = $3, refresh_ciphertext = $4,"
                              " previous_refresh_ciphertext = NULL, previous_refresh_valid_until = NULL,"
                              " token_epoch = token_epoch + 1, expires_at = $5, scopes = $6"
                              " WHERE tenant_id = $1 AND id = $2 RETURNING token_epoch",
                              {tenant, c.id, maybe_blob(c.access_ciphertext),
                               maybe_blob(c.refresh_ciphertext), c.expires_at, encode_texts(c.scopes)},
                              [](const row& r) { return r.integer(0); });
  if (!epoch) return epoch.error();
  if (!*epoch) return error{errc::not_found};
  c.token_epoch = **epoch;
  c.previous_refresh.reset();
  return {};
}

result<> forget_previous_refresh(session& s, tenant_id tenant, connection_id id, std::int64_t epoch) {
  return done(s.execute(
      "UPDATE connections SET previous_refresh_ciphertext = NULL, previous_refresh_valid_until = NULL"
      " WHERE tenant_id = $1 AND id = $2 AND token_epoch = $3",
      {tenant, id, epoch}));
}

result<> replace_identities(session& s, tenant_id tenant, const connection& c) {
  const auto gone = s.execute("DELETE FROM connection_identities WHERE tenant_id = $1 AND connection_id = $2",
                              {tenant, c.id});
  if (!gone) return gone.error();
  for (const auto& i : c.identities) {
    const auto written = s.execute(
        "INSERT INTO connection_identities (tenant_id, provider, kind, value, connection_id)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        {tenant, c.provider, i.kind, i.value, c.id});
    if (!written) return written.error();
  }
  return {};
}

result<std::vector<owner>> owners_of(session& s, std::string_view provider,
                                     std::span<const identity> identities) {
  std::vector<owner> owners;
  for (const auto& i : identities) {
    const auto ok = s.query(
        "SELECT i.tenant_id, i.connection_id FROM connection_identities i"
        " JOIN connections c ON c.tenant_id = i.tenant_id AND c.id = i.connection_id"
        " WHERE i.provider = $1 AND i.kind = $2 AND i.value = $3 AND c.status <> 'revoked'",
        {provider, i.kind, i.value}, [&](const row& r) {
          owners.push_back({read_id<tenant_id>(r, 0), read_id<connection_id>(r, 1)});
        });
    if (!ok) return ok.error();
  }
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  return owners;
}

}  // namespace connectord::storage
