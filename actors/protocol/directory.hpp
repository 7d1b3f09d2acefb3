#pragma once

#include "actors/protocol/tenant.hpp"

namespace connectord {

/// Addresses a tenant. Activates it on demand, then delegates: the answer goes straight back.
struct to_tenant : message {
  to_tenant(tenant_id t, tenant_command c) : tenant(t), command(std::move(c)) {}
  tenant_id tenant;
  tenant_command command;
};
struct rows_of_tenant : message {
  rows_of_tenant(tenant_id t, list_rows r) : tenant(t), read(std::move(r)) {}
  tenant_id tenant;
  list_rows read;
};
struct connections_of_tenant : message {
  connections_of_tenant(tenant_id t, read_connections r) : tenant(t), read(std::move(r)) {}
  tenant_id tenant;
  read_connections read;
};

enum class tenant_phase { idle, running, passivating, restarting, unavailable };

struct tenant_health {
  tenant_phase phase = tenant_phase::idle;
  std::uint64_t restarts = 0;
  std::optional<std::string> last_error;
  timestamp since{};
};

struct describe_tenants : message {
  explicit describe_tenants(std::vector<tenant_id> ids) : tenants(std::move(ids)) {}
  std::vector<tenant_id> tenants;
};
struct tenant_healths : message {
  std::vector<tenant_health> rows;  ///< in the order of the question
};

/// `replace`: end the incarnation after its current turn; the next message starts a new one.
/// `revive`: the same, and forget crashes, waits and quarantine. `forget`: the tenant was deleted.
struct steer_tenant : message {
  enum class action { replace, revive, forget };
  steer_tenant(tenant_id t, action a) : tenant(t), what(a) {}
  tenant_id tenant;
  action what;
};

/// Ends every tenant by handshake and lets no new one begin; answered when all are gone.
struct drain : message {};

using directory_actor =
    typed_actor<replies<to_tenant, tenant_outcome>, replies<rows_of_tenant, db_answer>,
                replies<connections_of_tenant, connection_list>, replies<describe_tenants, tenant_healths>,
                replies<steer_tenant, done>, replies<drain, done>>;

}  // namespace connectord
