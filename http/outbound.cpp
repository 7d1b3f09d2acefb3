#include "http/outbound.hpp"

#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

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
using answer_parser = http::response_parser<http::string_body>;

constexpr std::uint32_t most_head_bytes = 32 * 1024;
constexpr std::size_t most_buffered = 64 * 1024;  ///< more than a head: chunk headers and trailers fit too
constexpr int most_interim_answers = 8;

template <std::size_t N>
std::array<ip_network, N> networks(const char* const (&text)[N]) {
  std::array<ip_network, N> out;
  std::ranges::transform(text, out.begin(), [](const char* t) { return parse_network(t).value(); });
  return out;
}

http_response failed(call_failure why) {
  http_response out;
  out.failure = why;
  return out;
}

call_failure failure_of(const error_code& why) {
  if (why == beast::error::timeout) return call_failure::timeout;
  if (why == http::error::body_limit || why == http::error::header_limit ||
      why == http::error::buffer_overflow)
    return call_failure::too_large;
  if (why == http::error::end_of_stream || why == http::error::partial_message)
    return call_failure::network_error;
  const bool of_http = why.category() == make_error_code(http::error::bad_version).category();
  return of_http ? call_failure::malformed_response : call_failure::network_error;
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

auto on_the_wire(const http_request& r, const target& to) {
  http::request<http::span_body<const char>> out;
  out.version(11);
  out.method_string(r.method);
  out.target(to.path);
  out.set(http::field::host, to.authority);
  out.set(http::field::user_agent, "connectord/" CONNECTORD_VERSION);
  out.set(http::field::accept, "application/json");
  out.set(http::field::accept_encoding, "identity");
  for (const auto& [name, value] : r.headers) out.set(name, value);
  out.body() = {r.body.data(), r.body.size()};
  out.prepare_payload();
  return out;
}

/// One reading of where the answer ends, and no coding that nobody asked for.
bool plainly_framed(const answer_parser& p) {
  const auto& head = p.get();
  const auto codings = head.count(http::field::transfer_encoding);
  if (codings > 0 && (codings > 1 || head.version() != 11 || head.count(http::field::content_length) > 0 ||
                      !beast::iequals(head[http::field::transfer_encoding], "chunked")))
    return false;
  const auto coding = head[http::field::content_encoding];
  return coding.empty() || beast::iequals(coding, "identity");
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

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

struct outbound_client::connection {
  connection(asio::io_context& io, asio::ssl::context& context, const target& to)
      : stream(io, context), tls(to.tls), origin(to.origin()) {}

  beast::tcp_stream& transport() { return stream.next_layer(); }
  /// Neither closed by the other side nor ahead of us with bytes that nobody asked for.
  bool quiet() {
    auto& socket = transport().socket();
    char byte = 0;
    error_code state;
    socket.non_blocking(true, state);
    if (!state) socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, state);
    return state == asio::error::would_block;
  }

  tls_stream stream;  ///< without TLS, only its lower layer is used
  bool tls;
  std::string origin;
  steady_time kept_since{};
};

struct outbound_client::exchanged {
  http_response answer;
  bool heard = false;     ///< some of an answer came
  bool reusable = false;  ///< the connection stands right behind it
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

outbound_client::~outbound_client() = default;

asio::awaitable<http_response> outbound_client::send(http_request request, steady_time deadline) {
  deadline = std::min(deadline, steady_clock::now() + settings_.total_timeout);
  auto to = target::parse(request.url);
  if (!to || !well_formed(request)) co_return failed(call_failure::network_error);
  int hops = request.method == "GET" ? std::min(request.redirects, most_redirects) : 0;
  for (;; --hops) {
    if (steady_clock::now() >= deadline) co_return failed(call_failure::timeout);
    auto answer = co_await call(request, *to, deadline);
    const auto location = answer.header("location");
    if (hops <= 0 || !answer.answered() || !is_redirect(answer.status) || !location) co_return answer;
    auto next = to->redirected(*location);
    if (!next) co_return answer;
    to = std::move(next);
  }
}

void outbound_client::start(http_request request, steady_time deadline,
                            std::function<void(http_response)> done) {
  asio::co_spawn(io_, send(std::move(request), deadline),
                 [done = std::move(done)](const std::exception_ptr& bug, http_response answer) {
                   if (bug) {
                     log::error("outbound.call_broke");
                     answer = failed(call_failure::network_error);
                   }
                   done(std::move(answer));
                 });
}

/// A kept connection may have been closed while nobody looked. So only what may be sent twice
/// travels on one, and when nothing at all comes back, it is sent again on a new one.
asio::awaitable<http_response> outbound_client::call(const http_request& r, const target& to,
                                                     steady_time deadline) {
  auto line = repeatable(r) ? take_kept(to.origin()) : nullptr;
  for (bool kept = line != nullptr;; kept = false) {
    if (!line) {
      auto dialled = co_await dial(to, deadline);
      if (!dialled) co_return failed(dialled.error());
      line = std::move(*dialled);
    }
    auto got = co_await exchange(*line, r, to, deadline);
    if (got.reusable) keep(std::move(line));
    const bool stale = kept && !got.heard && got.answer.failure == call_failure::network_error;
    if (!stale) co_return std::move(got.answer);
    line.reset();
  }
}

asio::awaitable<outbound_client::or_failure<outbound_client::connection_ptr>> outbound_client::dial(
    const target& to, steady_time deadline) {
  deadline = std::min(deadline, steady_clock::now() + settings_.connect_timeout);
  const auto found = co_await resolve(to, deadline);
  if (!found) co_return found.error();
  if (!permits(to, *found)) {
    log::warn("outbound.refused", {{"host", to.host}});
    co_return call_failure::network_error;
  }

  error_code failure;
  auto line = std::make_unique<connection>(io_, tls_, to);
  line->transport().expires_at(deadline);
  co_await line->transport().async_connect(*found, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return failure_of(failure);
  line->transport().socket().set_option(tcp::no_delay{true}, failure);
  if (!to.tls) co_return std::move(line);

  auto& stream = line->stream;
  const bool numeric = parse_ip(to.host).has_value();
  if (!numeric && SSL_set_tlsext_host_name(stream.native_handle(), to.host.c_str()) != 1)
    co_return call_failure::network_error;
  stream.set_verify_callback(asio::ssl::host_name_verification{to.host});
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  asio::redirect_error(asio::use_awaitable, failure));
  if (!failure) co_return std::move(line);
  const auto verdict = SSL_get_verify_result(stream.native_handle());
  if (verdict != X509_V_OK)
    log::warn("outbound.not_trusted", {{"host", to.host}, {"error", X509_verify_cert_error_string(verdict)}});
  co_return failure_of(failure);
}

/// A lookup cannot be called off; past the deadline nobody waits for it any more.
asio::awaitable<outbound_client::or_failure<outbound_client::addresses>> outbound_client::resolve(
    const target& to, steady_time deadline) {
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
  if (!shared->done) co_return call_failure::timeout;
  if (shared->found.empty()) co_return call_failure::network_error;
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

asio::awaitable<outbound_client::exchanged> outbound_client::exchange(connection& c, const http_request& r,
                                                                      const target& to,
                                                                      steady_time deadline) {
  if (c.tls) co_return co_await exchange_over(c.stream, r, to, deadline);
  co_return co_await exchange_over(c.transport(), r, to, deadline);
}

template <class Stream>
asio::awaitable<outbound_client::exchanged> outbound_client::exchange_over(Stream& stream,
                                                                           const http_request& r,
                                                                           const target& to,
                                                                           steady_time deadline) {
  exchanged out;
  error_code failure;
  beast::flat_buffer buffer{most_buffered};
  auto& transport = beast::get_lowest_layer(stream);
  transport.expires_at(deadline);
  const auto message = on_the_wire(r, to);
  co_await http::async_write(stream, message, asio::redirect_error(asio::use_awaitable, failure));
  if (!failure) {
    transport.expires_at(std::min(deadline, steady_clock::now() + settings_.first_byte_timeout));
    buffer.commit(co_await stream.async_read_some(buffer.prepare(most_head_bytes),
                                                  asio::redirect_error(asio::use_awaitable, failure)));
  }
  out.heard = !failure;
  if (out.heard) {
    transport.expires_at(deadline);
    failure = co_await read_answer(stream, buffer, r.method == "HEAD", out);
  }
  if (failure) out.answer.failure = failure_of(failure);
  if (out.reusable) transport.expires_never();
  co_return out;
}

/// Status and headers are kept also when the rest is not to be had.
template <class Stream>
asio::awaitable<error_code> outbound_client::read_answer(Stream& stream, beast::flat_buffer& buffer,
                                                         bool head_only, exchanged& out) {
  error_code failure;
  std::optional<answer_parser> parser;
  for (int interim = 0; interim <= most_interim_answers; ++interim) {
    parser.emplace();
    parser->header_limit(most_head_bytes);
    parser->body_limit(settings_.most_bytes);
    parser->skip(head_only);
    co_await http::async_read_header(stream, buffer, *parser,
                                     asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return failure;
    const auto status = parser->get().result_int();
    if (status / 100 != 1 || status == 101) break;  // nobody asked to switch protocols
  }
  const auto& head = parser->get();
  if (head.result_int() < 200 || head.result_int() > 599) co_return http::error::bad_status;
  out.answer.status = static_cast<int>(head.result_int());
  for (const auto& f : head) out.answer.headers.emplace_back(lower(f.name_string()), std::string{f.value()});
  if (!plainly_framed(*parser)) co_return http::error::bad_transfer_encoding;

  co_await http::async_read(stream, buffer, *parser, asio::redirect_error(asio::use_awaitable, failure));
  if (failure) co_return failure;
  out.answer.body = std::move(parser->get().body());
  out.reusable = parser->keep_alive() && buffer.size() == 0;
  co_return failure;
}

outbound_client::connection_ptr outbound_client::take_kept(const std::string& origin) {
  const auto expired = steady_clock::now() - settings_.idle_timeout;
  std::erase_if(kept_, [&](const auto& c) { return c->kept_since <= expired; });
  for (auto i = kept_.size(); i-- > 0;) {
    if (kept_[i]->origin != origin) continue;
    auto c = std::move(kept_[i]);
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i));
    if (c->quiet()) return c;
  }
  return nullptr;
}

void outbound_client::keep(connection_ptr c) {
  if (kept_.size() >= most_kept) kept_.erase(kept_.begin());
  c->kept_since = steady_clock::now();
  kept_.push_back(std::move(c));
}

}  // namespace connectord::web
