#include "http/outbound_target.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

constexpr std::size_t most_url_bytes = 16 * 1024, most_field_bytes = 16 * 1024;

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (is_upper(c)) c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// What resolvers and certificates mean the same by: no spaces, zones or NULs that an escape hid.
bool is_host(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_lower(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || marks.find(c) != marks.npos;
  });
}

bool is_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

bool is_ours(const std::string& name) {
  constexpr std::array<std::string_view, 11> ours{
      "host",    "content-length", "transfer-encoding",   "connection",     "keep-alive", "te", "trailer",
      "upgrade", "expect",         "proxy-authorization", "accept-encoding"};
  return std::ranges::find(ours, lower(name)) != ours.end();
}

}  // namespace

std::optional<target> target::parse(std::string_view text) {
  if (text.size() > most_url_bytes) return std::nullopt;
  const auto url = boost::urls::parse_uri(text);
  if (!url || url->has_userinfo()) return std::nullopt;
  target t;
  t.tls = url->scheme_id() == boost::urls::scheme::https;
  if (!t.tls && url->scheme_id() != boost::urls::scheme::http) return std::nullopt;
  t.host = lower(url->host_address());
  if (!is_host(t.host)) return std::nullopt;
  t.port = url->has_port() ? std::string{url->port()} : t.tls ? "443" : "80";
  t.authority = std::string{url->encoded_host_and_port()};
  t.path = std::string{url->encoded_target()};
  if (t.path.empty() || t.path.front() != '/') t.path.insert(0, "/");
  t.url = text;
  return t;
}

std::optional<target> target::redirected(std::string_view location) const {
  const auto from = boost::urls::parse_uri(url);
  const auto to = boost::urls::parse_uri_reference(location);
  boost::urls::url whole;
  if (location.size() > most_url_bytes || !from || !to || !boost::urls::resolve(*from, *to, whole))
    return std::nullopt;
  auto next = parse(std::string_view{whole.buffer().data(), whole.buffer().size()});
  if (!next || next->origin() != origin()) return std::nullopt;
  return next;
}

bool well_formed(const http_request& r) {
  return r.method.size() <= 16 && std::ranges::all_of(r.method, is_upper) && !r.method.empty() &&
         r.method != "CONNECT" && r.method != "TRACE" && std::ranges::all_of(r.headers, [](const auto& h) {
           return h.first.size() + h.second.size() <= most_field_bytes && is_token(h.first) &&
                  is_value(h.second) && !is_ours(h.first);
         });
}

bool repeatable(const http_request& r) {
  constexpr std::array<std::string_view, 4> methods{"GET", "HEAD", "PUT", "DELETE"};
  return r.repeatable || std::ranges::find(methods, r.method) != methods.end();
}

}  // namespace connectord::web
