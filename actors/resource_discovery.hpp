#pragma once

#include "actors/protocol/discovery.hpp"
#include "actors/provider_calls.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "domain/provider/discovery.hpp"

#include <optional>
#include <vector>

namespace connectord {

struct forget_found : message {
  explicit forget_found(shared_discovery f) : found(std::move(f)) {}
  shared_discovery found;
};

/// Asks a provider what a tracker can be bound to, page by page, within its policy's limits, and answers for
/// the tenant. Pages that came before trouble are an answer, marked as partial. What was found is given again
/// for a while, for people look at it page by page; a token that was renewed since, or a consent, ends that.
class resource_discovery {
 public:
  using handle = discovery_actor;
  using interface = discovery_actor::extend<accepts<forget_found>>;
  static constexpr const char* name = "discovery";

  resource_discovery(self_pointer<resource_discovery> self, services_ptr s, tenant_id tenant);
  ~resource_discovery();
  interface::behavior_type behavior();

 private:
  caf::result<tenant_outcome> on_discover(discover& d);
  void begin(discover d);
  void proceed();
  void call(http_request request);
  void send(const http_request& request, const lent_token& token);
  void on_answer(const http_response& r);
  void on_page(provider::sync_page page);
  void on_failure(const provider::sync_failure& f);
  void finish(std::optional<provider::shortfall> why);
  void refuse(const error& e);
  std::vector<promise<tenant_outcome>> ended();
  bool late() const { return self_->clock().now() >= until_; }
  milliseconds left() const;

  self_pointer<resource_discovery> self_;
  services_ptr services_;
  tenant_id tenant_;
  std::vector<promise<tenant_outcome>> waiting_;  ///< not empty while there is a run
  shared_discovery found_;
  std::int64_t found_with_ = 0;  ///< epoch of the token

  // Of the run.
  std::optional<discover> asked_;
  std::optional<provider::sync_run> run_;
  std::vector<provider::tracker_resource> resources_;
  std::size_t pages_ = 0;
  refused_tokens refused_;
  int status_ = 0;  ///< of the last answer
  steady_time until_{};
};

discovery_actor spawn_resource_discovery(cradle where, services_ptr s, const tenant_id& tenant,
                                         const connection_id& connection);

}  // namespace connectord
