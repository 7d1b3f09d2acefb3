#include "storage/idempotency.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<std::optional<idempotent_answer>> find_kept_answer(session& s, std::string_view scope,
                                                          std::string_view key, timestamp now) {
  return find_one(s,
                  "SELECT body_sha256, status, body, location, expires_at FROM idempotency_keys"
                  " WHERE scope = $1 AND key = $2 AND expires_at > $3",
                  {scope, key, now}, [&](const row& r) {
                    return idempotent_answer{.scope = std::string{scope},
                                             .key = std::string{key},
                                             .body_sha256 = r.str(0),
                                             .status = static_cast<int>(r.integer(1)),
                                             .body = r.str(2),
                                             .location = r.str(3),
                                             .expires_at = r.time(4)};
                  });
}

result<> keep_answer(session& s, const idempotent_answer& a, timestamp now) {
  const auto kept = s.execute(
      "INSERT INTO idempotency_keys (scope, key, body_sha256, status, body, location, expires_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (scope, key) DO UPDATE SET"
      " body_sha256 = excluded.body_sha256, status = excluded.status, body = excluded.body,"
      " location = excluded.location, expires_at = excluded.expires_at"
      " WHERE idempotency_keys.expires_at <= $8",
      {a.scope, a.key, a.body_sha256, a.status, a.body, a.location, a.expires_at, now});
  if (!kept) return kept.error();
  if (*kept == 0) return error{errc::idempotency_in_flight};
  return {};
}

}  // namespace connectord::storage
