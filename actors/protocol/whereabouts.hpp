#pragma once

#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>

#include <mutex>
#include <utility>

namespace connectord {

/// Where the rest of the process finds an actor that may be replaced by its next incarnation.
template <class Handle>
class whereabouts {
 public:
  Handle get() const {
    const std::lock_guard lock{mutex_};
    return handle_;
  }
  caf::strong_actor_ptr set(Handle h) {
    const std::lock_guard lock{mutex_};
    handle_ = std::move(h);
    return caf::actor_cast<caf::strong_actor_ptr>(handle_);
  }
  void clear() { set({}); }

 private:
  mutable std::mutex mutex_;
  Handle handle_;
};

}  // namespace connectord
