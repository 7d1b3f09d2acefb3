#include "storage/snapshots.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<> save_snapshot(session& s, tenant_id tenant, const stored_snapshot& x) {
  const auto saved = s.execute(
      "INSERT INTO snapshots (tenant_id, revision, version, checksum, body, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, revision) DO UPDATE SET"
      " version = excluded.version, checksum = excluded.checksum, body = excluded.body,"
      " created_at = excluded.created_at",
      {tenant, x.revision, x.version, x.checksum, blob{x.body}, x.created_at});
  if (!saved) return saved.error();
  return done(
      s.execute("DELETE FROM snapshots WHERE tenant_id = $1 AND revision NOT IN"
                " (SELECT revision FROM snapshots WHERE tenant_id = $1 ORDER BY revision DESC LIMIT 2)",
                {tenant}));
}

result<std::optional<stored_snapshot>> load_snapshot(session& s, tenant_id tenant) {
  return find_one(s,
                  "SELECT revision, version, checksum, body, created_at FROM snapshots"
                  " WHERE tenant_id = $1 ORDER BY revision DESC LIMIT 1",
                  {tenant}, [](const row& r) {
                    return stored_snapshot{.revision = r.integer(0),
                                           .version = static_cast<int>(r.integer(1)),
                                           .checksum = r.str(2),
                                           .body = std::string{r.bytes(3)},
                                           .created_at = r.time(4)};
                  });
}

}  // namespace connectord::storage
