#include "config/parse.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include <utility>

namespace connectord::config {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

template <class Number>
std::optional<Number> read_whole(std::string_view text) {
  Number out{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && read_whole<std::uint16_t>(text).has_value();
}

bool is_loopback_host(std::string_view host) {
  if (lower(host) == "localhost") return true;
  const auto address = parse_ip(host);
  return address && is_loopback(*address);
}

/// Splits `host:port` and `[v6]:port`; the port may be absent.
bool split_authority(std::string_view text, std::string_view& host, std::string_view& port) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    const auto address = parse_ip(host);
    if (!address || host.find(':') == std::string_view::npos) return false;
  } else {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size());
    if (!is_host(host)) return false;
  }
  if (port.empty()) return true;
  port.remove_prefix(1);
  return text[static_cast<std::size_t>(port.data() - text.data()) - 1] == ':' && is_port(port);
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = text.find_first_of(separators);
    if (const auto part = trim(text.substr(0, end)); !part.empty()) out.emplace_back(part);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (auto& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::optional<std::string> closest(std::string_view text, const std::vector<std::string>& candidates) {
  std::size_t least = std::min<std::size_t>(2, text.size() / 3) + 1;
  std::optional<std::string> out;
  for (const auto& candidate : candidates)
    if (const auto edits = edits_between(text, candidate); edits < least) {
      least = edits;
      out = candidate;
    }
  return out;
}

std::optional<std::int64_t> parse_integer(std::string_view text) { return read_whole<std::int64_t>(text); }

std::optional<double> parse_number(std::string_view text) { return read_whole<double>(text); }

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  std::string_view host, port;
  if (!split_authority(text, host, port) || port.empty() || !parse_ip(host)) return std::nullopt;
  return endpoint{std::string{host}, *read_whole<std::uint16_t>(port)};
}

std::optional<url_parts> parse_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c >= 0x7f; }))
    return std::nullopt;
  url_parts out;
  out.scheme = text.substr(0, colon);
  auto authority = text.substr(colon + 3);
  const auto end = std::min(authority.find_first_of("/?#"), authority.size());
  out.rest = authority.substr(end);
  authority = authority.substr(0, end);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    out.userinfo = true;
    authority.remove_prefix(at + 1);
  }
  if (!split_authority(authority, out.host, out.port)) return std::nullopt;
  return out;
}

bool is_safe_url(std::string_view text, bool relaxed) {
  const auto url = parse_url(text);
  if (!url || url->userinfo || text.size() > 2048 || url->rest.find('#') != std::string_view::npos)
    return false;
  const auto scheme = lower(url->scheme);
  return scheme == "https" || (relaxed && scheme == "http" && is_loopback_host(url->host));
}

std::optional<std::string> parse_origin(std::string_view text, bool relaxed) {
  if (text.ends_with('/')) text.remove_suffix(1);
  if (!is_safe_url(text, relaxed) || !parse_url(text)->rest.empty()) return std::nullopt;
  return lower(text);
}

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('.', start), text.size());
    const auto label = text.substr(start, end - start);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; }))
      return false;
    start = end + 1;
  }
  return true;
}

std::optional<database_location> parse_database(std::string_view text) {
  constexpr std::string_view sqlite = "sqlite://", postgresql = "postgresql://";
  using engine = database_location::engine;
  if (text.starts_with(postgresql) && text.size() > postgresql.size())
    return database_location{engine::postgresql, std::string{text}};
  if (!text.starts_with(sqlite)) return std::nullopt;
  const auto path = text.substr(sqlite.size());
  // SQLite gives `:memory:` and the like a meaning of its own: no file, so nothing would be durable.
  if (path.empty() || path.starts_with(':') || path.ends_with('/') ||
      path.find_first_of("?#") != std::string_view::npos)
    return std::nullopt;
  return database_location{engine::sqlite, std::string{path}};
}

std::optional<host_list> parse_hosts(std::string_view text) {
  host_list out;
  for (const auto& entry : split(text, ",")) {
    if (const auto network = parse_network(entry))
      out.networks.push_back(*network);
    else if (is_host(entry) && entry.find_first_not_of("0123456789.") != std::string::npos)
      out.hosts.push_back(lower(entry));
    else
      return std::nullopt;
  }
  return out;
}

std::optional<std::vector<ip_network>> parse_networks(std::string_view text) {
  auto list = parse_hosts(text);
  if (!list || !list->hosts.empty()) return std::nullopt;
  return std::move(list->networks);
}

std::optional<std::vector<std::string>> parse_mail_list(std::string_view text) {
  auto entries = split(text, ",");
  for (auto& entry : entries) {
    entry = lower(entry);
    const auto at = entry.find('@');
    if (at == std::string::npos) entry.insert(0, "@");
    const auto user = std::string_view{entry}.substr(0, at == std::string::npos ? 0 : at);
    if (!is_host(std::string_view{entry}.substr(user.size() + 1)) ||
        user.find_first_of(" \t\"<>") != std::string_view::npos)
      return std::nullopt;
  }
  return entries;
}

}  // namespace connectord::config
