#include "base/uuid.hpp"

#include "base/crypto.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <utility>

namespace connectord {
namespace {

constexpr bool hyphen_at(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

/// A hexadecimal digit in lower case; zero for whatever is none. Each stored row has several ids to read.
constexpr auto hex_digits = [] {
  std::array<char, 256> table{};
  for (const char c : std::string_view{"0123456789abcdef"}) table[static_cast<unsigned char>(c)] = c;
  for (char c = 'A'; c <= 'F'; ++c) table[static_cast<unsigned char>(c)] = static_cast<char>(c + ('a' - 'A'));
  return table;
}();

/// For the random half of an id. Asking OpenSSL for as little as that costs ten times what the rest of the id
/// does, so each thread asks for a supply.
std::span<const std::uint8_t, 8> eight_random_bytes() {
  thread_local std::array<std::uint8_t, 512> supply;
  thread_local std::size_t used = supply.size();
  if (used == supply.size()) {
    random_bytes(supply);
    used = 0;
  }
  return std::span{supply}.subspan(std::exchange(used, used + 8)).first<8>();
}

}  // namespace

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
  uuid out;
  if (text.size() != out.text_.size()) return std::nullopt;
  bool valid = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char digit = hex_digits[static_cast<unsigned char>(text[i])];
    valid &= hyphen_at(i) ? text[i] == '-' : digit != 0;
    out.text_[i] = hyphen_at(i) ? '-' : digit;
  }
  if (!valid) return std::nullopt;
  if (out == uuid{}) return std::nullopt;
  return out;
}

uuid uuid::from_bytes(const std::array<std::uint8_t, 16>& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  uuid out;
  std::size_t at = 0;
  for (const auto byte : bytes) {
    if (hyphen_at(at)) ++at;
    out.text_[at++] = digits[byte >> 4];
    out.text_[at++] = digits[byte & 15];
  }
  return out;
}

uuid uuid::make() {
  // Milliseconds, then a 12-bit counter, so that ids made by one process within a millisecond
  // keep their order; the rest is random.
  static std::atomic<std::uint64_t> last{0};
  const auto now = static_cast<std::uint64_t>(now_utc().time_since_epoch().count()) << 12;
  auto seen = last.load(std::memory_order_relaxed);
  std::uint64_t next;
  do next = now > seen ? now : seen + 1;
  while (!last.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(eight_random_bytes(), bytes.begin() + 8);
  const auto millis = next >> 12;
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | ((next >> 8) & 0x0f));
  bytes[7] = static_cast<std::uint8_t>(next);
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return from_bytes(bytes);
}

uuid uuid::random() {
  std::array<std::uint8_t, 16> bytes{};
  random_bytes(bytes);
  bytes[6] = static_cast<std::uint8_t>(0x40 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return from_bytes(bytes);
}

}  // namespace connectord
