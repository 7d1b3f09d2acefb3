#pragma once

#include "actors/protocol/outbound.hpp"
#include "actors/protocol/store_gate.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "base/secret.hpp"

namespace connectord {

/// One notification on its way.
struct errand {
  tenant_id tenant;
  grounded_id row;
  std::string url, body;
  std::size_t attempts = 0;
};
using errand_ptr = std::shared_ptr<errand>;

struct look_for_notifications : message {};
struct attempt_again : message {
  explicit attempt_again(errand_ptr e) : what(std::move(e)) {}
  errand_ptr what;
};
using notifier_actor = typed_actor<accepts<look_for_notifications>, accepts<attempt_again>>;

/// Tells tenants' URLs of grounded signals, once for each row, in at most three attempts. The mark in
/// the row is leased while they run and removed after them: a crash in between repeats a notification,
/// which `webhook-id` shows, and loses none.
class notifier {
 public:
  using handle = notifier_actor;
  using interface = notifier_actor;
  static constexpr const char* name = "notifier";
  static constexpr seconds between_looks{1}, one_call{10}, lease{120};
  static constexpr std::array<seconds, 2> pauses{seconds{1}, seconds{2}};  ///< between the attempts
  static constexpr int most = 64, most_of_tenant = 4;                      ///< under way at a time

  notifier(self_pointer<notifier> self, services_ptr s, store_gate_actor store, outbound_actor out,
           secret token);
  interface::behavior_type behavior();

 private:
  void look();
  void attempt(const errand_ptr& e);
  void on_answer(const errand_ptr& e, const http_response& r);
  void settle(const errand_ptr& e, std::string_view outcome);
  static result<std::vector<errand>> lease_errands(storage::session& db, timestamp now, int room);

  self_pointer<notifier> self_;
  services_ptr services_;
  store_gate_actor store_;
  outbound_actor out_;
  secret token_;
  int under_way_ = 0;
};

notifier_actor spawn_notifier(cradle where, services_ptr s, store_gate_actor store, outbound_actor out,
                              secret token);

}  // namespace connectord
