#include "http/server_connection.hpp"

#include "base/log.hpp"
#include "http/chunked.hpp"
#include "http/problem.hpp"
#include "http/trace.hpp"
#include "http/wire.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstring>

namespace connectord::web {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t buffer_size = 32 * 1024;
static_assert(buffer_size > max_head + 4096, "a chunked body is read behind its head");

}  // namespace

class server::connection::outlet final : public stream {
 public:
  explicit outlet(connection& c) : c_(c) {}

  asio::awaitable<bool> write(std::string_view bytes) override {
    co_await c_.send(bytes);
    c_.phase_ = phase::handler;
    co_return open();
  }
  asio::awaitable<bool> wait(bell& b, milliseconds longest) override {
    c_.waiting_ = &b;
    const bool rung = !open() || co_await b.wait(longest);
    c_.waiting_ = nullptr;
    co_return rung;
  }
  bool open() const override { return !c_.lost_ && !c_.core_->stopping; }

 private:
  connection& c_;
};

server::connection::connection(std::shared_ptr<core> shared, tcp::socket socket)
    : core_(std::move(shared)), socket_(std::move(socket)), buffer_(new char[buffer_size]) {
  core_->connections.insert(this);
  error_code ignored;
  socket_.set_option(tcp::no_delay{true}, ignored);
  socket_.non_blocking(true, ignored);
  const auto peer = socket_.remote_endpoint(ignored).address().to_string();
  request_.peer = parse_ip(std::string_view{peer}.substr(0, peer.find('%'))).value_or(ip_address{});
  enter(phase::idle, core_->settings.idle_timeout);
}

/// May run when the io_context ends, after routes and meters are gone.
server::connection::~connection() { core_->connections.erase(this); }

void server::connection::enter(phase p, milliseconds allowed) {
  phase_ = p;
  deadline_ = steady_clock::now() + allowed;
  end_soon();
}

void server::connection::expire_if_due(steady_time now) {
  if (phase_ == phase::handler || now < deadline_) return;  // handlers have deadlines of their own
  // Cancels what is pending; when nothing is, the next sweep tries again.
  expired_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

/// Answers are owed to the end; input that does not come holds up nothing.
void server::connection::end_soon() {
  if (waiting_ != nullptr && core_->stopping) waiting_->ring();
  if (phase_ != phase::handler && phase_ != phase::answer) deadline_ = std::min(deadline_, core_->cut_at);
}

asio::awaitable<void> server::connection::run() {
  const auto self = shared_from_this();
  while (keep_ && co_await read_head()) {
    const auto began = steady_clock::now();
    request_.deadline = began + core_->settings.request_timeout;
    core_->inflight.Increment();
    response made;
    std::string crash;
    try {
      made = co_await respond();
    } catch (const std::exception& e) {
      crash = e.what();
      if (crash.empty()) crash = "exception";
    }
    core_->inflight.Decrement();
    if (!crash.empty()) {
      log::error("http.handler_failed", {{"trace_id", request_.trace_id},
                                         {"route", request_.route ? request_.route->path : "unmatched"},
                                         {"error", crash}});
      made = problem(error{errc::internal}, request_);
    }
    if (!body_read_ && !skip_buffered_body()) keep_ = false;
    co_await answer(std::move(made), began);
    finish_request();
  }
  if (!body_read_ && !lost_) co_await linger();
}

asio::awaitable<std::size_t> server::connection::read_some(asio::mutable_buffer into) {
  error_code failure;
  const auto n = co_await socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, failure));
  if (failure && !expired_) lost_ = true;
  co_return failure ? 0 : n;
}

/// False when no request follows: the peer has gone, was idle for too long, or was refused.
asio::awaitable<bool> server::connection::read_head() {
  enter(phase::idle, core_->settings.idle_timeout);
  std::size_t scanned = 0;
  for (;;) {
    if (filled_ > 0 && phase_ == phase::idle) enter(phase::head, core_->settings.header_timeout);
    const auto size = find_head_end(buffered(), scanned);
    if (!size) {
      co_await refuse_head(size.error(), filled_);
      co_return false;
    }
    if (*size != 0) {
      begin_request(*size);
      if (auto parsed = parse_head({buffer_.get(), *size}, request_.head); !parsed) {
        co_await refuse_head(parsed.error(), *size);
        co_return false;
      }
      co_return true;
    }
    scanned = filled_;
    const auto n = co_await read_some(asio::buffer(buffer_.get() + filled_, buffer_size - filled_));
    if (n == 0) {
      if (!lost_ && phase_ == phase::head) co_await refuse_head(error{errc::request_timeout}, filled_);
      co_return false;
    }
    filled_ += n;
  }
}

void server::connection::begin_request(std::size_t head_size) {
  used_ = head_size;
  request_.reset();
  request_.received_at = now_utc();
  expired_ = false;
}

/// Moves what was received beyond this request to the front.
void server::connection::finish_request() {
  std::memmove(buffer_.get(), buffer_.get() + used_, filled_ - used_);
  filled_ -= used_;
  used_ = 0;
  if (core_->stopping) keep_ = false;
}

asio::awaitable<void> server::connection::refuse_head(error e, std::size_t head_size) {
  const auto began = steady_clock::now();
  if (used_ == 0) begin_request(head_size);
  request_.head = {};
  request_.method = verb::other;
  request_.path = {};
  request_.trace_id = new_trace_id();
  keep_ = body_read_ = false;
  co_await answer(problem(e, request_), began);
  if (!lost_) co_await linger();
  lost_ = true;
}

/// Framing and limits, route, method, credentials, admission, body, handler: the order of the
/// contract. A refusal before the body was read costs the client its connection, not us the body.
asio::awaitable<response> server::connection::respond() {
  auto& r = request_;
  const auto refused = [&r](const error& e) { return problem(e, r); };
  r.method = r.head.method;
  r.trace_id.clear();
  if (const auto parent = r.header("traceparent"))
    if (const auto id = trace_id_of(*parent)) {
      r.trace_id = *id;
      r.traceparent = *parent;
    }
  if (r.trace_id.empty())
    if (const auto id = r.header("x-request-id"); id && is_request_id(*id)) r.trace_id = *id;
  if (r.trace_id.empty()) r.trace_id = new_trace_id();
  body_read_ = !r.head.has_body();
  keep_ = r.head.keep_alive && !core_->stopping;
  if (r.target() == "*") co_return core_->origins.preflight("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

  const auto mark = std::min(r.target().find('?'), r.target().size());
  r.query = r.target().substr(std::min(mark + 1, r.target().size()));
  if (const auto path = r.path.parse(r.target().substr(0, mark)); !path) {
    r.dialect = dialect_at(r.path.raw());
    if (path.error().code() == errc::bad_request) keep_ = false;
    co_return refused(path.error());
  }
  r.dialect = core_->routes.dialect_of(r.path);
  if (r.head.coded && r.dialect == dialect::connectors) {
    keep_ = false;
    co_return refused(error{errc::unsupported_media_type, "Compressed bodies are not accepted."});
  }
  if (r.method == verb::options) {
    auto allow = core_->routes.allowed(r.path);
    if (!allow.empty()) co_return core_->origins.preflight(std::move(allow));
  }
  std::string allow;
  const auto found = core_->routes.find(r.method, r.path, allow);
  if (!found) {
    auto answer = refused(found.error());
    if (!allow.empty()) answer.headers.emplace_back("Allow", std::move(allow));
    co_return answer;
  }
  const auto& route = **found;
  r.route = &route;
  const auto limit = route.body_limit ? route.body_limit : core_->settings.body_limit;
  phase_ = phase::handler;
  if (route.access.kind == access_kind::proof) {
    // What the length may be depends on the provider; its admission knows.
    if (route.admit) {
      const auto admitted = co_await route.admit(r);
      if (!admitted) co_return refused(admitted.error());
    }
    if (const auto fits = r.limit_body(r.body_limit() ? r.body_limit() : limit); !fits)
      co_return refused(fits.error());
  } else {
    if (const auto fits = r.limit_body(limit); !fits) co_return refused(fits.error());
    if (route.access.kind != access_kind::public_) {
      auto who = core_->auth.admit_now(route.access, r);
      if (!who) who = co_await core_->auth.admit(route.access, r);
      if (!*who) co_return refused(who->error());
      r.who = std::move(**who);
    }
    if (route.admit) {
      const auto admitted = co_await route.admit(r);
      if (!admitted) co_return refused(admitted.error());
    }
  }
  if (const auto body = co_await read_body(); !body) {
    keep_ = false;
    co_return refused(body.error());
  }
  phase_ = phase::handler;
  co_return co_await route.handle(r);
}

asio::awaitable<result<>> server::connection::read_body() {
  if (body_read_ || skip_buffered_body()) co_return result<>{};
  enter(phase::body, core_->settings.body_timeout);
  if (request_.head.expects_continue && buffered().empty()) {
    co_await send("HTTP/1.1 100 Continue\r\n\r\n");
    enter(phase::body, core_->settings.body_timeout);
  }
  if (request_.head.chunked) co_return co_await read_chunks();
  const auto length = static_cast<std::size_t>(*request_.head.content_length);
  auto& body = request_.body;
  body.assign(buffered());
  used_ = filled_;
  while (body.size() < length) {
    // Grows as it arrives: a length alone reserves nothing.
    const auto have = body.size();
    body.resize(std::min(length, std::max(2 * have, buffer_size)));
    const auto n = co_await read_some(asio::buffer(body.data() + have, body.size() - have));
    body.resize(have + n);
    if (n == 0) co_return cut_off();
  }
  body_read_ = true;
  co_return result<>{};
}

asio::awaitable<result<>> server::connection::read_chunks() {
  chunked_decoder decoder{request_.body_limit()};
  const auto head_size = used_;
  for (;;) {
    const auto taken = decoder.feed(buffered(), request_.body);
    if (!taken) co_return taken.error();
    used_ += *taken;
    if (decoder.done()) break;
    used_ = filled_ = head_size;
    const auto n = co_await read_some(asio::buffer(buffer_.get() + filled_, buffer_size - filled_));
    if (n == 0) co_return cut_off();
    filled_ += n;
  }
  body_read_ = true;
  co_return result<>{};
}

/// A body of known length that has arrived with its head is simply taken.
bool server::connection::skip_buffered_body() {
  const auto length = request_.head.content_length;
  if (request_.head.chunked || !length || buffered().size() < *length) return false;
  request_.body.assign(buffered().substr(0, static_cast<std::size_t>(*length)));
  used_ += static_cast<std::size_t>(*length);
  return body_read_ = true;
}

/// Straight to the socket when it takes everything, which it nearly always does.
asio::awaitable<void> server::connection::send(std::string_view bytes) {
  enter(phase::answer, core_->settings.body_timeout);
  error_code failure;
  const auto n = socket_.write_some(asio::buffer(bytes), failure);
  if (!failure && n == bytes.size()) co_return;
  if (failure == asio::error::would_block || failure == asio::error::try_again) failure.clear();
  if (!failure)
    co_await asio::async_write(socket_, asio::buffer(bytes.substr(n)),
                               asio::redirect_error(asio::use_awaitable, failure));
  if (failure) lost_ = true, keep_ = false;
}

asio::awaitable<void> server::connection::answer(response r, steady_time began) {
  if (r.rest) keep_ = false;
  out_.clear();
  append_answer(out_, r, request_, core_->origins, keep_ && !core_->stopping);
  co_await send(out_);
  core_->count(request_, r, began);
  if (out_.capacity() > 1 << 18) out_ = {};  // one huge answer should not cost the connection's whole life
  if (r.rest && request_.method != verb::head && !lost_) co_await produce(r.rest);
}

asio::awaitable<void> server::connection::produce(const producer& rest) {
  const auto self = shared_from_this();
  phase_ = phase::handler;
  asio::co_spawn(
      core_->io, [self] { return self->watch(); }, asio::detached);
  outlet out{*this};
  try {
    co_await rest(out);
  } catch (const std::exception& e) {
    log::error("http.stream_failed", {{"trace_id", request_.trace_id}, {"error", e.what()}});
  }
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  socket_.cancel(ignored);
}

/// Nothing more is expected of a stream's reader, but that it goes.
asio::awaitable<void> server::connection::watch() {
  char unread[512];
  while (co_await read_some(asio::buffer(unread)) != 0) {
  }
  lost_ = true;
  if (waiting_ != nullptr) waiting_->ring();
}

/// The answer has to get past input that we will not read: a close now would reset the connection
/// and take the answer with it.
asio::awaitable<void> server::connection::linger() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  expired_ = false;
  enter(phase::linger, core_->settings.linger);
  while (co_await read_some(asio::buffer(buffer_.get(), buffer_size)) != 0 &&
         steady_clock::now() < deadline_) {
  }
}

}  // namespace connectord::web
