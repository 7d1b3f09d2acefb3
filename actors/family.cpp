#include "actors/family.hpp"

#include "actors/oauth_flow.hpp"
#include "actors/resource_discovery.hpp"
#include "actors/sync_run.hpp"
#include "actors/token_keeper.hpp"

#include <caf/exit_reason.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace connectord {

family::family(cradle where, caf::scheduled_actor* parent, services_ptr s, tenant_id tenant)
    : where_(std::move(where)), parent_(parent), services_(std::move(s)), tenant_(tenant) {}

family::~family() {
  for (const auto& [id, keeper] : keepers_) caf::anon_send_exit(keeper, caf::exit_reason::user_shutdown);
  for (const auto& [id, d] : discoveries_) caf::anon_send_exit(d, caf::exit_reason::user_shutdown);
  for (const auto& [at, r] : runs_) caf::anon_send_exit(r.actor, caf::exit_reason::user_shutdown);
  for (const auto& [at, flow] : flows_) caf::anon_send_exit(flow, caf::exit_reason::user_shutdown);
}

template <class Handle>
caf::actor_addr family::watch(const Handle& child) {
  parent_->monitor(child);
  return caf::actor_cast<caf::actor_addr>(child);
}

oauth_flow_actor family::begin_flow() {
  const auto id = "oauth/" + tenant_.str() + "/" + std::to_string(++last_flow_);
  auto flow = spawn_oauth_flow(where_, id, services_, tenant_);
  flows_.emplace(watch(flow), flow);
  return flow;
}

token_keeper_actor family::keeper_of(const connection& c, const tenant_actor& parent) {
  auto& keeper = keepers_[c.id];
  if (!keeper) {
    keeper = spawn_token_keeper(where_, services_, tenant_, c.provider, c.id, parent);
    watch(keeper);
  }
  return keeper;
}

discovery_actor family::discovery_of(const connection& c) {
  auto& discovery = discoveries_[c.id];
  if (!discovery) {
    discovery = spawn_resource_discovery(where_, services_, tenant_, c.id);
    watch(discovery);
  }
  return discovery;
}

void family::begin_run(claimed_job work, const connection& c, run_slot slot, const tenant_actor& parent) {
  const run_ticket ticket{work.row.id, c.id, work.fence};
  *slot.used = true;
  auto child = spawn_sync_run(where_, services_, tenant_,
                              {std::move(work), c, std::move(slot), keeper_of(c, parent)}, parent);
  runs_.emplace(watch(child), run{ticket, child});
}

bool family::may_run_another() const {
  return runs_.size() < static_cast<std::size_t>(services_->sync.tenant_concurrency);
}

void family::stop_runs() {
  for (const auto& [at, r] : runs_) caf::anon_send(r.actor, stop_run{});
}

std::optional<end_run> family::bury(const caf::down_msg& down) {
  flows_.erase(down.source);
  const auto ended_here = [&](const auto& child) {
    return caf::actor_cast<caf::actor_addr>(child.second) == down.source;
  };
  for (const auto& keeper : keepers_)
    if (ended_here(keeper)) exchanging_.erase(keeper.first);
  std::erase_if(keepers_, ended_here);
  std::erase_if(discoveries_, ended_here);
  const auto ended = runs_.extract(down.source);
  if (!ended || down.reason == caf::exit_reason::normal) return std::nullopt;
  const auto& ticket = ended.mapped().ticket;
  const bool again = !died_.insert(ticket.job).second;
  run_report report{
      again ? run_end::permanent : run_end::transient, {}, false, {}, "the run ended unexpectedly"};
  return end_run{ticket, std::move(report), services_->now()};
}

}  // namespace connectord
