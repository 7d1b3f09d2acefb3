#pragma once

#include "actors/fair_queue.hpp"
#include "actors/protocol/outbound.hpp"
#include "actors/spawn.hpp"
#include "domain/breaker.hpp"

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace connectord {

/// Carries one call out and brings back what came of it: exactly once, by the deadline, on any thread.
using transport =
    std::function<void(http_request, steady_time deadline, std::function<void(http_response)> answered)>;

struct outbound_plan {
  transport carry;
  std::size_t most_calls = 256, most_of_tenant = 8, most_to_host = 64;  ///< at a time
  std::size_t most_waiting = 4096, most_waiting_of_tenant = 256;        ///< the latter for each host
  breaker_policy each{};                                                ///< for a tenant at a host
  breaker_policy host{.failures = 3};                                   ///< for a host: tenants that it fails
};

struct look_at_held_back : message {};
struct call_ended : message {
  call_ended(std::uint64_t n, http_response r) : number(n), response(std::move(r)) {}
  std::uint64_t number;
  http_response response;
};

/// The only way out. A bounded number of calls of a tenant, to a host and altogether are under way; the
/// rest wait their turn, tenants one after the other. What a breaker holds back, or what finds the queue
/// full, is a network_error at once. The transport outlives every incarnation.
class outbound {
 public:
  using handle = outbound_actor;
  using interface = outbound_actor::extend<accepts<call_ended>, accepts<look_at_held_back>>;
  static constexpr const char* name = "outbound";
  static constexpr seconds between_looks{1};  ///< while somebody is held back

  outbound(self_pointer<outbound> self, outbound_plan plan);
  interface::behavior_type behavior();

 private:
  using party = std::pair<std::optional<tenant_id>, std::string>;  ///< who calls whom
  struct call {
    party who;
    send_request wanted;
    promise<http_answered> reply;
    steady_time begun{};
  };

  caf::result<http_answered> on_request(send_request& r);
  void on_ended(call_ended& e);
  bool has_room(const party& who) const;
  void dispatch();
  void begin(call c);
  void judge(const party& who, const std::string& provider, const http_response& r);
  caf::result<http_answered> refuse(const send_request& r, std::string_view why);
  void count(const std::string& provider, std::string_view result);
  void count_answered(const call& c, const http_response& r);
  void hold_back(const party& who, const std::string& provider);
  void look_at_held();

  steady_time now() const { return self_->clock().now(); }

  self_pointer<outbound> self_;
  outbound_plan plan_;
  fair_queue<party, call> waiting_;
  std::map<std::uint64_t, call> under_way_;
  std::map<std::optional<tenant_id>, std::size_t> of_tenant_;
  std::map<std::string, std::size_t> to_host_;
  breakers breakers_;
  std::map<party, std::string> held_back_;  ///< whom breakers stopped, and at which provider
  std::uint64_t last_number_ = 0;
};

outbound_actor spawn_outbound(cradle where, outbound_plan plan);

}  // namespace connectord
