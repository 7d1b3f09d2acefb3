#pragma once

#include "http/server.hpp"
#include "http/wire.hpp"

#include <unordered_set>

/// The inside of the server: what its connections share, and one of them.
namespace connectord::web {

using boost::system::error_code;

/// What the connections share. They keep it alive, so that the server may go first.
class server::core : public std::enable_shared_from_this<core> {
 public:
  core(asio::io_context& io_, const router& routes_, const authenticator& auth_, metrics& meters_,
       server_settings settings_);

  asio::awaitable<void> accept();
  asio::awaitable<void> sweep();
  void stop(milliseconds grace);
  void count(const request& r, const response& given, steady_time began);

  asio::io_context& io;
  const router& routes;
  const authenticator& auth;
  metrics& meters;
  server_settings settings;
  cors origins;
  tcp::acceptor acceptor;
  asio::steady_timer ticker, pause;
  std::unordered_set<connection*> connections;
  bool stopping = false;
  steady_time cut_at = steady_time::max();  ///< after stop(): when nobody is listened to any more
  prometheus::Gauge& inflight;
  prometheus::Gauge& open_gauge;

 private:
  /// Children of the labelled metrics, so that a request does not look them up by name again.
  struct route_meters {
    prometheus::Histogram* seconds = nullptr;
    std::vector<std::pair<int, prometheus::Counter*>> by_outcome;  ///< status * 8 + verb
  };
  std::vector<route_meters> per_route_;  ///< the last one is for requests that found no route
};

class server::connection : public std::enable_shared_from_this<connection> {
 public:
  connection(std::shared_ptr<core> shared, tcp::socket socket);
  ~connection();

  asio::awaitable<void> run();
  /// Called by the sweep and by stop().
  void expire_if_due(steady_time now);
  void end_soon();

 private:
  enum class phase { idle, head, body, handler, answer, linger };

  void enter(phase p, milliseconds allowed);
  asio::awaitable<bool> read_head();
  asio::awaitable<response> respond();
  asio::awaitable<result<>> read_body();
  asio::awaitable<result<>> read_chunks();
  asio::awaitable<result<>> say_continue();
  asio::awaitable<std::size_t> read_some(asio::mutable_buffer into);
  asio::awaitable<void> send(std::string_view bytes);
  asio::awaitable<void> answer(response r, steady_time began);
  asio::awaitable<void> produce(const producer& rest);
  asio::awaitable<void> watch();
  asio::awaitable<void> refuse_head(error e, std::size_t head_size);
  asio::awaitable<void> linger();
  bool skip_buffered_body();
  void begin_request(std::size_t head_size);
  void finish_request();
  error cut_off() const { return error{expired_ ? errc::request_timeout : errc::bad_request}; }
  std::string_view buffered() const { return {buffer_.get() + used_, filled_ - used_}; }

  class outlet;

  std::shared_ptr<core> core_;
  tcp::socket socket_;
  std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;    ///< bytes at the front that belong to the request being served
  std::size_t filled_ = 0;  ///< bytes that were received
  request request_;
  std::string out_;
  steady_time deadline_{};
  phase phase_ = phase::idle;
  bool expired_ = false;
  bool keep_ = true;         ///< another request may follow
  bool body_read_ = true;    ///< the next byte is the next request's
  bool lost_ = false;        ///< the peer is gone
  bell* waiting_ = nullptr;  ///< what an open stream waits for
};

}  // namespace connectord::web
