#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/protocol/inbox.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "domain/restart_policy.hpp"

#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>

#include <array>
#include <list>
#include <random>
#include <unordered_map>
#include <vector>

namespace connectord {

struct reactivate : message {
  reactivate(tenant_id t, std::uint64_t g) : tenant(t), generation(g) {}
  tenant_id tenant;
  std::uint64_t generation;  ///< of the slot's pause; a newer one makes this stale
};
struct sweep : message {};
/// A tenant's own offer: there is no such tenant, or the store is out of reach.
struct may_leave : message {
  explicit may_leave(tenant_id t) : tenant(t) {}
  tenant_id tenant;
};

/// The only door to tenants. A message goes on by delegation, so the answer does not come back this
/// way. What arrives while a tenant leaves or waits out a crash is held back, in order, and bounded.
/// A tenant's crashes end here: they never count against anything above it.
class directory {
 public:
  using handle = directory_actor;
  using interface = directory_actor::extend<accepts<reactivate>, accepts<sweep>, accepts<may_leave>>;
  static constexpr const char* name = "directory";
  static constexpr std::size_t most_held = 256;
  static constexpr seconds sweep_interval{5};

  directory(self_pointer<directory> self, services_ptr s, store_gate_actor store, inbox_actor inbox,
            restart_policy policy);
  /// However it ends, its tenants do not outlive it: the next directory would not know them.
  ~directory();
  interface::behavior_type behavior();

 private:
  using held_message = std::variant<std::pair<tenant_command, promise<tenant_outcome>>,
                                    std::pair<list_rows, promise<db_answer>>,
                                    std::pair<read_connections, promise<connection_list>>>;
  struct slot {
    tenant_id id;
    tenant_actor actor;
    tenant_phase phase = tenant_phase::idle;
    std::shared_ptr<vital_signs> signs;
    steady_time last_used{};
    std::list<tenant_id>::iterator turn;  ///< in `by_use_`, only while it has an actor
    std::vector<held_message> held;
    restart_history history;
    quarantine locked_out;
    int failed_probes = 0;
    std::uint64_t generation = 0;
    bool wake = false;                    ///< once it has left: work may be waiting for it in the store
    bool forgettable = false;             ///< once it has no actor: the tenant is unknown or deleted
    std::optional<steady_time> next_try;  ///< while restarting or unavailable
  };

  caf::result<tenant_outcome> on_command(to_tenant& m);
  template <class Reply, class Message>
  caf::result<Reply> pass_on(const tenant_id& id, Message& m);
  caf::result<done> on_steer(const steer_tenant& m);
  caf::result<tenant_healths> on_describe(const describe_tenants& d);
  caf::result<done> on_drain();

  slot& slot_of(const tenant_id& id);
  prometheus::Gauge& tenants_in(tenant_phase p);
  void enter(slot& s, tenant_phase p);
  void used(slot& s);
  void activate(slot& s);
  void begin_leaving(slot& s);
  void release_held(slot& s);
  void forget(const slot& s);
  void on_down(const caf::down_msg& down);
  void on_crash(slot& s, const caf::error& reason);
  void on_doubt(slot& s);
  void wait_out(slot& s, milliseconds pause);
  void on_sweep();
  error not_now(const slot& s) const;

  self_pointer<directory> self_;
  services_ptr services_;
  store_gate_actor store_;
  inbox_actor inbox_;
  restart_policy policy_;
  std::array<prometheus::Gauge*, 5> in_phase_{};  ///< tenants; a phase that none has been in has no series
  std::unordered_map<tenant_id, slot> slots_;
  std::list<tenant_id> by_use_;  ///< tenants with an actor, the least recently used first
  std::map<caf::actor_addr, tenant_id> living_;
  std::minstd_rand dice_{20};
  std::optional<promise<done>> drained_;
};

directory_actor spawn_directory(cradle where, services_ptr s, store_gate_actor store, inbox_actor inbox,
                                restart_policy policy = {});

}  // namespace connectord
