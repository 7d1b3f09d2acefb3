#include "base/ip_network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace connectord {
namespace {

constexpr unsigned v4_offset = 96;
constexpr ip_address v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<ip_address> parse_ip(std::string_view text) {
  const std::string name{text};
  if (name.find('\0') != std::string::npos) return std::nullopt;
  ip_address out = v4_prefix;
  if (inet_pton(AF_INET, name.c_str(), out.data() + v4_offset / 8) == 1) return out;
  if (inet_pton(AF_INET6, name.c_str(), out.data()) == 1) return out;
  return std::nullopt;
}

bool is_v4(const ip_address& address) noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.begin() + v4_offset / 8, address.begin());
}

bool is_loopback(const ip_address& address) noexcept {
  constexpr ip_address v6_loopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address == v6_loopback || (is_v4(address) && address[v4_offset / 8] == 127);
}

bool ip_network::contains(const ip_address& other) const noexcept {
  const unsigned bytes = prefix / 8, bits = prefix % 8;
  if (!std::equal(address.begin(), address.begin() + bytes, other.begin())) return false;
  return bits == 0 || ((address[bytes] ^ other[bytes]) >> (8 - bits)) == 0;
}

std::optional<ip_network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  ip_network out{*address, 128};
  if (slash == std::string_view::npos) return out;

  const auto digits = text.substr(slash + 1);
  const unsigned offset = text.find(':') == std::string_view::npos ? v4_offset : 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), out.prefix);
  if (failed != std::errc{} || end != digits.data() + digits.size() || out.prefix > 128 - offset)
    return std::nullopt;
  out.prefix += offset;
  for (unsigned bit = out.prefix; bit < 128; ++bit)
    if ((out.address[bit / 8] >> (7 - bit % 8)) & 1) return std::nullopt;
  return out;
}

}  // namespace connectord
