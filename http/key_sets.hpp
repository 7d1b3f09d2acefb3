#pragma once

#include "domain/provider/verify.hpp"
#include "http/outbound.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord::web {

using key_set_ptr = std::shared_ptr<const provider::key_set>;

/// The RSA signature keys of a JWKS document; nothing when there is none or it is no such document.
std::optional<provider::key_set> parse_key_set(std::string_view text);
/// How long an answer may be used: max-age of Cache-Control in 1 minute to 1 day, 5 minutes without.
seconds lifetime_of(std::string_view cache_control);

/// Key sets by URL, kept for as long as their servers say. A set is fetched once however many wait
/// for it. An unknown key id, which anybody can send, costs one fetch a minute, and all of them
/// together `most_refetches`. URLs come from provider definitions, so their number is small.
class key_sets {
 public:
  using fetcher = std::function<asio::awaitable<http_response>(std::string url, steady_time deadline)>;
  using clock = std::function<steady_time()>;
  static constexpr std::size_t most_refetches = 10;  ///< a minute and URL

  key_sets(asio::io_context& io, fetcher fetch, clock now = &std::chrono::steady_clock::now)
      : io_(io), fetch_(std::move(fetch)), now_(std::move(now)) {}

  /// The current set, after a look for news when it lacks `kid`. PROVIDER_ERROR when there is none.
  asio::awaitable<result<key_set_ptr>> find(std::string url, std::string kid);

 private:
  struct entry {
    explicit entry(asio::io_context& io) : fetched(io, steady_time::max()) {}
    key_set_ptr keys;
    steady_time fresh_until{}, retry_at{};
    error last_failure{errc::provider_error};
    std::vector<std::pair<std::string, steady_time>> unknown;  ///< ids that were fetched for
    bool fetching = false;
    asio::steady_timer fetched;  ///< cancelled when a fetch ends
  };

  static bool may_refetch(entry& e, const std::string& kid, steady_time now);
  asio::awaitable<void> refresh(std::string url, entry& e);

  asio::io_context& io_;
  fetcher fetch_;
  clock now_;
  std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace connectord::web
