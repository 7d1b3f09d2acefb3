#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace connectord {

using digest256 = std::array<std::uint8_t, 32>;

digest256 sha256(std::string_view data);
digest256 hmac_sha256(std::string_view key, std::string_view data);
/// Several pieces, as if they were joined.
digest256 hmac_sha256(std::string_view key, std::initializer_list<std::string_view> pieces);

/// Length of the inputs may leak, their content does not.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;
inline std::string_view bytes_of(const digest256& d) noexcept {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}

void random_bytes(std::span<std::uint8_t> out);
/// `bytes` random bytes as URL-safe base64 without padding.
std::string random_token(std::size_t bytes);

std::string to_hex(std::string_view bytes);
/// Lower or upper case; nothing when a character or the length is off.
std::optional<std::string> from_hex(std::string_view text);
std::string to_base64(std::string_view bytes);
std::string to_base64url(std::string_view bytes);
/// Standard alphabet, padded, strict.
std::optional<std::string> from_base64(std::string_view text);
/// URL-safe alphabet without padding, strict.
std::optional<std::string> from_base64url(std::string_view text);

/// RFC 5869, SHA-256, no salt.
std::string hkdf_sha256(std::string_view key, std::string_view label, std::size_t bytes);

/// RSASSA-PKCS1-v1_5 with SHA-256; modulus and exponent are big-endian bytes (a JWK's n and e).
bool verify_rs256(std::string_view modulus, std::string_view exponent, std::string_view signed_text,
                  std::string_view signature);

/// Seals with the primary key and opens with any key of the ring (contract, section 10):
/// 0x02 | key id length | key id | nonce 12 | ciphertext | tag 16, AES-256-GCM.
class keyring {
 public:
  struct key {
    std::string id;
    secret bytes;  ///< 32 bytes
    /// Values sealed with it in this process; copies of the ring share it.
    std::shared_ptr<std::atomic<std::uint64_t>> seals = std::make_shared<std::atomic<std::uint64_t>>(0);
  };

  keyring() = default;
  explicit keyring(std::vector<key> keys) : keys_(std::move(keys)) {}

  const std::string& primary_id() const { return keys_.front().id; }
  const std::vector<key>& keys() const noexcept { return keys_; }
  bool holds(std::string_view id) const noexcept { return find(id) != nullptr; }

  std::string seal(std::string_view plain, std::string_view aad) const;
  /// Fails closed: another key, another AAD, a changed byte and plain text are all refused.
  result<secret> open(std::string_view sealed, std::string_view aad) const;
  /// The key that a sealed value names; nothing when it is no sealed value.
  static std::optional<std::string_view> key_id_of(std::string_view sealed) noexcept;

 private:
  const key* find(std::string_view id) const noexcept;

  std::vector<key> keys_;  ///< the first one is primary
};

}  // namespace connectord
