#pragma once

#include "base/ip_network.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Readers of single values. Each takes trimmed text and answers with nothing when it does not parse.
namespace connectord::config {

std::string_view trim(std::string_view text);
/// Parts between any of `separators`, trimmed; blank parts are dropped.
std::vector<std::string> split(std::string_view text, std::string_view separators);
std::string upper(std::string_view text);
std::string lower(std::string_view text);
/// The candidate within two edits of `text` (fewer for short texts), for "did you mean".
std::optional<std::string> closest(std::string_view text, const std::vector<std::string>& candidates);

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);

struct endpoint {
  std::string host;  ///< an address, v6 without brackets
  std::uint16_t port = 0;
};
/// `ip:port` or `[v6]:port`; port 0 asks the system for one.
std::optional<endpoint> parse_endpoint(std::string_view text);

struct url_parts {
  std::string_view scheme;  ///< as written
  std::string_view host;    ///< v6 without brackets
  std::string_view port;    ///< empty when absent
  std::string_view rest;    ///< path, query and fragment
  bool userinfo = false;
};
std::optional<url_parts> parse_url(std::string_view text);
/// https; or, where `relaxed`, http to a loopback host. No userinfo, no fragment, at most 2048 characters.
bool is_safe_url(std::string_view text, bool relaxed);
/// A safe URL that is an origin: no path beyond a single `/`, no query. The answer has no `/` at its end.
std::optional<std::string> parse_origin(std::string_view text, bool relaxed);
bool is_host(std::string_view text);

struct database_location {
  enum class engine { sqlite, postgresql };
  engine kind = engine::sqlite;
  std::string target;  ///< sqlite: the file's path; postgresql: the whole URL, which may hold a password
};
/// `sqlite:///absolute/path.db`, `sqlite://relative/path.db` or `postgresql://…`
std::optional<database_location> parse_database(std::string_view text);

struct host_list {
  std::vector<std::string> hosts;  ///< lower case
  std::vector<ip_network> networks;
};
std::optional<host_list> parse_hosts(std::string_view text);
std::optional<std::vector<ip_network>> parse_networks(std::string_view text);

/// `user@host`, `@host` or `host`; the last two mean the domain and its subdomains and both come back
/// as `@host`. Lower case.
std::optional<std::vector<std::string>> parse_mail_list(std::string_view text);

}  // namespace connectord::config
