#include "storage/dashboard.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {

result<> insert_door(session& s, const dashboard_door& d, std::string_view secret_sha256) {
  return done(
      s.execute("INSERT INTO dashboard_doors"
                " (tenant_id, secret_sha256, who, scopes, return_path, session_seconds, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                {d.tenant, secret_sha256, d.who, encode_texts(d.scopes), d.return_path,
                 static_cast<std::int64_t>(d.session.count()), d.expires_at}));
}

result<std::optional<dashboard_door>> take_door(session& s, std::string_view secret_sha256, timestamp now) {
  return find_one(s,
                  "DELETE FROM dashboard_doors WHERE secret_sha256 = $1 AND expires_at > $2"
                  " RETURNING tenant_id, who, scopes, return_path, session_seconds, expires_at",
                  {secret_sha256, now}, [](const row& r) {
                    return dashboard_door{.tenant = read_id<tenant_id>(r, 0),
                                          .who = r.str(1),
                                          .scopes = decode_texts(r.text(2)),
                                          .return_path = r.str(3),
                                          .session = std::chrono::seconds{r.integer(4)},
                                          .expires_at = r.time(5)};
                  });
}

result<> insert_dashboard_session(session& s, const dashboard_session& d, std::string_view secret_sha256) {
  return done(
      s.execute("INSERT INTO dashboard_sessions"
                " (tenant_id, secret_sha256, token_id, who, scopes, created_at, used_at, expires_at)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                {d.tenant, secret_sha256, d.token, d.who, encode_texts(d.scopes), d.created_at, d.used_at,
                 d.expires_at}));
}

result<std::optional<dashboard_session>> find_dashboard_session(session& s, std::string_view secret_sha256,
                                                                timestamp now) {
  auto found = find_one(
      s,
      "SELECT d.tenant_id, d.token_id, d.who, d.scopes, d.created_at, d.used_at, d.expires_at"
      " FROM dashboard_sessions d LEFT JOIN tenant_tokens t ON t.tenant_id = d.tenant_id AND t.id = "
      "d.token_id"
      " WHERE d.secret_sha256 = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)",
      {secret_sha256, now}, [](const row& r) {
        return dashboard_session{.tenant = read_id<tenant_id>(r, 0),
                                 .token = maybe_id<token_id>(r, 1),
                                 .who = r.str(2),
                                 .scopes = decode_texts(r.text(3)),
                                 .created_at = r.time(4),
                                 .used_at = r.time(5),
                                 .expires_at = r.time(6)};
      });
  if (found && *found && (*found)->ended(now)) return std::optional<dashboard_session>{};
  return found;
}

result<> touch_dashboard_session(session& s, std::string_view secret_sha256, timestamp now) {
  return done(
      s.execute("UPDATE dashboard_sessions SET used_at = $2 WHERE secret_sha256 = $1", {secret_sha256, now}));
}

result<> delete_dashboard_session(session& s, std::string_view secret_sha256) {
  return done(s.execute("DELETE FROM dashboard_sessions WHERE secret_sha256 = $1", {secret_sha256}));
}

result<std::int64_t> purge_dashboard(session& s, timestamp now, int limit) {
  const auto sessions = s.execute(
      "DELETE FROM dashboard_sessions WHERE secret_sha256 IN"
      " (SELECT secret_sha256 FROM dashboard_sessions WHERE expires_at <= $1 LIMIT $2)",
      {now, limit});
  if (!sessions) return sessions.error();
  const auto doors = s.execute(
      "DELETE FROM dashboard_doors WHERE secret_sha256 IN"
      " (SELECT secret_sha256 FROM dashboard_doors WHERE expires_at <= $1 LIMIT $2)",
      {now, limit});
  if (!doors) return doors.error();
  return *sessions + *doors;
}

}  // namespace connectord::storage
