#pragma once

#include "actors/intake.hpp"
#include "actors/protocol/inbox.hpp"
#include "actors/protocol/store_gate.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

namespace connectord {

/// Stores deliveries that no tenant actor takes: those at the app-level URL, which name no tenant,
/// and those for a tenant that cannot run. Holds no state: everything is read from the rows.
class inbox {
 public:
  using handle = inbox_actor;
  using interface = inbox_actor;
  static constexpr const char* name = "inbox";

  inbox(self_pointer<inbox> self, services_ptr s, store_gate_actor store);
  interface::behavior_type behavior();

 private:
  caf::result<routed> on_route(const route_delivery& m);
  caf::result<routed> on_reroute(const reroute_delivery& m);
  caf::result<db_answer> on_list(const list_unrouted& m);
  caf::result<tenant_outcome> on_store(store_for_tenant& m);

  template <class T, class Reply, class Function, class Shape>
  caf::result<Reply> run(access_mode mode, std::optional<tenant_id> tenant, steady_time deadline, Function fn,
                         Shape shape);

  self_pointer<inbox> self_;
  services_ptr services_;
  store_gate_actor store_;
};

inbox_actor spawn_inbox(cradle where, services_ptr s, store_gate_actor store);

}  // namespace connectord
