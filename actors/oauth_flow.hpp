#pragma once

#include "actors/protocol/work.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

#include <optional>

namespace connectord {

/// One consent, from the code to the account: exchanges it and asks who it was. Writes nothing; ends with
/// its answer, and is never restarted, for a code works once.
class oauth_flow {
 public:
  using handle = oauth_flow_actor;
  using interface = oauth_flow_actor;
  static constexpr const char* name = "oauth_flow";

  oauth_flow(self_pointer<oauth_flow> self, services_ptr s, tenant_id tenant);
  interface::behavior_type behavior();

 private:
  caf::result<flow_granted> on_begin(begin_flow& b);
  void on_tokens(const http_response& r);
  void ask_account();
  void grant(oauth::account whose);
  void refuse(error e);
  template <class Then>
  void send(http_request r, Then then);

  self_pointer<oauth_flow> self_;
  services_ptr services_;
  tenant_id tenant_;
  complete_oauth what_;
  oauth::client client_;
  oauth::token_set tokens_;
  std::optional<oauth::account_machine> account_;
  std::optional<promise<flow_granted>> reply_;
};

oauth_flow_actor spawn_oauth_flow(cradle where, const std::string& id, services_ptr s,
                                  const tenant_id& tenant);

}  // namespace connectord
