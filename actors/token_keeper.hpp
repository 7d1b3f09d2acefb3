#pragma once

#include "actors/protocol/tenant.hpp"
#include "actors/protocol/work.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"

#include <vector>

namespace connectord {

struct ask_again : message {};
struct store_again : message {};

/// The only one that exchanges a connection's refresh token. The tenant records the intent before the call
/// and stores what came of it; whoever asks meanwhile shares the result. Another node that is at it, or a
/// dead incarnation's lease, is waited out. Tokens that the store refuses are kept and offered again for as
/// long as the intent's lease lasts: the provider has forgotten the ones before them.
class token_keeper {
 public:
  using handle = token_keeper_actor;
  using interface = token_keeper_actor::extend<accepts<ask_again>, accepts<store_again>>;
  static constexpr const char* name = "token_keeper";
  static constexpr milliseconds pause{250}, store_pause{500};

  token_keeper(self_pointer<token_keeper> self, services_ptr s, tenant_id tenant, std::string provider,
               connection_id connection, tenant_actor parent);
  interface::behavior_type behavior();

 private:
  struct waiting {
    fresh_token asked;
    promise<token_lent> reply;
    bool heard;  ///< its wish is part of the question that is under way
  };

  caf::result<token_lent> on_fresh(fresh_token& f);
  void start_round();
  void begin();
  void lend(const lent_token& token);
  void exchange(refresh_begun begun);
  void on_answer(const http_response& r);
  void store(end_refresh what);
  void on_unstored(const caf::error& e);
  void on_step(const refresh_step& step);
  template <class Command, class Otherwise>
  void ask_tenant(Command c, Otherwise otherwise);
  void settle(const std::function<void(waiting&)>& answer);
  void count(const oauth::token_answer& answer) const;

  self_pointer<token_keeper> self_;
  services_ptr services_;
  tenant_id tenant_;
  std::string provider_;
  connection_id connection_;
  tenant_actor parent_;
  std::vector<waiting> waiting_;
  refresh_begun begun_;
  std::optional<end_refresh> unstored_;  ///< tokens until the store has them
  steady_time sent_{}, give_up_{};
  std::optional<std::int64_t> joined_;  ///< the epoch that another node is exchanging
  bool busy_ = false, exchanged_ = false;
};

token_keeper_actor spawn_token_keeper(cradle where, services_ptr s, const tenant_id& tenant,
                                      const std::string& provider, const connection_id& connection,
                                      tenant_actor parent);

}  // namespace connectord
