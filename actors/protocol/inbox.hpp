#pragma once

#include "actors/protocol/tenant.hpp"

namespace connectord {

/// A delivery at the app-level URL: routed by the identity in its payload, to every tenant that
/// has it; kept as unrouted when nobody has.
struct route_delivery : message {
  route_delivery(request_meta m, ingest_webhook d) : meta(std::move(m)), delivery(std::move(d)) {}
  request_meta meta;
  ingest_webhook delivery;
};
/// Tries a kept one again. NOT_FOUND when there is none of that id.
struct reroute_delivery : message {
  reroute_delivery(request_meta m, unrouted_id u, timestamp t) : meta(std::move(m)), id(u), now(t) {}
  request_meta meta;
  unrouted_id id;
  timestamp now;
};
struct routed : message {
  std::optional<std::string> challenge;
  std::int64_t deliveries = 0;
};

struct unrouted_delivery {
  unrouted_id id;
  std::string provider;
  timestamp received_at{};
  std::int64_t body_bytes = 0;
  std::optional<std::string> event_type;
  std::vector<identity> identities;
};
struct list_unrouted : message {
  list_unrouted(request_meta m, unrouted_filter f, page p)
      : meta(std::move(m)), filter(std::move(f)), at(std::move(p)) {}
  request_meta meta;
  unrouted_filter filter;
  page at;
};

/// A delivery for a tenant whose actors cannot take it: verified from the rows and stored. `locked_out`
/// marks it as quarantined: the same message ended its tenant twice.
struct store_for_tenant : message {
  store_for_tenant(tenant_id t, tenant_command c, bool q) : tenant(t), command(std::move(c)), locked_out(q) {}
  tenant_id tenant;
  tenant_command command;
  bool locked_out;
};

using inbox_actor = typed_actor<replies<route_delivery, routed>, replies<reroute_delivery, routed>,
                                replies<list_unrouted, db_answer>,  // rows_page<unrouted_delivery>
                                replies<store_for_tenant, tenant_outcome>>;

}  // namespace connectord
