#include "storage/signal_configs.hpp"

#include "domain/grounding.hpp"
#include "storage/select.hpp"

namespace connectord::storage {

result<signal_config> find_signal_config(session& s, tenant_id tenant) {
  const auto own = find_one(
      s, "SELECT threshold, weights, webhook_url, updated_at FROM signal_configs WHERE tenant_id = $1",
      {tenant}, [](const row& r) {
        signal_config c;
        c.threshold = r.real(0);
        if (!r.is_null(1)) c.weights = grounding::dimensions_from(r.text(1));
        c.webhook_url = r.maybe_str(2);
        c.updated_at = r.time(3);
        return c;
      });
  if (!own) return own.error();
  return own->value_or(signal_config{});
}

result<> put_signal_config(session& s, tenant_id tenant, const signal_config& c, timestamp now) {
  const auto weights = grounding::to_json(c.weights);
  return done(
      s.execute("INSERT INTO signal_configs (tenant_id, threshold, weights, webhook_url, updated_at)"
                " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id) DO UPDATE SET"
                " threshold = excluded.threshold, weights = excluded.weights,"
                " webhook_url = excluded.webhook_url, updated_at = excluded.updated_at",
                {tenant, c.threshold, weights, c.webhook_url, now}));
}

}  // namespace connectord::storage
