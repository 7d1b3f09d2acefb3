#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/protocol/store_gate.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

namespace connectord {

struct look_around : message {};
using tracker_sweep_actor = typed_actor<accepts<look_around>>;

/// Finds the tenants with bindings that have become too old for their health, by index, and tells them. The
/// rows say what is due, so that a sweep that fails or is cut short loses nothing.
class tracker_sweep {
 public:
  using handle = tracker_sweep_actor;
  using interface = tracker_sweep_actor;
  static constexpr const char* name = "tracker_sweep";
  static constexpr int tenants_a_page = 100;

  tracker_sweep(self_pointer<tracker_sweep> self, services_ptr s, store_gate_actor store,
                directory_actor directory);
  interface::behavior_type behavior();

 private:
  void read_page(std::optional<tenant_id> after);
  void tell(const tenant_id& t);

  self_pointer<tracker_sweep> self_;
  services_ptr services_;
  store_gate_actor store_;
  directory_actor directory_;
};

tracker_sweep_actor spawn_tracker_sweep(cradle where, services_ptr s, store_gate_actor store,
                                        directory_actor directory);

}  // namespace connectord
