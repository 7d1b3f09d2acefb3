#pragma once

#include "base/ip_network.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "domain/delivery.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::web {

namespace asio = boost::asio;

struct http_answer {
  int status = 0;
  header_list headers;  ///< names in lower case
  std::string body;

  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

struct outbound_settings {
  std::vector<std::string> allowed_hosts;    ///< lower case; may have private addresses
  std::vector<ip_network> allowed_networks;  ///< may be reached although they are private
  bool relaxed = false;                      ///< loopback may be reached, and without TLS
  milliseconds connect_timeout{5'000};       ///< TCP and TLS, all addresses together
  milliseconds total_timeout{30'000};
  std::size_t most_bytes = 16 * 1024 * 1024;
  std::string authorities;  ///< a PEM file; empty: those of the system
};

/// False for whatever is no public unicast address: loopback, private, link-local (with the metadata
/// services of clouds), carrier-grade NAT, multicast, documentation, translated and reserved ranges.
bool is_public(const ip_address& address) noexcept;

/// Calls the world outside and nothing inside: a name's addresses are checked before one of them is
/// connected to, and that very address it is. No redirects, no proxies, no kept connections.
class outbound_client {
 public:
  outbound_client(asio::io_context& io, outbound_settings settings);

  /// A 2xx answer; else PROVIDER_ERROR with `details.provider` {status, error}, where `error` is
  /// network_error, timeout, http_error or malformed_response.
  asio::awaitable<result<http_answer>> get(std::string url, steady_time deadline);

 private:
  using addresses = std::vector<asio::ip::tcp::endpoint>;
  struct target;

  asio::awaitable<result<addresses>> resolve(const target& to, steady_time deadline);
  bool permits(const target& to, const addresses& found) const;
  template <class Stream>
  asio::awaitable<result<http_answer>> exchange(Stream& stream, const target& to, steady_time deadline);

  asio::io_context& io_;
  outbound_settings settings_;
  asio::ssl::context tls_;
};

}  // namespace connectord::web
