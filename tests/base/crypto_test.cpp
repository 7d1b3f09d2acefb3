#include "base/crypto.hpp"

#include <doctest/doctest.h>

using namespace connectord;

namespace {

std::string bytes(std::string_view hex) { return from_hex(hex).value(); }
keyring ring(std::initializer_list<const char*> ids) {
  std::vector<keyring::key> keys;
  for (const auto* id : ids) keys.push_back({id, secret{std::string(32, id[1])}});
  return keyring{std::move(keys)};
}

}  // namespace

TEST_CASE("HMAC-SHA256 agrees with RFC 4231, test case 2") {
  CHECK(to_hex(bytes_of(hmac_sha256("Jefe", "what do ya want for nothing?"))) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256("Jefe", {"what do ya ", "want for nothing?"}) ==
        hmac_sha256("Jefe", "what do ya want for nothing?"));
}

TEST_CASE("HKDF-SHA256 agrees with RFC 5869, test case 3") {
  CHECK(to_hex(hkdf_sha256(std::string(22, '\x0b'), "", 42)) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("hex and base64 read back what they wrote, and refuse what nobody writes") {
  for (const auto* hex : {"", "00", "ff", "00ff10", "deadbeef00"}) {
    const auto raw = bytes(hex);
    CHECK(to_hex(raw) == hex);
    CHECK(from_base64(to_base64(raw)) == raw);
    CHECK(from_base64url(to_base64url(raw)) == raw);
  }
  for (const auto* bad : {"0", "0g", "zz"}) CHECK_FALSE(from_hex(bad));
  for (const auto* bad : {"A", "AAA", "AA=A", "AB==", "A A=", "AA-_"}) CHECK_FALSE(from_base64(bad));
  for (const auto* bad : {"A", "AB", "AA==", "AA+/"}) CHECK_FALSE(from_base64url(bad));
}

TEST_CASE("a sealed value opens with its scope, under any key of the ring, and never looks the same twice") {
  const auto old = ring({"k1"}), both = ring({"k2", "k1"});
  const auto sealed = old.seal("token", "t|p|c");
  CHECK(both.open(sealed, "t|p|c")->reveal() == "token");
  CHECK(keyring::key_id_of(sealed) == "k1");
  CHECK(keyring::key_id_of(both.seal("token", "t|p|c")) == "k2");
  CHECK(old.seal("token", "t|p|c") != sealed);
  CHECK(sealed.find("token") == std::string::npos);
}

TEST_CASE("a ring and its copies count together what each key has sealed") {
  const auto keys = ring({"k2", "k1"});
  const auto copy = keys;
  const auto sealed = keys.seal("a", "x");
  static_cast<void>(copy.seal("b", "x"));
  CHECK(copy.open(sealed, "x")->reveal() == "a");
  CHECK(*keys.keys()[0].seals == 2);
  CHECK(*keys.keys()[1].seals == 0);
}

TEST_CASE("a sealed value that was moved, changed, cut or is no sealed value does not open") {
  const auto keys = ring({"k1"});
  const auto sealed = keys.seal("token", "t|p|c");
  CHECK_FALSE(keys.open(sealed, "t|p|other").has_value());
  CHECK_FALSE(ring({"k2"}).open(sealed, "t|p|c").has_value());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(keys.open(changed, "t|p|c").has_value());
    CHECK_FALSE(keys.open(sealed.substr(0, i), "t|p|c").has_value());
  }
  CHECK_FALSE(keys.open("token", "t|p|c").has_value());
}

TEST_CASE("a secret that was moved from is empty") {
  secret a{std::string{"hidden"}};
  const secret b{std::move(a)};
  CHECK(b.reveal() == "hidden");
  CHECK(a.empty());  // NOLINT(bugprone-use-after-move)
}
