#include "storage/tracker/flags.hpp"

#include "storage/select.hpp"

namespace connectord::storage {

result<tracker::feature_flag> find_flag(session& s, tenant_id tenant, std::string_view key, bool fallback) {
  tracker::feature_flag flag{std::string{key}, fallback, std::nullopt};
  const auto ok = s.query("SELECT enabled, updated_at FROM team_flags WHERE tenant_id = $1 AND key = $2",
                          {tenant, key}, [&](const row& r) {
                            flag.enabled = r.integer(0) != 0;
                            flag.updated_at = r.time(1);
                          });
  if (!ok) return ok.error();
  return flag;
}

result<> put_flag(session& s, tenant_id tenant, const tracker::feature_flag& flag) {
  return done(
      s.execute("INSERT INTO team_flags (tenant_id, key, enabled, updated_at) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (tenant_id, key) DO UPDATE SET enabled = $3, updated_at = $4",
                {tenant, flag.key, flag.enabled ? 1 : 0, flag.updated_at}));
}

result<bool> tracker_on(session& s, tenant_id tenant, bool fallback) {
  const auto flag = find_flag(s, tenant, tracker::tracker_flag, fallback);
  if (!flag) return flag.error();
  return flag->enabled;
}

}  // namespace connectord::storage
