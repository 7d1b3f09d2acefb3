#pragma once

#include "http/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace connectord::web {

inline constexpr std::string_view operator_token = "operator-token-one-0123456789";

/// What the handlers of the tests work with.
struct test_app {
  explicit test_app(boost::asio::io_context& io) : gate(io, steady_time::max()) {}

  std::atomic<int> canaries{0};  ///< answered GET /canary
  std::atomic<int> handled{0};   ///< requests that reached POST /echo
  std::atomic<bool> waiting{false};
  boost::asio::steady_timer gate;  ///< GET /wait answers once it is cancelled
  std::string seen_by_admission;
};

/// A real server on a free loopback port, with its own thread.
class test_server {
 public:
  explicit test_server(server_settings settings = quick());
  ~test_server();

  static server_settings quick();

  std::uint16_t port() const { return port_; }
  test_app& app() { return app_; }
  metrics& meters() { return meters_; }
  const router& routes() const { return routes_; }
  /// Runs `f` on the server's thread and waits for it.
  void on_io(std::function<void()> f);
  std::size_t open_connections();
  void stop(milliseconds grace) {
    on_io([&] { server_.stop(grace); });
  }

 private:
  static std::vector<route> table(test_app& app);

  boost::asio::io_context io_{1};
  test_app app_{io_};
  router routes_{table(app_)};
  authenticator auth_;
  metrics meters_;
  server server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// A blocking socket to a test server.
class client {
 public:
  explicit client(std::uint16_t port);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void send(std::string_view bytes);
  /// No more will be sent; the server reads an end of stream.
  void finish();
  /// Everything until the server closes, or nothing came for five seconds.
  std::string read_all();
  /// Exactly one answer: its head, and as much body as it declares (none when `head_only`).
  std::string read_answer(bool head_only = false);
  bool closed_by_server();

 private:
  int socket_;
  std::string pending_;
};

/// Sends `bytes` on a new connection, half-closes it, returns all that comes back.
std::string talk(const test_server& server, std::string_view bytes);
/// Of the first answer in `answers`; 0 when there is none.
int status_of(std::string_view answers);
std::size_t answers_in(std::string_view bytes);
std::optional<std::string> header_of(std::string_view answer, std::string_view name);
std::string body_of(std::string_view answer);

}  // namespace connectord::web
