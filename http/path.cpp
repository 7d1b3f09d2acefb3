#include "http/path.hpp"

#include "base/json.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

error unknown_route() { return error{errc::not_found}.with("reason", "unknown_route"); }

}  // namespace

bool percent_decode(std::string_view text, std::string& out, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_value(text[i + 2]);
    if (low < 0 || high + low == 0) return false;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

result<> path::parse(std::string_view raw) {
  raw_ = raw;
  count_ = 0;
  decoded_.clear();
  decoded_.reserve(raw.size());  // views into it must not move
  if (raw == "/") return {};
  for (auto rest = raw; !rest.empty() && (rest != "/" || count_ == 0);) {
    rest.remove_prefix(1);
    const auto text = rest.substr(0, rest.find('/'));
    rest.remove_prefix(text.size());
    auto segment = text;
    if (text.find('%') != text.npos) {
      const auto start = decoded_.size();
      if (!percent_decode(text, decoded_)) return error{errc::bad_request}.with("reason", "target");
      segment = std::string_view{decoded_}.substr(start);
      if (has_control(segment) || !is_utf8(segment)) return error{errc::bad_request}.with("reason", "target");
    }
    const bool ambiguous =
        segment.empty() || segment == "." || segment == ".." || segment.find_first_of("/\\") != segment.npos;
    if (ambiguous || count_ == most) return unknown_route();
    segments_[count_++] = segment;
  }
  return {};
}

}  // namespace connectord::web
