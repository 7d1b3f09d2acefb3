#include "http/server.hpp"

#include "base/log.hpp"
#include "http/server_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace connectord::web {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds accept_pause{100};

}  // namespace

server::core::core(asio::io_context& io_, const router& routes_, const authenticator& auth_, metrics& meters_,
                   server_settings settings_)
    : io(io_),
      routes(routes_),
      auth(auth_),
      meters(meters_),
      settings(std::move(settings_)),
      origins(settings.cors_origins),
      acceptor(io),
      ticker(io),
      pause(io),
      inflight(meters.http_inflight({})),
      open_gauge(meters.http_connections({})),
      per_route_(routes.routes().size() + 1) {}

asio::awaitable<void> server::core::accept() {
  const auto self = shared_from_this();
  while (!stopping) {
    error_code failure;
    if (connections.size() < settings.max_connections) {
      auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (!failure && !stopping) {
        auto c = std::make_shared<connection>(self, std::move(socket));
        asio::co_spawn(
            io, [c] { return c->run(); }, asio::detached);
        continue;
      }
      if (failure == asio::error::connection_aborted) continue;
      if (failure == asio::error::operation_aborted) break;
      if (failure) log::warn("http.accept_failed", {{"error", failure.message()}});
    }
    // Out of descriptors or at the cap: the kernel's backlog holds newcomers meanwhile.
    if (stopping) break;
    pause.expires_after(accept_pause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
  }
}

asio::awaitable<void> server::core::sweep() {
  const auto self = shared_from_this();
  while (!stopping || !connections.empty()) {
    error_code ignored;
    ticker.expires_after(settings.tick);
    co_await ticker.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const auto now = steady_clock::now();
    for (auto* c : connections) c->expire_if_due(now);
    open_gauge.Set(static_cast<double>(connections.size()));
  }
}

void server::core::stop(milliseconds grace) {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  cut_at = steady_clock::now() + grace;
  for (auto* c : connections) c->end_soon();
  ticker.cancel();
}

void server::core::count(const request& r, const response& given, steady_time began) {
  const int status = given.status;
  const auto took = std::chrono::duration<double>(steady_clock::now() - began).count();
  const std::string_view name = r.route ? r.route->path : "unmatched";
  auto& mine = r.route ? per_route_[routes.index_of(*r.route)] : per_route_.back();
  if (mine.seconds == nullptr) mine.seconds = &meters.http_request_seconds({name});
  mine.seconds->Observe(took);
  const int outcome = status * 8 + static_cast<int>(r.method);
  auto seen = std::find_if(mine.by_outcome.begin(), mine.by_outcome.end(),
                           [&](const auto& entry) { return entry.first == outcome; });
  if (seen == mine.by_outcome.end()) {
    auto& counter = meters.http_requests({name, text_of(r.method), std::to_string(status)});
    seen = mine.by_outcome.insert(seen, {outcome, &counter});
  }
  seen->second->Increment();
  if (!given.rejected_for.empty()) meters.http_rejected({given.rejected_for}).Increment();
  if (!log::enabled(log::level::info)) return;
  log::info("http_request", {{"method", text_of(r.method)},
                             {"route", name},
                             {"path", r.path.raw()},
                             {"status", status},
                             {"latency_ms", took * 1000},
                             {"trace_id", r.trace_id}});
}

server::server(asio::io_context& io, const router& routes, const authenticator& auth, metrics& meters,
               server_settings settings)
    : core_(std::make_shared<core>(io, routes, auth, meters, std::move(settings))) {}

server::~server() {
  if (!core_->stopping) core_->stop(milliseconds{0});
}

boost::system::result<server::tcp::endpoint> server::listen(const tcp::endpoint& where) {
  auto& acceptor = core_->acceptor;
  error_code failure;
  acceptor.open(where.protocol(), failure);
  if (!failure) acceptor.set_option(tcp::acceptor::reuse_address{true}, failure);
  if (!failure) acceptor.bind(where, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) return failure;
  auto shared = core_;
  asio::co_spawn(
      core_->io, [shared] { return shared->accept(); }, asio::detached);
  asio::co_spawn(
      core_->io, [shared] { return shared->sweep(); }, asio::detached);
  return acceptor.local_endpoint();
}

void server::stop(milliseconds grace) { core_->stop(grace); }
bool server::stopping() const noexcept { return core_->stopping; }
std::size_t server::open_connections() const noexcept { return core_->connections.size(); }

}  // namespace connectord::web
