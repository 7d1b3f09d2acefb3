#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace connectord {

/// An address, v4 ones in their v6-mapped form (::ffff:a.b.c.d), so that one comparison serves both.
using ip_address = std::array<std::uint8_t, 16>;

/// Dotted v4 or v6 without brackets and zone.
std::optional<ip_address> parse_ip(std::string_view text);
bool is_v4(const ip_address& address) noexcept;
/// 127.0.0.0/8 or ::1
bool is_loopback(const ip_address& address) noexcept;

struct ip_network {
  ip_address address{};
  unsigned prefix = 128;  ///< bits of the v6-mapped form: 10.0.0.0/8 has 104

  bool contains(const ip_address& other) const noexcept;
};

/// `10.0.0.0/8`, `fd00::/8` or a single address. Bits behind the prefix must be zero: 10.1.2.3/8 is
/// more likely a slip than a network.
std::optional<ip_network> parse_network(std::string_view text);

}  // namespace connectord
