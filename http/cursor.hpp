#pragma once

#include "base/crypto.hpp"
#include "base/json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace connectord::web {

/// What a cursor is good for. Another endpoint, tenant or filter set makes another cursor.
struct cursor_scope {
  std::string_view endpoint;  ///< the route's template
  std::string_view tenant;    ///< empty on operator lists
  std::string_view filters;   ///< every filter, canonically: what the caller makes of equal ones is equal
};

/// Positions in a list, handed to clients and taken back only as they were made (contract, 2.5):
/// base64url of 0x01 | JSON position | 16 bytes of MAC. Any key of the ring verifies.
class cursor_codec {
 public:
  explicit cursor_codec(const keyring& keys);

  std::string encode(const json::value& position, const cursor_scope& scope) const;
  /// VALIDATION_FAILED with `details.cursor`, whatever is wrong.
  result<json::value> decode(std::string_view cursor, const cursor_scope& scope) const;

 private:
  std::vector<std::string> mac_keys_;  ///< the first one makes
};

}  // namespace connectord::web
