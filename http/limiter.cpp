#include "http/limiter.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

constexpr seconds window{60};
constexpr milliseconds slot{50};

/// An element of X-Forwarded-For: an address, maybe with a port.
std::optional<ip_address> parse_hop(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == text.npos ? std::nullopt : parse_ip(text.substr(1, end - 1));
  }
  if (const auto plain = parse_ip(text)) return plain;
  return parse_ip(text.substr(0, text.rfind(':')));
}

bool any_contains(const std::vector<ip_network>& networks, const ip_address& a) {
  return std::any_of(networks.begin(), networks.end(), [&](const ip_network& n) { return n.contains(a); });
}

}  // namespace

ip_address client_address(const ip_address& peer, std::string_view forwarded_for,
                          const std::vector<ip_network>& trusted) {
  auto client = peer;
  while (any_contains(trusted, client) && !forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const auto hop = parse_hop(comma == forwarded_for.npos ? forwarded_for : forwarded_for.substr(comma + 1));
    if (!hop) break;  // whoever wrote that is the last one we can name
    client = *hop;
    forwarded_for = comma == forwarded_for.npos ? std::string_view{} : forwarded_for.substr(0, comma);
  }
  return client;
}

std::optional<seconds> rate_limiter::minute::full(std::uint32_t most, steady_time now) {
  if (used == 0 || now - began >= window) {
    began = now;
    used = 0;
  }
  if (used < most) return std::nullopt;
  return std::clamp(std::chrono::ceil<seconds>(began + window - now), seconds{1}, window);
}

void rate_limiter::second::advance(steady_time now) {
  const auto to = now.time_since_epoch() / slot;
  for (auto cleared = std::max(head, to - static_cast<std::int64_t>(slots)); cleared < to;) {
    auto& count = counts[static_cast<std::size_t>(++cleared) % slots];
    used -= count;
    count = 0;
  }
  head = std::max(head, to);
}

std::optional<int> rate_limiter::admit(std::string_view provider, std::string_view tenant,
                                       const ip_address& client, steady_time now) {
  if (const auto wait = global_.full(limits_.global_per_minute, now)) return static_cast<int>(wait->count());
  forget_idle(now);
  std::string key{provider};
  ((key += '\0') += tenant) += '\0';
  key.append(reinterpret_cast<const char*>(client.data()), client.size());
  auto& mine = find(std::move(key));
  if (const auto wait = mine.window.full(limits_.per_minute, now)) return static_cast<int>(wait->count());
  mine.burst.advance(now);
  if (mine.burst.used >= limits_.burst) return 1;
  mine.burst.add();
  ++mine.window.used;
  ++global_.used;
  return std::nullopt;
}

rate_limiter::caller& rate_limiter::find(std::string key) {
  if (const auto known = index_.find(key); known != index_.end()) {
    callers_.splice(callers_.begin(), callers_, known->second);
    return callers_.front();
  }
  if (callers_.size() >= limits_.most_callers) {
    index_.erase(callers_.back().key);
    callers_.pop_back();
  }
  callers_.push_front({std::move(key), {}, {}});
  index_.emplace(callers_.front().key, callers_.begin());
  return callers_.front();
}

/// A few at a time: the list is in order of use, so the quiet ones are at its end.
void rate_limiter::forget_idle(steady_time now) {
  for (int i = 0; i < 4 && !callers_.empty() && now - callers_.back().window.began >= window; ++i) {
    if (now.time_since_epoch() / slot - callers_.back().burst.head < window / slot) return;
    index_.erase(callers_.back().key);
    callers_.pop_back();
  }
}

}  // namespace connectord::web
