// The yardstick: a bare Beast server. It reads what the service reads, answers what the service answers, and
// does nothing in between. Usage: bench_baseline --body FILE (what a GET is answered with); prints its port.

#include "tools/bench_options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::size_t read_buffer = 32768;
constexpr std::uint64_t body_limit = 1 << 20;

asio::awaitable<void> serve(tcp::socket socket, const std::string& page, const std::string& accepted) {
  socket.set_option(tcp::no_delay{true});
  boost::beast::flat_buffer buffer;
  buffer.reserve(read_buffer);
  try {
    while (true) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(body_limit);
      co_await http::async_read(socket, buffer, parser, use_awaitable);
      const bool post = parser.get().method() == http::verb::post;
      http::response<http::string_body> answer{post ? http::status::accepted : http::status::ok, 11};
      answer.set(http::field::content_type, "application/json; charset=utf-8");
      answer.body() = post ? accepted : page;
      answer.prepare_payload();
      co_await http::async_write(socket, answer, use_awaitable);
    }
  } catch (const boost::system::system_error&) {  // the client has gone
  }
}

asio::awaitable<void> listen(tcp::acceptor& acceptor, const std::string& page, const std::string& accepted) {
  while (true) {
    auto socket = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), page, accepted), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const options given{argc, argv};
  std::ifstream file{given.text("body"), std::ios::binary};
  const std::string page{std::istreambuf_iterator<char>{file}, {}};
  const std::string accepted = R"({"status":"accepted","delivery_id":"01890a5d-ac96-774b-bcce-b302099a8057",)"
                               R"("receipt_id":"01890a5d-ac96-774b-bcce-b302099a8058","deduplicated":false})";

  asio::io_context context{1};
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  std::cout << acceptor.local_endpoint().port() << std::endl;
  asio::co_spawn(context, listen(acceptor, page, accepted), asio::detached);
  context.run();
}
