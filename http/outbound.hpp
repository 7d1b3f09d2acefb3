#pragma once

#include "base/ip_network.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "http/outbound_target.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace connectord::web {

namespace asio = boost::asio;

struct outbound_settings {
  std::vector<std::string> allowed_hosts;    ///< lower case; may have private addresses
  std::vector<ip_network> allowed_networks;  ///< may be reached although they are private
  bool relaxed = false;                      ///< loopback may be reached, and without TLS
  milliseconds connect_timeout{5'000};       ///< name, TCP and TLS, all addresses together
  milliseconds first_byte_timeout{10'000};   ///< of the answer, once the request is written
  milliseconds total_timeout{30'000};
  milliseconds idle_timeout{15'000};  ///< how long a connection is kept for the next call
  std::size_t most_bytes = 16 * 1024 * 1024;
  std::string authorities;  ///< a PEM file; empty: those of the system
};

/// False for whatever is no public unicast address: loopback, private, link-local (with the metadata
/// services of clouds), carrier-grade NAT, multicast, documentation, translated and reserved ranges.
bool is_public(const ip_address& address) noexcept;

/// Calls the world outside and nothing inside: a name's addresses are checked before one of them is
/// connected to, and that very address it is. No proxies, no codings, and redirects only where the
/// request asks for them. Used on the thread of its io_context.
class outbound_client {
 public:
  static constexpr int most_redirects = 3;
  static constexpr std::size_t most_kept = 64;  ///< connections; one more ends the oldest

  outbound_client(asio::io_context& io, outbound_settings settings);
  ~outbound_client();

  /// What came of it. A request that cannot or must not be sent is a network_error; an answer over
  /// the cap is too_large; one that ends early is a network_error; a coded one is malformed.
  asio::awaitable<http_response> send(http_request request, steady_time deadline);
  /// The same for whoever does not wait in a coroutine. `done` is called exactly once.
  void start(http_request request, steady_time deadline, std::function<void(http_response)> done);

 private:
  struct connection;
  using connection_ptr = std::unique_ptr<connection>;
  using addresses = std::vector<asio::ip::tcp::endpoint>;
  template <class T>
  using or_failure = boost::system::result<T, call_failure>;
  struct exchanged;

  asio::awaitable<http_response> call(const http_request& r, const target& to, steady_time deadline);
  asio::awaitable<or_failure<connection_ptr>> dial(const target& to, steady_time deadline);
  asio::awaitable<or_failure<addresses>> resolve(const target& to, steady_time deadline);
  bool permits(const target& to, const addresses& found) const;
  asio::awaitable<exchanged> exchange(connection& c, const http_request& r, const target& to,
                                      steady_time deadline);
  template <class Stream>
  asio::awaitable<exchanged> exchange_over(Stream& stream, const http_request& r, const target& to,
                                           steady_time deadline);
  template <class Stream>
  asio::awaitable<boost::system::error_code> read_answer(Stream& stream, boost::beast::flat_buffer& buffer,
                                                         bool head_only, exchanged& out);

  /// The one that was used last: it is the least likely to be closed.
  connection_ptr take_kept(const std::string& origin);
  void keep(connection_ptr c);

  asio::io_context& io_;
  outbound_settings settings_;
  asio::ssl::context tls_;
  std::vector<connection_ptr> kept_;  ///< oldest first
};

}  // namespace connectord::web
