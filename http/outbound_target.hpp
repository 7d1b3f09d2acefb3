#pragma once

#include "domain/http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace connectord::web {

/// Where a request goes, as its URL says.
struct target {
  bool tls = true;
  std::string host;  ///< lower case, v6 without brackets
  std::string port;
  std::string authority;  ///< as the URL has it, for the field Host
  std::string path;       ///< with its query
  std::string url;

  /// Of an http or https URL with a plain host and without credentials.
  static std::optional<target> parse(std::string_view url);
  /// What a Location given by this target means, when it stays within the origin.
  std::optional<target> redirected(std::string_view location) const;

  std::string origin() const { return (tls ? "https://" : "http://") + host + '|' + port; }
};

/// Whether the request can be written as it stands: its method and names are tokens, its values hold
/// no control characters, and it leaves framing, Host and codings to the client.
bool well_formed(const http_request& r);

/// Whether sending it twice does no more than sending it once.
bool repeatable(const http_request& r);

}  // namespace connectord::web
