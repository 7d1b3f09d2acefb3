#pragma once

#include "actors/protocol/whereabouts.hpp"
#include "actors/spawn.hpp"
#include "domain/restart_policy.hpp"

#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>

#include <functional>

namespace connectord {

struct read_children : message {};
struct children : message {
  std::vector<std::string> alive;
  std::size_t restarts = 0;
};

using supervisor_actor = typed_actor<replies<read_children, children>>;

struct restart_due : message {};
struct grace_over : message {
  explicit grace_over(caf::actor_addr w) : whom(std::move(w)) {}
  caf::actor_addr whom;
};

/// What it says to itself is no part of the public protocol.
using supervisor_interface = supervisor_actor::extend<accepts<restart_due>, accepts<grace_over>>;
using supervisor_pointer = observed<supervisor_interface>*;

/// A permanent child: whatever ends it, it is started again.
struct child_spec {
  std::string name;
  std::function<caf::strong_actor_ptr(supervisor_pointer)> start;
  milliseconds grace{2000};  ///< between asking it to end and killing it
};

/// rest_for_one: a crash ends the younger siblings too, in reverse order, and all of them start
/// again after a pause. Over budget, or told to exit, it ends everything in reverse order and then
/// itself; only the first of these calls `give_up`.
class supervisor {
 public:
  using interface = supervisor_interface;
  using handle = supervisor_actor;
  static constexpr const char* name = "supervisor";

  supervisor(supervisor_pointer self, std::vector<child_spec> specs, restart_policy policy,
             std::function<void()> give_up);
  interface::behavior_type behavior();

 private:
  struct child {
    child_spec spec;
    caf::strong_actor_ptr ref;
    bool asked_to_end = false;
  };

  void start_from(std::size_t first);
  void on_down(const caf::down_msg& down);
  void wind_down();

  supervisor_pointer self_;
  std::vector<child> children_;
  restart_policy policy_;
  std::function<void()> give_up_;
  restart_history history_;
  std::size_t restarts_ = 0;
  std::size_t floor_;  ///< children from here on are being ended
  bool ending_ = false;
  std::optional<milliseconds> pause_;  ///< before the restart, while winding down
};

}  // namespace connectord
