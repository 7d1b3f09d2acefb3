#pragma once

#include "actors/observatory.hpp"

#include <caf/actor_system.hpp>
#include <caf/delegated.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace connectord {

/// The part of `observed` that needs no template.
class birthmark {
 public:
  birthmark(observatory& o, std::shared_ptr<vital_signs> s) : sky_(o), signs_(std::move(s)) {
    signs_->born();
  }

  observatory& sky() const noexcept { return sky_; }
  vital_signs& signs() const noexcept { return *signs_; }
  /// Names the request that is being worked on: a crash from here on is held against it, also when
  /// the request was deferred and the current message is somebody else's reply.
  void handling(const request_meta& m) {
    suspect_trace_ = m.trace_id;
    suspect_ = m.fingerprint;
  }

 protected:
  void install_handlers(caf::scheduled_actor& self);

  observatory& sky_;
  std::shared_ptr<vital_signs> signs_;
  std::string suspect_trace_;
  std::uint64_t suspect_ = 0;
};

/// A typed actor that counts, times, keeps a black box, and runs at home.
template <class Interface>
class observed : public Interface::base, public birthmark {
 public:
  using super = typename Interface::base;

  observed(caf::actor_config& cfg, observatory& sky, std::shared_ptr<vital_signs> signs)
      : super(cfg), birthmark(sky, std::move(signs)) {
    install_handlers(*this);
  }

  using super::consume;
  using super::enqueue;

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* where) override {
    signs_->arrived();
    super::enqueue(std::move(what), sky_.home() != nullptr ? sky_.home() : where);
  }

  caf::resumable::resume_result resume(caf::execution_unit* where, std::size_t most) override {
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = super::resume(where, most);
    // Another thread may already run this actor: atomics only.
    signs_->spent(std::chrono::steady_clock::now() - start);
    return outcome;
  }

  caf::invoke_message_result consume(caf::mailbox_element& x) override {
    signs_->begun();
    suspect_ = 0;
    return super::consume(x);
  }
};

/// Holds a State from birth to death. Unlike caf::stateful_actor it passes constructor arguments,
/// and a constructor that throws is an ordinary crash with a black box.
template <class State>
class cell final : public observed<typename State::interface> {
 public:
  using super = observed<typename State::interface>;

  template <class... Args>
  cell(caf::actor_config& cfg, observatory* sky, std::shared_ptr<vital_signs> signs, Args... args)
      : super(cfg, *sky, std::move(signs)),
        birth_([this, ... args = std::move(args)]() mutable { state_.emplace(this, std::move(args)...); }) {}

  const char* name() const override { return State::name; }
  void on_exit() override {
    this->signs_->turn(vital_state::stopped);
    state_.reset();
  }

 private:
  typename super::behavior_type make_behavior() override {
    std::exchange(birth_, nullptr)();
    return state_->behavior();
  }

  std::function<void()> birth_;
  std::optional<State> state_;
};

template <class State>
using self_pointer = observed<typename State::interface>*;

/// Where a child is born: under its parent, or at the root of the system.
struct cradle {
  template <class Interface>
  cradle(observed<Interface>* p) : parent(p), sky(&p->sky()), parent_id(p->signs().card.id) {}
  cradle(caf::actor_system& s, observatory& o) : system(&s), sky(&o) {}

  caf::local_actor* parent = nullptr;
  caf::actor_system* system = nullptr;
  observatory* sky;
  std::optional<std::string> parent_id;
};

/// The only way into life. `id` is the actor's name in the tree; its parent is filled in here.
template <class State, caf::spawn_options Options = caf::no_spawn_options, class... Args>
typename State::handle spawn(cradle where, identity_card card, Args... args) {
  card.parent = where.parent_id;
  auto signs = where.sky->admit(card);
  if (where.parent == nullptr)
    return where.system->spawn<cell<State>, Options>(where.sky, std::move(signs), std::move(args)...);
  return where.parent->spawn<cell<State>, Options>(where.sky, std::move(signs), std::move(args)...);
}

/// An answer that is owed. Answers COMMIT_IN_DOUBT when it dies: CAF 0.17 would let the asker wait.
template <local_message Reply>
class promise {
 public:
  template <class Self>
  explicit promise(Self* self) : inner_(self->template make_response_promise<Reply>()) {}
  promise(promise&&) noexcept = default;
  promise& operator=(promise&& other) noexcept {
    if (this != &other) {
      abandon();
      inner_ = std::move(other.inner_);
    }
    return *this;
  }
  ~promise() { abandon(); }

  bool owed() const { return inner_.pending(); }
  void deliver(Reply reply) { std::exchange(inner_, {}).deliver(std::move(reply)); }
  void refuse(error e) { std::exchange(inner_, {}).deliver(as_caf(std::move(e))); }
  /// Passes an error of CAF's on, so that an exception's text keeps travelling as one.
  void fail(const caf::error& e) { std::exchange(inner_, {}).deliver(e); }
  template <class Handle, class Message>
  void delegate(const Handle& to, Message m) {
    std::exchange(inner_, {}).delegate(to, std::move(m));
  }

 private:
  void abandon() {
    if (inner_.pending()) refuse(error{errc::commit_in_doubt}.retry_in(1));
  }

  caf::typed_response_promise<Reply> inner_;
};

/// What a handler returns when a `promise` will answer.
template <class Reply>
inline constexpr caf::delegated<Reply> later{};

}  // namespace connectord
