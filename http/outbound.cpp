#include "http/outbound.hpp"

#include "base/json.hpp"
#include "base/log.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;
using tls_stream = asio::ssl::stream<beast::tcp_stream>;

constexpr std::uint32_t most_head_bytes = 32 * 1024;

template <std::size_t N>
std::array<ip_network, N> networks(const char* const (&text)[N]) {
  std::array<ip_network, N> out;
  std::ranges::transform(text, out.begin(), [](const char* t) { return parse_network(t).value(); });
  return out;
}

error failed(std::string_view reason, int status = 0) {
  return error{errc::provider_error}.with("provider", json::object{{"status", status}, {"error", reason}});
}

error failed(const error_code& why) {
  if (why == beast::error::timeout) return failed("timeout");
  const bool cut = why == http::error::end_of_stream || why == http::error::partial_message;
  if (!cut && why.category() == make_error_code(http::error::bad_version).category())
    return failed("malformed_response");
  return failed("network_error");
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

ip_address plain(const asio::ip::address& a) {
  const auto v6 = a.is_v6() ? a.to_v6() : make_address_v6(asio::ip::v4_mapped, a.to_v4());
  return v6.to_bytes();
}

}  // namespace

std::optional<std::string_view> http_answer::header(std::string_view lower_case_name) const {
  const auto found = std::ranges::find(headers, lower_case_name, &header_list::value_type::first);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

bool is_public(const ip_address& address) noexcept {
  static const auto closed_v4 =
      networks({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
                "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"});
  // Of v6 only 2000::/3 is handed out, and in it some ranges stand for v4 addresses or documentation.
  static const auto open_v6 = parse_network("2000::/3").value();
  static const auto closed_v6 = networks({"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"});
  const auto holds = [&](const ip_network& n) { return n.contains(address); };
  if (is_v4(address)) return std::ranges::none_of(closed_v4, holds);
  return open_v6.contains(address) && std::ranges::none_of(closed_v6, holds);
}

struct outbound_client::target {
  bool tls = true;
  std::string host;  ///< lower case, v6 without brackets
  std::string port, authority, path;

  static std::optional<target> parse(std::string_view text) {
    const auto url = boost::urls::parse_uri(text);
    if (!url || url->has_userinfo() || url->host_address().empty()) return std::nullopt;
    target t;
    t.tls = url->scheme_id() == boost::urls::scheme::https;
    if (!t.tls && url->scheme_id() != boost::urls::scheme::http) return std::nullopt;
    t.host = lower(url->host_address());
    t.port = url->has_port() ? std::string{url->port()} : t.tls ? "443" : "80";
    t.authority = std::string{url->encoded_host_and_port()};
    t.path = std::string{url->encoded_target()};
    if (t.path.empty() || t.path.front() != '/') t.path.insert(0, "/");
    return t;
  }
};

outbound_client::outbound_client(asio::io_context& io, outbound_settings settings)
    : io_(io), settings_(std::move(settings)), tls_(asio::ssl::context::tls_client) {
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  tls_.set_verify_mode(asio::ssl::verify_peer);
  if (settings_.authorities.empty())
    tls_.set_default_verify_paths();
  else
    tls_.load_verify_file(settings_.authorities);
}

/// A lookup cannot be called off; past the deadline nobody waits for it any more.
asio::awaitable<result<outbound_client::addresses>> outbound_client::resolve(const target& to,
                                                                             steady_time deadline) {
  struct lookup {
    explicit lookup(asio::io_context& io, steady_time until) : resolver(io), over(io, until) {}
    tcp::resolver resolver;
    asio::steady_timer over;
    addresses found;
    bool done = false;
  };
  auto shared = std::make_shared<lookup>(io_, deadline);
  shared->resolver.async_resolve(to.host, to.port, [shared](error_code, tcp::resolver::results_type all) {
    for (const auto& one : all) shared->found.push_back(one.endpoint());
    shared->done = true;
    shared->over.cancel();
  });
  error_code ignored;
  if (!shared->done) co_await shared->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!shared->done) co_return failed("timeout");
  if (shared->found.empty()) co_return failed("network_error");
  co_return std::move(shared->found);
}

/// All addresses have to be fine: a name with one private address among public ones is an attack.
bool outbound_client::permits(const target& to, const addresses& found) const {
  const bool named = std::ranges::find(settings_.allowed_hosts, to.host) != settings_.allowed_hosts.end();
  return std::ranges::all_of(found, [&](const tcp::endpoint& e) {
    const auto address = plain(e.address());
    if (settings_.relaxed && is_loopback(address)) return true;
    if (!to.tls) return false;
    return named || is_public(address) ||
           std::ranges::any_of(settings_.allowed_networks,
                               [&](const ip_network& n) { return n.contains(address); });
  });
}

template <class Stream>
asio::awaitable<result<http_answer>> outbound_client::exchange(Stream& stream, const target& to,
                                                               steady_time deadline) {
  beast::get_lowest_layer(stream).expires_at(deadline);
  http::request<http::empty_body> ask{http::verb::get, to.path, 11};
  ask.set(http::field::host, to.authority);
  ask.set(http::field::user_agent, "connectord/" CONNECTORD_VERSION);
  ask.set(http::field::accept, "application/json");
  ask.set(http::field::connection, "close");
  error_code failure;
  co_await http::async_write(stream, ask, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return failed(failure);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(most_head_bytes);
  parser.body_limit(settings_.most_bytes);
  co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return failed(failure);

  auto got = parser.release();
  http_answer out;
  out.status = static_cast<int>(got.result_int());
  if (out.status < 200 || out.status > 299) co_return failed("http_error", out.status);
  for (const auto& f : got) out.headers.emplace_back(lower(f.name_string()), std::string{f.value()});
  out.body = std::move(got.body());
  co_return out;
}

asio::awaitable<result<http_answer>> outbound_client::get(std::string url, steady_time deadline) {
  deadline = std::min(deadline, steady_clock::now() + settings_.total_timeout);
  const auto to = target::parse(url);
  if (!to) co_return failed("network_error");
  const auto found = co_await resolve(*to, deadline);
  if (!found) co_return found.error();
  if (!permits(*to, *found)) {
    log::warn("outbound.refused", {{"host", to->host}});
    co_return failed("network_error");
  }

  error_code failure;
  tls_stream stream{io_, tls_};
  auto& socket = stream.next_layer();
  socket.expires_at(std::min(deadline, steady_clock::now() + settings_.connect_timeout));
  co_await socket.async_connect(*found, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return failed(failure);
  if (!to->tls) co_return co_await exchange(socket, *to, deadline);

  const bool numeric = parse_ip(to->host).has_value();
  if (!numeric && SSL_set_tlsext_host_name(stream.native_handle(), to->host.c_str()) != 1)
    co_return failed("network_error");
  stream.set_verify_callback(asio::ssl::host_name_verification{to->host});
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return failed(failure);
  co_return co_await exchange(stream, *to, deadline);
}

}  // namespace connectord::web
