#pragma once

#include "actors/protocol/discovery.hpp"
#include "actors/protocol/tenant.hpp"
#include "actors/protocol/work.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>

#include <map>
#include <set>

namespace connectord {

/// The children of one tenant: consents under way, a token keeper and a discovery a connection, a run a job.
/// They hold no rows; when the tenant ends, they end.
class family {
 public:
  family(cradle where, caf::scheduled_actor* parent, services_ptr s, tenant_id tenant);
  ~family();

  oauth_flow_actor begin_flow();
  token_keeper_actor keeper_of(const connection& c, const tenant_actor& parent);
  discovery_actor discovery_of(const connection& c);
  void begin_run(claimed_job work, const connection& c, run_slot slot, const tenant_actor& parent);

  bool may_run_another() const;
  /// Whatever must not be cut off is under way: a run that has to be released, a code or a refresh token
  /// being exchanged, whose answer is worth more than the time it takes.
  bool busy() const { return !runs_.empty() || !flows_.empty() || !exchanging_.empty(); }
  void exchange_begun(const connection_id& c) { exchanging_.insert(c); }
  void exchange_over(const connection_id& c) { exchanging_.erase(c); }
  void stop_runs();
  /// A child has ended. Answers what becomes of the job when it was a run that did not end by itself: it is
  /// tried once more, and set aside when it ends a second run.
  std::optional<end_run> bury(const caf::down_msg& down);

 private:
  struct run {
    run_ticket ticket;
    sync_run_actor actor;
  };
  template <class Handle>
  caf::actor_addr watch(const Handle& child);

  cradle where_;
  caf::scheduled_actor* parent_;
  services_ptr services_;
  tenant_id tenant_;
  std::map<connection_id, token_keeper_actor> keepers_;
  std::map<connection_id, discovery_actor> discoveries_;
  std::map<caf::actor_addr, run> runs_;
  std::map<caf::actor_addr, oauth_flow_actor> flows_;
  std::set<job_id> died_;
  std::set<connection_id> exchanging_;  ///< their keepers wait for a provider
  std::uint64_t last_flow_ = 0;
};

}  // namespace connectord
