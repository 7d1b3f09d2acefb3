#include "http/limiter.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <charconv>

namespace connectord::web {
namespace {

constexpr seconds window{60};
constexpr milliseconds slot{50};

std::array<std::uint8_t, 16> bytes_of(const address& a) {
  if (a.is_v6()) return a.to_v6().to_bytes();
  std::array<std::uint8_t, 16> out{};
  out[10] = out[11] = 0xff;
  const auto v4 = a.to_v4().to_bytes();
  std::copy(v4.begin(), v4.end(), out.begin() + 12);
  return out;
}

std::optional<address> parse_address(std::string_view text) {
  boost::system::error_code failure;
  auto parsed = boost::asio::ip::make_address(std::string{text}, failure);
  if (failure) return std::nullopt;
  return parsed;
}

/// An element of X-Forwarded-For: an address, maybe with a port.
std::optional<address> parse_hop(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == text.npos ? std::nullopt : parse_address(text.substr(1, end - 1));
  }
  if (const auto plain = parse_address(text)) return plain;
  return parse_address(text.substr(0, text.rfind(':')));
}

bool any_contains(const std::vector<cidr>& blocks, const address& a) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const cidr& block) { return block.contains(a); });
}

}  // namespace

std::optional<cidr> cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = parse_address(text.substr(0, slash));
  if (!base) return std::nullopt;
  const int width = base->is_v4() ? 32 : 128;
  int bits = width;
  if (slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (digits.empty() || parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
    if (bits < 0 || bits > width) return std::nullopt;
  }
  cidr out;
  out.network_ = bytes_of(*base);
  out.bits_ = bits + (128 - width);
  return out;
}

bool cidr::contains(const address& a) const noexcept {
  const auto other = bytes_of(a);
  for (int i = 0; i < 16; ++i) {
    const int relevant = std::clamp(bits_ - 8 * i, 0, 8);
    const auto mask = static_cast<std::uint8_t>(0xff00 >> relevant);
    if ((network_[i] ^ other[i]) & mask) return false;
  }
  return true;
}

address client_address(const address& peer, std::string_view forwarded_for, const std::vector<cidr>& trusted) {
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

std::optional<int> rate_limiter::admit(std::string_view provider, std::string_view tenant, const address& client,
                                       steady_time now) {
  if (const auto wait = global_.full(limits_.global_per_minute, now)) return static_cast<int>(wait->count());
  forget_idle(now);
  const auto from = bytes_of(client);
  std::string key{provider};
  ((key += '\0') += tenant) += '\0';
  key.append(reinterpret_cast<const char*>(from.data()), from.size());
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
