#pragma once

#include "actors/protocol/tenant.hpp"
#include "actors/protocol/work.hpp"
#include "actors/provider_calls.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

namespace connectord {

struct heartbeat : message {};

/// What a run starts with.
struct run_start {
  claimed_job work;
  connection row;
  run_slot slot;  ///< held to the end
  token_keeper_actor keeper;
};

/// One run of a job: asks, has the tenant commit the page, asks again. It decides nothing about rows: the
/// tenant does, and a stale fence or any refusal of the tenant's ends it where it stands.
class sync_run_worker {
 public:
  using handle = sync_run_actor;
  using interface = sync_run_actor::extend<accepts<heartbeat>>;
  static constexpr const char* name = "sync_run";

  sync_run_worker(self_pointer<sync_run_worker> self, services_ptr s, tenant_id tenant, run_start start,
                  tenant_actor parent);
  interface::behavior_type behavior();

 private:
  void proceed();
  void call(http_request request);
  void send(const http_request& request, const lent_token& token);
  void on_answer(const http_response& r);
  void on_page(provider::sync_page page);
  void on_failure(const provider::sync_failure& f);
  void end(run_end how, std::string message = {}, std::optional<seconds> hint = {});
  void beat();
  template <class Command, class Then>
  void ask_tenant(Command c, Then then);
  run_ticket ticket() const { return {start_.work.row.id, start_.row.id, start_.work.fence}; }

  self_pointer<sync_run_worker> self_;
  services_ptr services_;
  tenant_id tenant_;
  run_start start_;
  tenant_actor parent_;
  std::optional<provider::sync_run> run_;
  std::optional<std::string> cursor_;
  refused_tokens refused_;
  steady_time begun_;
  bool ended_ = false, no_progress_ = false;
  std::optional<told_limit> limit_;
};

sync_run_actor spawn_sync_run(cradle where, services_ptr s, const tenant_id& tenant, run_start start,
                              tenant_actor parent);

}  // namespace connectord
