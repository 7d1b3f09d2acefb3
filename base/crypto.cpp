#include "base/crypto.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <memory>
#include <stdexcept>

namespace connectord {
namespace {

constexpr char envelope_version = 0x02;
constexpr std::size_t nonce_size = 12, tag_size = 16;

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;

const unsigned char* raw(std::string_view s) noexcept {
  return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* raw(std::string& s) noexcept { return reinterpret_cast<unsigned char*>(s.data()); }

void must(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string{"openssl: "} + what);
}

std::string encode64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  EVP_EncodeBlock(raw(out), raw(bytes), static_cast<int>(bytes.size()));
  return out;
}

int value64(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// Unpadded, standard alphabet; refuses stray bits at the end, so that each value has one text.
std::optional<std::string> decode64(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const int v = value64(c);
    if (v < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(v);
    held += 6;
    if (held >= 8) out.push_back(static_cast<char>(bits >> (held -= 8)));
  }
  if ((bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

digest256 sha256(std::string_view data) {
  digest256 out;
  SHA256(raw(data), data.size(), out.data());
  return out;
}

digest256 hmac_sha256(std::string_view key, std::string_view data) {
  digest256 out;
  unsigned int size = 0;
  must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(data), data.size(), out.data(),
            &size) != nullptr,
       "HMAC");
  return out;
}

digest256 hmac_sha256(std::string_view key, std::initializer_list<std::string_view> pieces) {
  std::string joined;
  for (const auto piece : pieces) joined += piece;
  return hmac_sha256(key, joined);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void random_bytes(std::span<std::uint8_t> out) {
  must(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "RAND_bytes");
}

std::string random_token(std::size_t bytes) {
  std::string buffer(bytes, '\0');
  random_bytes({raw(buffer), buffer.size()});
  return to_base64url(buffer);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char c : bytes) {
    out.push_back(digits[c >> 4]);
    out.push_back(digits[c & 15]);
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto nibble = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = nibble(text[i]), low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string to_base64(std::string_view bytes) { return encode64(bytes); }

std::string to_base64url(std::string_view bytes) {
  auto out = encode64(bytes);
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (auto& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return decode64(text);
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string standard{text};
  for (auto& c : standard) {
    if (c == '+' || c == '/') return std::nullopt;
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  return decode64(standard);
}

std::string hkdf_sha256(std::string_view key, std::string_view label, std::size_t bytes) {
  const owned<EVP_KDF, EVP_KDF_free> kdf{EVP_KDF_fetch(nullptr, "HKDF", nullptr)};
  const owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context{EVP_KDF_CTX_new(kdf.get())};
  char hash[] = "SHA256";
  const OSSL_PARAM settings[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char*>(key.data()), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(label.data()), label.size()),
      OSSL_PARAM_construct_end()};
  std::string out(bytes, '\0');
  must(context && EVP_KDF_derive(context.get(), raw(out), out.size(), settings) == 1, "HKDF");
  return out;
}

bool verify_rs256(std::string_view modulus, std::string_view exponent, std::string_view signed_text,
                  std::string_view signature) {
  const owned<BIGNUM, BN_free> n{BN_bin2bn(raw(modulus), static_cast<int>(modulus.size()), nullptr)};
  const owned<BIGNUM, BN_free> e{BN_bin2bn(raw(exponent), static_cast<int>(exponent.size()), nullptr)};
  const owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder{OSSL_PARAM_BLD_new()};
  if (!n || !e || !builder || BN_num_bits(n.get()) < 2048) return false;
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  const owned<OSSL_PARAM, OSSL_PARAM_free> settings{OSSL_PARAM_BLD_to_param(builder.get())};
  const owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> maker{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
  EVP_PKEY* made = nullptr;
  if (!maker || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, settings.get()) != 1)
    return false;
  const owned<EVP_PKEY, EVP_PKEY_free> key{made};
  const owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(signed_text),
                          signed_text.size()) == 1;
}

const keyring::key* keyring::find(std::string_view id) const noexcept {
  for (const auto& k : keys_)
    if (k.id == id) return &k;
  return nullptr;
}

std::optional<std::string_view> keyring::key_id_of(std::string_view sealed) noexcept {
  if (sealed.size() < 2 || sealed[0] != envelope_version) return std::nullopt;
  const auto length = static_cast<unsigned char>(sealed[1]);
  if (sealed.size() < 2 + length + nonce_size + tag_size) return std::nullopt;
  return sealed.substr(2, length);
}

std::string keyring::seal(std::string_view plain, std::string_view aad) const {
  const auto& primary = keys_.front();
  std::string out;
  out.push_back(envelope_version);
  out.push_back(static_cast<char>(primary.id.size()));
  out += primary.id;
  const auto nonce_at = out.size();
  out.resize(nonce_at + nonce_size + plain.size() + tag_size);
  random_bytes({raw(out) + nonce_at, nonce_size});
  auto* body = raw(out) + nonce_at + nonce_size;
  const owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context{EVP_CIPHER_CTX_new()};
  int n = 0;
  must(context &&
           EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(primary.bytes.reveal()),
                              raw(out) + nonce_at) == 1 &&
           EVP_EncryptUpdate(context.get(), nullptr, &n, raw(aad), static_cast<int>(aad.size())) == 1 &&
           EVP_EncryptUpdate(context.get(), body, &n, raw(plain), static_cast<int>(plain.size())) == 1 &&
           EVP_EncryptFinal_ex(context.get(), body + n, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, body + plain.size()) == 1,
       "AES-256-GCM");
  primary.seals->fetch_add(1, std::memory_order_relaxed);
  return out;
}

result<secret> keyring::open(std::string_view sealed, std::string_view aad) const {
  const auto refused = error{errc::internal, "A stored secret cannot be opened."};
  const auto id = key_id_of(sealed);
  const auto* k = id ? find(*id) : nullptr;
  if (k == nullptr) return refused;
  sealed.remove_prefix(2 + id->size());
  const auto nonce = sealed.substr(0, nonce_size);
  const auto body = sealed.substr(nonce_size, sealed.size() - nonce_size - tag_size);
  std::string tag{sealed.substr(sealed.size() - tag_size)};
  std::string plain(body.size(), '\0');
  const owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context{EVP_CIPHER_CTX_new()};
  int n = 0;
  const bool ok =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(k->bytes.reveal()), raw(nonce)) ==
          1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &n, raw(aad), static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), raw(plain), &n, raw(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), raw(plain) + n, &n) == 1;
  secret opened{std::move(plain)};
  if (!ok) return refused;
  return opened;
}

}  // namespace connectord
