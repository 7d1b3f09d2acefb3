#include "http/cursor.hpp"

#include <boost/json/serialize.hpp>

namespace connectord::web {
namespace {

constexpr char version = 0x01;
constexpr std::size_t mac_bytes = 16, longest = 1000;

/// Lengths stand before the pieces, so that no two scopes look alike joined.
std::string mac(std::string_view key, std::string_view position, const cursor_scope& scope) {
  std::string lengths;
  for (const auto piece : {scope.endpoint, scope.tenant, scope.filters})
    (lengths += std::to_string(piece.size())) += ':';
  const auto digest = hmac_sha256(key, {lengths, scope.endpoint, scope.tenant, scope.filters, position});
  return std::string{bytes_of(digest).substr(0, mac_bytes)};
}

error refused() { return invalid("cursor", "is not a cursor of this list"); }

}  // namespace

cursor_codec::cursor_codec(const keyring& keys) {
  for (const auto& key : keys.keys()) mac_keys_.push_back(hkdf_sha256(key.bytes.reveal(), "cursor-v1", 32));
}

std::string cursor_codec::encode(const json::value& position, const cursor_scope& scope) const {
  const auto text = json::serialize(position);
  return to_base64url(version + text + mac(mac_keys_.front(), version + text, scope));
}

result<json::value> cursor_codec::decode(std::string_view cursor, const cursor_scope& scope) const {
  if (cursor.empty() || cursor.size() > longest) return refused();
  const auto bytes = from_base64url(cursor);
  if (!bytes || bytes->size() <= 1 + mac_bytes || bytes->front() != version) return refused();
  const auto signed_part = std::string_view{*bytes}.substr(0, bytes->size() - mac_bytes);
  const auto given = std::string_view{*bytes}.substr(signed_part.size());
  bool genuine = false;
  for (const auto& key : mac_keys_) genuine |= equal_in_constant_time(mac(key, signed_part, scope), given);
  if (!genuine) return refused();
  auto position = parse_json(signed_part.substr(1));
  if (!position) return refused();
  return position;
}

}  // namespace connectord::web
