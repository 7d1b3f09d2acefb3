#include "storage/sealed_values.hpp"

#include "base/crypto.hpp"

#include <array>
#include <set>

namespace connectord::storage {
namespace {

/// Every column that holds a sealed value, and the statement that swaps it.
struct sealed_column {
  std::string_view name, swap;
};
constexpr std::array columns{
    sealed_column{"access_ciphertext",
                  "UPDATE connections SET access_ciphertext = $1 WHERE tenant_id = $2 AND id = $3 AND "
                  "access_ciphertext = $4"},
    sealed_column{"refresh_ciphertext",
                  "UPDATE connections SET refresh_ciphertext = $1 WHERE tenant_id = $2 AND id = $3 AND "
                  "refresh_ciphertext = $4"},
    sealed_column{
        "previous_refresh_ciphertext",
        "UPDATE connections SET previous_refresh_ciphertext = $1 WHERE tenant_id = $2 AND id = $3 AND "
        "previous_refresh_ciphertext = $4"},
    sealed_column{"webhook_secret",
                  "UPDATE connections SET webhook_secret = $1 WHERE tenant_id = $2 AND id = $3 AND "
                  "webhook_secret = $4"},
    sealed_column{"previous_webhook_secret",
                  "UPDATE connections SET previous_webhook_secret = $1 WHERE tenant_id = $2 AND id = $3 AND "
                  "previous_webhook_secret = $4"},
    sealed_column{"gate_secret",
                  "UPDATE gates SET webhook_secret = $1 WHERE tenant_id = $2 AND id = $3 AND "
                  "webhook_secret = $4"}};

}  // namespace

sealed_cursor position_of(const sealed_value& v) { return {v.tenant.str(), v.connection.str()}; }

result<std::vector<sealed_value>> sealed_values(session& s, const sealed_cursor& after, int limit) {
  std::vector<sealed_value> found;
  const auto ok = s.query(
      "SELECT tenant_id, id, provider, access_ciphertext, refresh_ciphertext, previous_refresh_ciphertext, "
      "webhook_secret, previous_webhook_secret, NULL FROM connections WHERE (tenant_id, id) > ($1, $2) "
      "UNION ALL SELECT tenant_id, id, 'gate', NULL, NULL, NULL, NULL, NULL, webhook_secret "
      "FROM gates WHERE (tenant_id, id) > ($1, $2) ORDER BY tenant_id, id LIMIT $3",
      {after.tenant, after.connection, limit}, [&](const row& r) {
        sealed_value v{
            tenant_id::parse(r.text(0)).value(), connection_id::parse(r.text(1)).value(), r.str(2), -1, {}};
        for (int c = 0; c < static_cast<int>(columns.size()); ++c) {
          if (r.is_null(3 + c)) continue;
          v.column = c;
          v.ciphertext = std::string{r.bytes(3 + c)};
          found.push_back(v);
        }
        if (v.column < 0) found.push_back(v);  // keeps the walk's place: a connection without secrets
      });
  if (!ok) return ok.error();
  return found;
}

result<bool> swap_sealed_value(session& s, const sealed_value& old, std::string_view ciphertext) {
  const auto changed = s.execute(columns[static_cast<std::size_t>(old.column)].swap,
                                 {blob{ciphertext}, old.tenant, old.connection, blob{old.ciphertext}});
  if (!changed) return changed.error();
  return *changed > 0;
}

result<std::vector<std::string>> key_ids_in_use(session& s) {
  std::set<std::string> ids;
  sealed_cursor from;
  for (;;) {
    const auto batch = sealed_values(s, from, 1000);
    if (!batch) return batch.error();
    if (batch->empty()) return std::vector(ids.begin(), ids.end());
    for (const auto& v : *batch)
      if (const auto id = keyring::key_id_of(v.ciphertext)) ids.emplace(*id);
    from = position_of(batch->back());
  }
}

}  // namespace connectord::storage
