#include "tests/http/fixture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <future>
#include <stdexcept>

namespace connectord::web {
namespace {

asio::awaitable<response> canary(test_app& app, request&) {
  ++app.canaries;
  co_return response::json(200, R"({"canary":true})");
}
asio::awaitable<response> echo(test_app& app, request& r) {
  ++app.handled;
  co_return response::text("application/octet-stream", r.body);
}
asio::awaitable<response> item(test_app&, request& r) {
  co_return response::json(200, "{\"id\":\"" + std::string{r.param("id")} + "\"}");
}
asio::awaitable<response> static_item(test_app&, request&) {
  co_return response::json(200, R"({"id":"static"})");
}
asio::awaitable<response> members(test_app&, request& r) {
  const auto body = r.json_body();
  if (!body) throw_exception_from_error(body.error(), {});
  co_return response::json(200, std::to_string(body->size()));
}
asio::awaitable<response> boom(test_app&, request&) {
  throw std::runtime_error("secret of the handler");
  co_return response{};
}
asio::awaitable<response> wait(test_app& app, request&) {
  app.waiting = true;
  boost::system::error_code ignored;
  co_await app.gate.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return response::json(200, R"({"waited":true})");
}
asio::awaitable<response> whoami(test_app&, request& r) {
  co_return response::json(200, "{\"tenant\":\"" + r.tenant().str() + "\"}");
}
asio::awaitable<response> peer(test_app&, request& r) {
  co_return response::json(200, std::to_string(r.all_headers().size()));
}
/// Knows a limit by provider, like the intake of webhooks.
asio::awaitable<result<>> narrow(test_app& app, request& r) {
  app.seen_by_admission = r.body;
  if (r.param("provider") == "unknown") co_return error{errc::not_found};
  co_return r.limit_body(r.param("provider") == "tiny" ? 4 : 4096);
}
asio::awaitable<result<tenant_token>> no_tokens(std::string) { co_return error{errc::unauthorized}; }

}  // namespace

std::vector<route> test_server::table(test_app& app) {
  std::vector<route> t;
  const auto add = [&](verb method, std::string_view path, std::string_view id, auto* f) -> route& {
    t.push_back({method, path, id, "test", "A route of the tests", open_to_all, {{200, "Health"}}});
    t.back().handle = on(&app, f);
    return t.back();
  };
  add(verb::get, "/", "root", &canary);
  add(verb::get, "/canary", "canary", &canary);
  add(verb::post, "/echo", "echo", &echo).payload = payload::raw;
  add(verb::post, "/small", "small", &echo).body_limit = 16;
  add(verb::get, "/items/{id}", "get_item", &item);
  add(verb::delete_, "/items/{id}", "delete_item", &item);
  add(verb::get, "/items/static", "static_item", &static_item);
  add(verb::get, "/items/{id}/parts/{part}", "get_part", &item);
  auto& json = add(verb::post, "/json", "members", &members);
  json.payload = payload::json;
  json.body_schema = "CreateTenant";
  add(verb::get, "/boom", "boom", &boom);
  add(verb::get, "/wait", "wait", &wait);
  add(verb::get, "/peer", "peer", &peer);
  auto& who = add(verb::post, "/whoami", "whoami", &whoami);
  who.access = tenant_with("jobs:read");
  who.payload = payload::optional_json;
  who.body_schema = "StartSync";
  add(verb::get, "/ops", "ops", &canary).access = operators_only;
  auto& hook = add(verb::post, "/hooks/{provider}", "hook", &echo);
  hook.access = by_proof;
  hook.payload = payload::raw;
  hook.admit = before(&app, &narrow);
  return t;
}

server_settings test_server::quick() {
  server_settings s;
  s.tick = milliseconds{5};
  s.linger = milliseconds{300};
  s.body_limit = 64 * 1024;
  return s;
}

test_server::test_server(server_settings settings)
    : auth_({secret{std::string{operator_token}}}, &no_tokens),
      server_(io_, routes_, auth_, meters_, settings) {
  const auto where = server_.listen({asio::ip::address_v4::loopback(), 0});
  if (!where) throw std::runtime_error(where.error().message());
  port_ = where->port();
  thread_ = std::thread{[this] { io_.run(); }};
}

test_server::~test_server() {
  on_io([this] {
    server_.stop(milliseconds{0});
    io_.stop();
  });
  thread_.join();
}

void test_server::on_io(std::function<void()> f) {
  std::promise<void> done;
  asio::post(io_, [&] {
    f();
    done.set_value();
  });
  done.get_future().wait();
}

std::size_t test_server::open_connections() {
  std::size_t n = 0;
  on_io([&] { n = server_.open_connections(); });
  return n;
}

client::client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{5, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("connect failed");
}

client::~client() { ::close(socket_); }

void client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // the server has seen enough
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void client::finish() { ::shutdown(socket_, SHUT_WR); }

std::string client::read_all() {
  char block[16 * 1024];
  for (;;) {
    const auto n = ::recv(socket_, block, sizeof block, 0);
    if (n <= 0) return std::exchange(pending_, {});
    pending_.append(block, static_cast<std::size_t>(n));
  }
}

std::string client::read_answer(bool head_only) {
  char block[16 * 1024];
  for (;;) {
    const auto end = pending_.find("\r\n\r\n");
    if (end != pending_.npos) {
      const auto length = header_of(pending_.substr(0, end + 4), "Content-Length");
      const auto whole = end + 4 + (length && !head_only ? std::stoul(*length) : 0);
      if (pending_.size() >= whole) {
        auto answer = pending_.substr(0, whole);
        pending_.erase(0, whole);
        return answer;
      }
    }
    const auto n = ::recv(socket_, block, sizeof block, 0);
    if (n <= 0) return {};
    pending_.append(block, static_cast<std::size_t>(n));
  }
}

bool client::closed_by_server() {
  char byte;
  return pending_.empty() && ::recv(socket_, &byte, 1, 0) == 0;
}

std::string talk(const test_server& server, std::string_view bytes) {
  client c{server.port()};
  c.send(bytes);
  c.finish();
  return c.read_all();
}

int status_of(std::string_view answers) {
  return answers.starts_with("HTTP/1.1 ") ? std::stoi(std::string{answers.substr(9, 3)}) : 0;
}

std::size_t answers_in(std::string_view bytes) {
  std::size_t n = 0;
  for (auto at = bytes.find("HTTP/1.1 "); at != bytes.npos; at = bytes.find("HTTP/1.1 ", at + 1)) ++n;
  return n;
}

std::optional<std::string> header_of(std::string_view answer, std::string_view name) {
  const auto start = answer.find("\r\n" + std::string{name} + ": ");
  if (start == answer.npos || start > answer.find("\r\n\r\n")) return std::nullopt;
  const auto value = answer.substr(start + name.size() + 4);
  return std::string{value.substr(0, value.find("\r\n"))};
}

std::string body_of(std::string_view answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == answer.npos ? std::string{} : std::string{answer.substr(end + 4)};
}

}  // namespace connectord::web
