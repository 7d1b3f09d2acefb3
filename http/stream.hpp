#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <string_view>

namespace connectord::web {

namespace asio = boost::asio;

/// Wakes one coroutine of its io_context. A ring while nobody waits is kept.
class bell {
 public:
  explicit bell(asio::io_context& io) : timer_(io) {}

  void ring();
  /// True when it rang, false when `longest` went by.
  asio::awaitable<bool> wait(std::chrono::milliseconds longest);

 private:
  asio::steady_timer timer_;
  bool rung_ = false;
};

/// An answer without a length, while it is written. It ends with the connection.
class stream {
 public:
  /// Waits until the socket takes all of it; false when the reader is gone, or takes nothing for too long.
  virtual asio::awaitable<bool> write(std::string_view bytes) = 0;
  /// As bell::wait; also true once the stream is not open any more.
  virtual asio::awaitable<bool> wait(bell& b, std::chrono::milliseconds longest) = 0;
  /// False when the reader has gone or the server stops.
  virtual bool open() const = 0;

 protected:
  ~stream() = default;
};

/// Writes such an answer; returns when it is over.
using producer = std::function<asio::awaitable<void>(stream&)>;

}  // namespace connectord::web
