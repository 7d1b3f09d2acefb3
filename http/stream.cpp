#include "http/stream.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace connectord::web {

void bell::ring() {
  rung_ = true;
  timer_.cancel();
}

asio::awaitable<bool> bell::wait(std::chrono::milliseconds longest) {
  if (!rung_) {
    timer_.expires_after(longest);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::exchange(rung_, false);
}

}  // namespace connectord::web
