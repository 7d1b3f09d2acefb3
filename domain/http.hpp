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
  int redirects = 0;        ///< so many are followed, 3 at most: of a GET, and within its origin
  bool repeatable = false;  ///< beside GET, HEAD, PUT and DELETE: a POST that only reads
};

/// Host and port of an absolute URL in lower case, without credentials. For keys and logs: whoever
/// connects has to parse.
inline std::string authority_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#\\"));
  std::string out{url.substr(url.rfind('@') + 1)};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Why no answer came, or none that can be used.
enum class call_failure : std::uint8_t { none, network_error, timeout, malformed_response, too_large };

constexpr std::string_view name_of(call_failure f) {
  constexpr std::array names{"none", "network_error", "timeout", "malformed_response", "too_large"};
  return names[static_cast<std::size_t>(f)];
}

/// What came of a call: an answer of whatever status, or the reason why there is none. Hostile input.
/// After a failure there is no body, but status and headers when they had come.
struct http_response {
  int status = 0;  ///< 0: none was received
  header_list headers;
  std::string body;
  call_failure failure = call_failure::none;

  bool answered() const noexcept { return failure == call_failure::none; }
  bool ok() const noexcept { return answered() && status >= 200 && status < 300; }
  /// First header of that name, which is in lower case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return std::nullopt;
  }
};

/// The wire's word for a call that did not go well; there an answer that is too large is malformed.
constexpr std::string_view upstream_error(const http_response& r) {
  if (r.answered()) return "http_error";
  return name_of(r.failure == call_failure::too_large ? call_failure::malformed_response : r.failure);
}

}  // namespace connectord
