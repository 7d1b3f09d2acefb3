#include "base/crockford.hpp"

#include "base/crypto.hpp"

#include <array>

namespace connectord {

std::string crockford_id(std::string_view prefix) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::array<std::uint8_t, 26> random;
  random_bytes(random);
  std::string id{prefix};
  for (const auto byte : random) id.push_back(alphabet[byte & 31]);
  return id;
}

}  // namespace connectord
