#pragma once

#include "base/metrics.hpp"
#include "http/auth.hpp"
#include "http/router.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/result.hpp>

#include <memory>
#include <string>
#include <vector>

namespace connectord::web {

struct server_settings {
  milliseconds header_timeout{10'000};   ///< first byte of a head to its last
  milliseconds body_timeout{30'000};     ///< head to the last byte of the body; also to take an answer
  milliseconds idle_timeout{60'000};     ///< between requests
  milliseconds request_timeout{30'000};  ///< becomes request::deadline
  milliseconds linger{2'000};            ///< discarding input after an early refusal
  milliseconds tick{250};                ///< how finely the above are kept
  std::size_t max_connections = 10'000;
  std::size_t body_limit = 1 << 20;  ///< of routes that name none
  std::vector<std::string> cors_origins{"*"};
};

/// HTTP/1.1 on one io_context, which one thread runs. Each connection is a coroutine that owns a
/// 32 KiB buffer and answers one request at a time; deadlines are swept, not timed one by one.
class server {
 public:
  using tcp = asio::ip::tcp;

  server(asio::io_context& io, const router& routes, const authenticator& auth, metrics& meters,
         server_settings settings);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Starts to accept; the real address when port 0 was asked for.
  boost::system::result<tcp::endpoint> listen(const tcp::endpoint& where);
  /// Accepts nothing more. Requests that have arrived are answered, connections get `grace` to send
  /// the rest of one or to ask once more (for /readyz), and every connection ends with its next answer.
  void stop(milliseconds grace = milliseconds{500});
  bool stopping() const noexcept;
  std::size_t open_connections() const noexcept;

 private:
  class connection;
  class core;
  std::shared_ptr<core> core_;
};

}  // namespace connectord::web
