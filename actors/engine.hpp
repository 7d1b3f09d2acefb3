#pragma once

#include "actors/protocol/store_gate.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "domain/ids.hpp"

namespace connectord {

struct look_for_signals : message {};
using engine_actor = typed_actor<accepts<look_for_signals>>;

/// Scores what is new and grounds what is strong: one batch of a tenant, then the next tenant's. What
/// waits stands in the store beside the signals themselves, so nothing is missed and nothing is counted
/// twice, whenever this ends; a signal that cannot be read is set aside.
class engine {
 public:
  using handle = engine_actor;
  using interface = engine_actor;
  static constexpr const char* name = "engine";
  static constexpr seconds between_looks{1};
  static constexpr int batch = 64;             ///< signals of one tenant at a time
  static constexpr int most_clusters = 1'000;  ///< so many of the latest may grow

  engine(self_pointer<engine> self, services_ptr s, store_gate_actor store);
  interface::behavior_type behavior();

 private:
  void next_tenant();
  void assess(const tenant_id& t);
  void rest();

  template <class T, class Function>
  void ask_store(std::optional<tenant_id> t, access_mode mode, Function fn,
                 std::function<void(const T&)> then);

  self_pointer<engine> self_;
  services_ptr services_;
  store_gate_actor store_;
  std::optional<tenant_id> at_;  ///< whose turn it is in this round
  bool busy_ = false;            ///< this round found something: another one follows at once
};

engine_actor spawn_engine(cradle where, services_ptr s, store_gate_actor store);

}  // namespace connectord
