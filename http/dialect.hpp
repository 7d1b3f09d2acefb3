#pragma once

#include <cstdint>
#include <string_view>

namespace connectord::web {

/// How a path words its errors. It belongs to the path, so unknown paths and methods have one too.
enum class dialect : std::uint8_t {
  connectors,  ///< upper-case codes, application/problem+json
  tracker,     ///< the tracker's superset body (tracker-api, 1.3), application/problem+json
  client,      ///< the same as application/json: the paths that published clients call
  batch,       ///< as client, and `error` repeats the message
  facade,      ///< as client; invalid members are 422
};

/// Of a path that no route serves.
dialect dialect_at(std::string_view path) noexcept;

}  // namespace connectord::web
