#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace connectord::storage {

/// For the statement caches: looks up by view without making a string.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

/// Our statements are a small fixed set; a cache that grows beyond this is emptied.
inline constexpr std::size_t max_cached_statements = 256;

inline error because(errc code, std::string_view name, std::string_view reason) {
  return error{code}.with(name, boost::json::string_view{reason});
}
inline error unavailable(std::string_view reason) {
  return because(errc::database_unavailable, "reason", reason);
}
inline error wrong_statement(std::string_view reason) { return because(errc::internal, "reason", reason); }
inline error unique_conflict(std::string_view columns) {
  return because(errc::conflict, "constraint", columns);
}

}  // namespace connectord::storage
