#include "storage/tenants.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

#define TENANT_COLUMNS "id, slug, name, status, metadata, created_at, updated_at"
#define TOKEN_COLUMNS "tenant_id, id, name, scopes, prefix, created_at, expires_at, last_used_at, revoked_at"

tenant read_tenant(const row& r) {
  return {.id = read_id<tenant_id>(r, 0),
          .slug = r.maybe_str(1),
          .name = r.str(2),
          .status = read_name<tenant_status>(r, 3),
          .metadata = r.str(4),
          .created_at = r.time(5),
          .updated_at = r.time(6)};
}

tenant_token read_token(const row& r) {
  return {.id = read_id<token_id>(r, 1),
          .tenant = read_id<tenant_id>(r, 0),
          .name = r.str(2),
          .scopes = decode_texts(r.text(3)),
          .prefix = r.str(4),
          .created_at = r.time(5),
          .expires_at = r.maybe_time(6),
          .last_used_at = r.maybe_time(7),
          .revoked_at = r.maybe_time(8)};
}

error naming_the_field(error e) {
  if (e.code() != errc::conflict) return e;
  const auto* constraint = e.details().if_contains("constraint");
  return std::move(e).with("field", constraint && *constraint == "slug" ? "slug" : "id");
}

}  // namespace

result<> insert_tenant(session& s, const tenant& t) {
  const auto done = s.execute(
      "INSERT INTO tenants (id, slug, name, status, metadata, created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {t.id, t.slug, t.name, text_of(t.status), t.metadata, t.created_at, t.updated_at});
  if (!done) return naming_the_field(done.error());
  return {};
}

result<std::optional<tenant>> find_tenant(session& s, tenant_id id) {
  return find_one(s, "SELECT " TENANT_COLUMNS " FROM tenants WHERE id = $1", {id}, read_tenant);
}

result<std::optional<tenant>> find_tenant_by_slug(session& s, std::string_view slug) {
  return find_one(s, "SELECT " TENANT_COLUMNS " FROM tenants WHERE slug = $1", {slug}, read_tenant);
}

result<bool> update_tenant(session& s, const tenant& t) {
  const auto done =
      s.execute("UPDATE tenants SET slug = $2, name = $3, metadata = $4, updated_at = $5 WHERE id = $1",
                {t.id, t.slug, t.name, t.metadata, t.updated_at});
  if (!done) return naming_the_field(done.error());
  return *done > 0;
}

result<bool> delete_tenant(session& s, tenant_id id) {
  // The large tables first: a cascade through the connections would look each of them up in there.
  // Idempotency keys have no tenant column, their scope begins with the tenant.
  for (const auto sql :
       {"DELETE FROM signals WHERE tenant_id = $1", "DELETE FROM deliveries WHERE tenant_id = $1",
        "DELETE FROM sync_jobs WHERE tenant_id = $1", "DELETE FROM activity WHERE tenant_id = $1",
        "DELETE FROM client_events WHERE tenant_id = $1", "DELETE FROM work_packages WHERE tenant_id = $1",
        "DELETE FROM idempotency_keys WHERE scope >= $1 AND scope < $1 || '~'"})
    if (const auto done = s.execute(sql, {id}); !done) return done.error();
  return any(s.execute("DELETE FROM tenants WHERE id = $1", {id}));
}

result<std::vector<tenant>> list_tenants(session& s, const tenant_filter& filter,
                                         const std::optional<position>& after, int limit) {
  select q{"SELECT " TENANT_COLUMNS " FROM tenants WHERE 1 = 1"};
  q.with_any(" AND slug = ", filter.slug).with_any(" AND status = ", text_of(filter.status));
  if (after) q.with(" AND (created_at, id) > (", after->sort).with(", ", after->id).raw(")");
  return all_of(s, q.raw(" ORDER BY created_at, id").with(" LIMIT ", limit), read_tenant);
}

result<std::optional<claim>> claim_tenant(session& s, tenant_id id) {
  return find_one(s,
                  "UPDATE tenants SET epoch = epoch + 1 WHERE id = $1"
                  " RETURNING " TENANT_COLUMNS ", epoch, revision",
                  {id}, [](const row& r) {
                    return claim{.row = read_tenant(r), .epoch = r.integer(7), .revision = r.integer(8)};
                  });
}

result<> provision_tenant(session& s, tenant_id id, timestamp now) {
  return done(
      s.execute("INSERT INTO tenants (id, name, status, metadata, created_at, updated_at)"
                " VALUES ($1, $1, 'active', '{}', $2, $2) ON CONFLICT (id) DO NOTHING",
                {id, now}));
}

result<> fence(session& s, tenant_id id, std::int64_t epoch) {
  bool ours = false;
  const auto asked = s.query("SELECT 1 FROM tenants WHERE id = $1 AND epoch = $2 FOR NO KEY UPDATE",
                             {id, epoch}, [&](const row&) { ours = true; });
  if (!asked) return asked.error();
  if (!ours) return error{errc::stale_epoch};
  return {};
}

result<std::int64_t> advance(session& s, tenant_id id, std::int64_t epoch) {
  const auto revision = find_one(
      s, "UPDATE tenants SET revision = revision + 1 WHERE id = $1 AND epoch = $2 RETURNING revision",
      {id, epoch}, [](const row& r) { return r.integer(0); });
  if (!revision) return revision.error();
  if (!*revision) return error{errc::stale_epoch};
  return **revision;
}

result<std::optional<std::int64_t>> find_epoch(session& s, tenant_id id) {
  return find_one(s, "SELECT epoch FROM tenants WHERE id = $1", {id},
                  [](const row& r) { return r.integer(0); });
}

result<> lock_tenant(session& s, tenant_id id) {
  return s.query("SELECT 1 FROM tenants WHERE id = $1 FOR NO KEY UPDATE", {id}, {});
}

result<bool> set_tenant_status(session& s, tenant_id id, tenant_status status, timestamp now) {
  return any(
      s.execute("UPDATE tenants SET status = $2, updated_at = $3, epoch = epoch + 1"
                " WHERE id = $1 AND status <> $2",
                {id, text_of(status), now}));
}

result<> insert_token(session& s, const tenant_token& t, std::string_view secret_sha256) {
  return done(s.execute(
      "INSERT INTO tenant_tokens (tenant_id, id, name, scopes, secret_sha256, prefix, created_at, expires_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {t.tenant, t.id, t.name, encode_texts(t.scopes), secret_sha256, t.prefix, t.created_at, t.expires_at}));
}

result<std::vector<tenant_token>> list_tokens(session& s, tenant_id tenant) {
  return all_of(s,
                select{"SELECT " TOKEN_COLUMNS " FROM tenant_tokens"}
                    .with(" WHERE tenant_id = ", tenant)
                    .raw(" ORDER BY created_at, id"),
                read_token);
}

result<bool> revoke_token(session& s, tenant_id tenant, token_id id, timestamp now) {
  return any(s.execute(
      "UPDATE tenant_tokens SET revoked_at = COALESCE(revoked_at, $3) WHERE tenant_id = $1 AND id = $2",
      {tenant, id, now}));
}

result<std::optional<tenant_token>> find_token(session& s, std::string_view secret_sha256) {
  return find_one(s, "SELECT " TOKEN_COLUMNS " FROM tenant_tokens WHERE secret_sha256 = $1", {secret_sha256},
                  read_token);
}

result<> touch_token(session& s, tenant_id tenant, token_id id, timestamp now) {
  return done(s.execute("UPDATE tenant_tokens SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2",
                        {tenant, id, now}));
}

}  // namespace connectord::storage
