#include "actors/supervise.hpp"

#include "base/log.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace connectord {

supervisor::supervisor(supervisor_pointer self, std::vector<child_spec> specs, restart_policy policy,
                       std::function<void()> give_up)
    : self_(self), policy_(policy), give_up_(std::move(give_up)), floor_(specs.size()) {
  for (auto& s : specs) children_.push_back({std::move(s), nullptr, false});
  self_->set_down_handler([this](caf::down_msg& d) { on_down(d); });
  self_->set_exit_handler([this](caf::exit_msg& e) {
    if (!e.reason) return;
    ending_ = true;
    floor_ = 0;
    wind_down();
  });
  start_from(0);
}

supervisor::interface::behavior_type supervisor::behavior() {
  return {
      [this](const read_children&) -> caf::result<children> {
        children seen;
        seen.restarts = restarts_;
        for (const auto& c : children_)
          if (c.ref) seen.alive.push_back(c.spec.name);
        return seen;
      },
      [this](const restart_due&) {
        if (ending_) return;
        ++restarts_;
        start_from(std::exchange(floor_, children_.size()));
      },
      [this](const grace_over& g) {
        for (const auto& c : children_)
          if (c.ref && c.ref->address() == g.whom) self_->send_exit(c.ref, caf::exit_reason::kill);
      },
  };
}

void supervisor::start_from(std::size_t first) {
  for (auto i = first; i < children_.size(); ++i) {
    auto& c = children_[i];
    c.ref = c.spec.start(self_);
    c.asked_to_end = false;
    self_->monitor(c.ref);
  }
}

void supervisor::on_down(const caf::down_msg& down) {
  const auto dead = std::ranges::find_if(
      children_, [&](const child& c) { return c.ref && c.ref->address() == down.source; });
  if (dead == children_.end()) return;
  dead->ref = nullptr;
  if (!dead->asked_to_end && !ending_) {
    self_->sky().meters().actor_restarts({"system"}).Increment();
    pause_ = history_.crashed(policy_, self_->clock().now(), 0.0);
    floor_ = std::min<std::size_t>(floor_, static_cast<std::size_t>(dead - children_.begin()));
    log::error("supervisor.child_down", {{"child", dead->spec.name}, {"restarting", pause_.has_value()}});
    if (!pause_) {
      ending_ = true;
      floor_ = 0;
      give_up_();
    }
  }
  wind_down();
}

void supervisor::wind_down() {
  for (auto i = children_.size(); i-- > floor_;) {
    auto& c = children_[i];
    if (!c.ref) continue;
    if (!std::exchange(c.asked_to_end, true)) {
      self_->send_exit(c.ref, caf::exit_reason::user_shutdown);
      self_->delayed_send(self_, c.spec.grace, grace_over{c.ref->address()});
    }
    return;  // one at a time, youngest first
  }
  if (ending_)
    self_->quit(caf::exit_reason::user_shutdown);
  else if (pause_)
    self_->delayed_send(self_, *std::exchange(pause_, std::nullopt), restart_due{});
}

}  // namespace connectord
