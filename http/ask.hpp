#pragma once

#include "actors/protocol/message.hpp"

#include <boost/asio.hpp>
#include <caf/all.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace connectord {

namespace asio = boost::asio;

/// Runs actors on the thread of an io_context. It is the home of every actor of the tree (see
/// observatory::set_home): whatever thread sends, the actor runs here, so a request costs no thread
/// hop and actors never run side by side.
class io_unit final : public caf::execution_unit {
 public:
  io_unit(caf::actor_system& system, asio::io_context& io) : execution_unit(&system), io_(io) {}

  void bind_to_this_thread() { owner_ = std::this_thread::get_id(); }

  /// Takes over one reference.
  void exec_later(caf::resumable* job) override {
    if (closed_) return system().scheduler().enqueue(job);
    if (owner_.load() != std::this_thread::get_id()) return asio::post(io_, [this, job] { push(job); });
    push(job);
  }

  /// After io_context::run() has returned and nothing is posted any more: CAF's own workers finish
  /// what is left.
  void close() {
    closed_ = true;
    for (auto* job : std::exchange(jobs_, {})) system().scheduler().enqueue(job);
  }
  bool closed() const { return closed_; }

 private:
  static constexpr std::size_t most_messages = 50;

  void push(caf::resumable* job) {
    if (closed_) return system().scheduler().enqueue(job);
    jobs_.push_back(job);
    arm();
  }
  void arm() {
    if (!std::exchange(armed_, true)) asio::post(io_, [this] { run_a_round(); });
  }
  void run_a_round() {
    armed_ = false;
    for (auto n = jobs_.size(); n > 0; --n) {
      auto* job = jobs_.front();
      jobs_.pop_front();
      if (job->resume(this, most_messages) == caf::resumable::resume_later)
        jobs_.push_back(job);
      else
        caf::intrusive_ptr_release(job);
    }
    if (!jobs_.empty()) arm();
  }

  asio::io_context& io_;
  std::deque<caf::resumable*> jobs_;
  std::atomic<std::thread::id> owner_{};
  bool armed_ = false;
  std::atomic<bool> closed_{false};
};

/// Receives the answers for one io_context. Used on its thread only, except for enqueue().
class bridge final : public caf::monitorable_actor {
 public:
  using completion = std::function<void(caf::expected<caf::message>)>;

  explicit bridge(caf::actor_config& cfg) : monitorable_actor(cfg) {}

  void open(io_unit& unit, asio::io_context& io) {
    io_ = &io;
    unit_ = &unit;
    timer_ = std::make_unique<asio::steady_timer>(io);
  }

  /// Keep the bridge until await_all_actors_done(): actors may still answer it.
  void close() {
    timer_.reset();
    waiting_.clear();
    const std::lock_guard lock{mutex_};
    io_ = nullptr;
    inbox_.clear();
  }

  std::uint64_t next_id() { return ++last_id_; }
  template <class Message>
  caf::mailbox_element_ptr wrap(std::uint64_t id, const Message& m) {
    return caf::make_mailbox_element(caf::strong_actor_ptr{ctrl()}, caf::make_message_id(id), {}, m);
  }
  void start(std::uint64_t id, caf::abstract_actor* to, caf::mailbox_element_ptr what, steady_time deadline,
             completion done) {
    if (to == nullptr) return done(caf::make_error(caf::sec::request_receiver_down));
    waiting_.emplace(id, std::move(done));
    expect_by(id, deadline);
    to->enqueue(std::move(what), unit_);
  }
  std::size_t in_flight() const { return waiting_.size(); }

  using monitorable_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    asio::io_context* wake = nullptr;
    {
      const std::lock_guard lock{mutex_};
      if (io_ != nullptr && inbox_.empty()) wake = io_;
      if (io_ != nullptr) inbox_.push_back(std::move(what));
    }
    if (wake) asio::post(*wake, [this, keep = caf::strong_actor_ptr{ctrl()}] { drain(); });
  }
  void enqueue(caf::strong_actor_ptr from, caf::message_id id, caf::message content,
               caf::execution_unit* unit) override {
    enqueue(caf::make_mailbox_element(std::move(from), id, {}, std::move(content)), unit);
  }
  const char* name() const override { return "bridge"; }

 private:
  static constexpr milliseconds tick{20};

  void drain() {
    {
      const std::lock_guard lock{mutex_};
      work_.swap(inbox_);
    }
    for (auto& x : work_) {
      if (!x->mid.is_response()) continue;
      const auto id = x->mid.request_id().integer_value() & caf::message_id::request_id_mask;
      auto content = x->move_content_to_message();
      if (content.match_elements<caf::error>())
        finish(id, content.get_as<caf::error>(0));
      else
        finish(id, std::move(content));
    }
    work_.clear();
  }
  void finish(std::uint64_t id, caf::expected<caf::message> outcome) {
    if (auto found = waiting_.extract(id)) found.mapped()(std::move(outcome));
  }
  /// Deadlines are rounded up to ticks, so that thousands of requests share a few timers.
  void expect_by(std::uint64_t id, steady_time deadline) {
    const auto slot = deadline.time_since_epoch() / tick + 1;
    const bool first = wheel_.empty() || slot < wheel_.begin()->first;
    wheel_[slot].push_back(id);
    if (first) arm();
  }
  void arm() {
    timer_->expires_at(steady_time(wheel_.begin()->first * tick));
    timer_->async_wait([this, keep = caf::strong_actor_ptr{ctrl()}](boost::system::error_code ec) {
      if (ec || !timer_) return;
      const auto now = std::chrono::steady_clock::now().time_since_epoch() / tick;
      while (!wheel_.empty() && wheel_.begin()->first <= now) {
        const auto due = wheel_.extract(wheel_.begin());
        for (auto id : due.mapped()) finish(id, caf::make_error(caf::sec::request_timeout));
      }
      if (!wheel_.empty()) arm();
    });
  }

  asio::io_context* io_ = nullptr;
  io_unit* unit_ = nullptr;
  std::unique_ptr<asio::steady_timer> timer_;
  std::unordered_map<std::uint64_t, completion> waiting_;
  std::map<std::int64_t, std::vector<std::uint64_t>> wheel_;
  std::uint64_t last_id_ = 0;
  std::mutex mutex_;
  std::vector<caf::mailbox_element_ptr> inbox_, work_;
};

/// Owns a bridge: one for each io_context, one thread for each io_context.
class bridge_ptr {
 public:
  bridge_ptr(caf::actor_system& system, io_unit& unit, asio::io_context& io) {
    caf::actor_config cfg;
    ref_ =
        caf::make_actor<bridge, caf::strong_actor_ptr>(system.next_actor_id(), system.node(), &system, cfg);
    (*this)->open(unit, io);
  }
  bridge* operator->() const { return static_cast<bridge*>(ref_->get()); }

 private:
  caf::strong_actor_ptr ref_;
};

/// What the interface promises for a message; no such member means that it is not understood.
template <class Handle, class Message>
using reply_of = caf::detail::tl_head_t<caf::response_type_t<typename Handle::signatures, Message>>;

/// co_await ask(bridge, actor, named_message, deadline)  ->  result<Reply>
template <class Handle, local_message Message>
auto ask(const bridge_ptr& via, const Handle& to, const Message& m, steady_time deadline) {
  using reply = reply_of<Handle, Message>;
  const auto id = via->next_id();
  // The message is copied into its mailbox element here, before anything is suspended.
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(result<reply>)>(
      [](auto handler, bridge* b, std::uint64_t number, Handle target, caf::mailbox_element_ptr what,
         steady_time until) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto* actor = target ? caf::actor_cast<caf::abstract_actor*>(target) : nullptr;
        b->start(number, actor, std::move(what), until, [shared](caf::expected<caf::message> got) {
          auto answer =
              got ? result<reply>{got->template get_as<reply>(0)} : result<reply>{from_caf(got.error())};
          const auto executor = asio::get_associated_executor(*shared);
          asio::post(executor,
                     [shared, answer = std::move(answer)]() mutable { (*shared)(std::move(answer)); });
        });
      },
      asio::use_awaitable, via.operator->(), id, to, via->wrap(id, m), deadline);
}

/// Name the message first: GCC 12 destroys a temporary inside a co_await expression twice.
template <class Handle, local_message Message>
auto ask(const bridge_ptr&, const Handle&, const Message&&, steady_time) = delete;

}  // namespace connectord
