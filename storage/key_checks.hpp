#pragma once

#include "storage/session.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// A known text sealed with one key of the ring: tells a wrong key from the right one at start.
struct key_check {
  std::string key_id;
  std::string ciphertext;
};

result<std::vector<key_check>> load_key_checks(session& s);
/// Keeps what is there: the first value of a key stands.
result<> store_key_check(session& s, const key_check& check);

}  // namespace connectord::storage
