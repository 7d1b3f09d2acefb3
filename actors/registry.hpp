#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/protocol/registry.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

namespace connectord {

/// The rows of tenants and their tokens. What it changes under a living tenant it tells the
/// directory, so that no actor goes on with a row that is not true any more.
class registry {
 public:
  using handle = registry_actor;
  using interface = registry_actor;
  static constexpr const char* name = "registry";

  registry(self_pointer<registry> self, store_gate_actor store, directory_actor directory,
           const whereabouts<ticker_actor>* scheduler);
  interface::behavior_type behavior();

 private:
  caf::result<db_answer> on_command(const registry_command& c);
  /// What the directory has to do once the change is durable.
  std::optional<steer_tenant> consequence(const registry_request& r) const;

  self_pointer<registry> self_;
  store_gate_actor store_;
  directory_actor directory_;
  const whereabouts<ticker_actor>* scheduler_;
};

/// `scheduler` hears of tenants that may run again.
registry_actor spawn_registry(cradle where, store_gate_actor store, directory_actor directory,
                              const whereabouts<ticker_actor>* scheduler = nullptr);

}  // namespace connectord
