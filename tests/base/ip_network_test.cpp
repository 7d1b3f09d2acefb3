#include "base/ip_network.hpp"

#include <doctest/doctest.h>

using namespace connectord;

TEST_CASE("a network contains its addresses and no others") {
  const auto holds = [](std::string_view network, std::string_view address) {
    return parse_network(network)->contains(*parse_ip(address));
  };
  CHECK(holds("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK(holds("192.0.2.128/25", "192.0.2.200"));
  CHECK_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  CHECK(holds("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(holds("192.0.2.1", "192.0.2.2"));
  CHECK(holds("fd00::/8", "fdff::1"));
  CHECK_FALSE(holds("fd00::/8", "fe00::1"));
  CHECK(holds("0.0.0.0/0", "255.1.1.1"));
  CHECK_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  CHECK(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
}

TEST_CASE("text that is no network is refused") {
  for (const auto* bad : {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8",
                          "fd00::/129", "host", "10.0.0", "[::1]", "::1/x"})
    CHECK_MESSAGE(!parse_network(bad), bad);
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1") {
  CHECK(is_loopback(*parse_ip("127.9.9.9")));
  CHECK(is_loopback(*parse_ip("::1")));
  CHECK(is_loopback(*parse_ip("::ffff:127.0.0.1")));
  CHECK_FALSE(is_loopback(*parse_ip("128.0.0.1")));
  CHECK_FALSE(is_loopback(*parse_ip("::2")));
}
