#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord {

/// Names in lower case, in the order of arrival.
using header_list = std::vector<std::pair<std::string, std::string>>;

/// A call to a provider as a value: whoever decides what to ask does no I/O.
struct http_request {
  std::string method = "GET";
  std::string url;  ///< absolute, with its query
  header_list headers;
  std::string body;
};

/// Why no answer came.
enum class call_failure : std::uint8_t { none, network_error, timeout, malformed_response, too_large };

constexpr std::string_view name_of(call_failure f) {
  constexpr std::array names{"none", "network_error", "timeout", "malformed_response", "too_large"};
  return names[static_cast<std::size_t>(f)];
}

/// What came of a call: an answer of whatever status, or the reason why there is none. Hostile input.
struct http_response {
  int status = 0;  ///< 0: no answer
  header_list headers;
  std::string body;
  call_failure failure = call_failure::none;

  bool ok() const noexcept { return status >= 200 && status < 300; }
  /// First header of that name, which is in lower case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return std::nullopt;
  }
};

}  // namespace connectord
