#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/protocol/store_gate.hpp"
#include "actors/protocol/work.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "storage/job_queue.hpp"

#include <deque>
#include <set>

namespace connectord {

struct look_now : message {
  explicit look_now(timestamp w) : when(w) {}
  timestamp when;  ///< an earlier wish since makes this stale
};
struct sweep_tokens : message {};
struct refresh_due : message {
  refresh_due(tenant_id t, connection_id c) : tenant(t), connection(c) {}
  tenant_id tenant;
  connection_id connection;
};
struct slot_free : message {
  slot_free(tenant_id t, bool u) : tenant(t), used(u) {}
  tenant_id tenant;
  bool used;  ///< by a run, so that the tenant may have more
};

/// Finds due work by index and wakes its tenants; runs nothing itself and remembers nothing that the rows do
/// not say. A bounded number of runs are under way; tenants take turns for them.
class ticker {
 public:
  using handle = ticker_actor;
  using interface = ticker_actor::extend<accepts<look_now>, accepts<sweep_tokens>, accepts<refresh_due>,
                                         accepts<slot_free>>;
  static constexpr const char* name = "scheduler";
  static constexpr int most_tenants = 1000;    ///< of one look
  static constexpr milliseconds soonest{100};  ///< between two looks that time asks for
  static constexpr seconds patience{30};

  ticker(self_pointer<ticker> self, services_ptr s, store_gate_actor store, directory_actor directory);
  interface::behavior_type behavior();

 private:
  void look();
  void on_due(const storage::due_work& due);
  void look_at(timestamp when);
  void enlist(const tenant_id& t);
  void dispatch();
  void give_slot(const tenant_id& t);
  void sweep();
  void refresh_next();
  template <class Command, class Then>
  void tell(const tenant_id& t, Command c, seconds wait, Then then);

  self_pointer<ticker> self_;
  services_ptr services_;
  store_gate_actor store_;
  directory_actor directory_;
  std::deque<tenant_id> ring_;  ///< tenants that may have due jobs, in turn
  std::set<tenant_id> enlisted_;
  std::set<tenant_id> asked_;  ///< have been offered a slot and not answered yet
  int free_;
  bool looking_ = false, again_ = false;
  std::optional<timestamp> next_look_, last_claim_, waiting_since_;
  std::deque<refresh_due> expiring_;
  int refreshing_ = 0;
};

ticker_actor spawn_ticker(cradle where, services_ptr s, store_gate_actor store, directory_actor directory);

}  // namespace connectord
