#include "http/request_gate.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace connectord::web {
namespace {

enum char_class : std::uint8_t {
  token_char = 1,
  value_char = 2,
  path_char = 4,
  query_char = 8,
  host_char = 16
};

constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&](std::string_view chars, std::uint8_t flags) {
    for (const char c : chars) table[static_cast<unsigned char>(c)] |= flags;
  };
  for (int c = 0x21; c < 0x7f; ++c) table[c] |= value_char | path_char | query_char;
  for (int c = 0x80; c < 0x100; ++c) table[c] |= value_char;
  add(" \t", value_char);
  for (int c = 0; c < 256; ++c)
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
      table[c] |= token_char | host_char;
  add("!#$%&'*+-.^_`|~", token_char);
  add("-._~!$&'()*+;=:[]%", host_char);
  for (const char c : std::string_view{"\"<>\\^`{|}#"}) table[static_cast<unsigned char>(c)] &= ~path_char;
  table['#'] &= ~query_char;
  return table;
}();

constexpr bool is(char c, std::uint8_t flags) noexcept {
  return classes[static_cast<unsigned char>(c)] & flags;
}

bool all(std::string_view text, std::uint8_t flags) noexcept {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is(c, flags); });
}

error refuse(std::string_view reason) {
  return error{errc::bad_request}.with("reason", boost::json::string{reason});
}

verb verb_of(std::string_view text) noexcept {
  for (auto v : {verb::get, verb::post, verb::head, verb::put, verb::patch, verb::delete_, verb::options})
    if (text == text_of(v)) return v;
  return verb::other;
}

/// Takes the text before `mark` and the mark itself off the front.
std::optional<std::string_view> take_until(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  if (at == text.npos) return std::nullopt;
  const auto taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

result<> read_request_line(std::string_view line, head& out) {
  const auto method = take_until(line, ' ');
  if (!method || method->empty() || method->size() > 32 || !all(*method, token_char))
    return refuse("request_line");
  out.method = verb_of(*method);
  const auto target = take_until(line, ' ');
  if (!target) return refuse("request_line");
  if (target->size() > max_target) return error{errc::uri_too_long};
  out.target = *target;
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return refuse("version");
  out.http_1_1 = out.keep_alive = line.back() == '1';
  if (out.target == "*" && out.method == verb::options) return {};
  const auto path = out.target.substr(0, out.target.find('?'));
  if (!path.starts_with('/') || !all(path, path_char) || !all(out.target.substr(path.size()), query_char))
    return refuse("target");
  return {};
}

std::string_view without_padding(std::string_view value) noexcept {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    visit(without_padding(list.substr(0, comma)));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

/// What the fields say about framing.
class framing_reader {
 public:
  explicit framing_reader(head& out) : out_(out) {}

  result<> take(const field& f) {
    switch (f.name.size()) {
      case 4: return equals_ignoring_case(f.name, "host") ? host(f.value) : result<>{};
      case 6: return equals_ignoring_case(f.name, "expect") ? expect(f.value) : result<>{};
      case 10: return equals_ignoring_case(f.name, "connection") ? connection(f.value) : result<>{};
      case 14: return equals_ignoring_case(f.name, "content-length") ? length(f.value) : result<>{};
      case 16: return equals_ignoring_case(f.name, "content-encoding") ? encoding(f.value) : result<>{};
      case 17: return equals_ignoring_case(f.name, "transfer-encoding") ? coding(f.value) : result<>{};
      default: return {};
    }
  }

  result<> finish() const {
    if (out_.chunked && out_.content_length) return refuse("two_framings");
    if (out_.chunked && !out_.http_1_1) return refuse("transfer_encoding");
    if (!has_host_ && out_.http_1_1) return refuse("host");
    return {};
  }

 private:
  result<> host(std::string_view value) {
    if (std::exchange(has_host_, true) || value.empty() || !all(value, host_char)) return refuse("host");
    return {};
  }
  result<> length(std::string_view value) {
    const bool digits = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (out_.content_length || value.empty() || value.size() > 18 || !digits) return refuse("content_length");
    std::uint64_t n = 0;
    for (const char c : value) n = n * 10 + static_cast<std::uint64_t>(c - '0');
    out_.content_length = n;
    return {};
  }
  result<> coding(std::string_view value) {
    if (std::exchange(out_.chunked, true) || !equals_ignoring_case(value, "chunked"))
      return refuse("transfer_encoding");
    return {};
  }
  result<> encoding(std::string_view value) {
    out_.coded |= !equals_ignoring_case(value, "identity");
    return {};
  }
  result<> connection(std::string_view value) {
    for_each_element(value, [&](std::string_view option) {
      if (equals_ignoring_case(option, "close")) out_.keep_alive = false;
    });
    return {};
  }
  result<> expect(std::string_view value) {
    out_.expects_continue = out_.http_1_1 && equals_ignoring_case(value, "100-continue");
    return {};
  }

  head& out_;
  bool has_host_ = false;
};

/// One field line off the front of `text`, which ends with the empty line.
result<field> read_field(std::string_view& text) {
  std::size_t colon = 0;
  while (is(text[colon], token_char)) ++colon;
  if (colon == 0 || text[colon] != ':') return refuse("header_name");  // also folded lines
  std::size_t end = colon + 1;
  while (is(text[end], value_char)) ++end;
  if (text[end] != '\r' || text[end + 1] != '\n') return refuse("header_value");
  const field f{text.substr(0, colon), without_padding(text.substr(colon + 1, end - colon - 1))};
  text.remove_prefix(end + 2);
  return f;
}

}  // namespace

std::string_view text_of(verb v) noexcept {
  constexpr std::array<std::string_view, 8> names{"GET",   "HEAD",   "POST",    "PUT",
                                                  "PATCH", "DELETE", "OPTIONS", "OTHER"};
  return names[static_cast<std::size_t>(v)];
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
         });
}

std::optional<std::string_view> head::find(std::string_view lower) const noexcept {
  for (const auto& f : fields)
    if (equals_ignoring_case(f.name, lower)) return f.value;
  return std::nullopt;
}

std::size_t head::count(std::string_view lower) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [&](const field& f) { return equals_ignoring_case(f.name, lower); }));
}

result<std::size_t> find_head_end(std::string_view received, std::size_t scanned) {
  for (auto at = received.find('\n', scanned); at != received.npos; at = received.find('\n', at + 1)) {
    if (at == 0 || received[at - 1] != '\r') return refuse("bare_line_feed");
    if (at == 1) return refuse("request_line");
    if (received[at - 2] == '\n') return at + 1;
  }
  const auto line = received.find('\n');
  if (line == received.npos) {
    if (received.size() > max_target + 64) return error{errc::uri_too_long};
  } else if (received.size() - line - 1 > max_header_block) {
    // The target is the older offence.
    return error{line > max_target + 64 ? errc::uri_too_long : errc::headers_too_large};
  }
  return std::size_t{0};
}

result<> parse_head(std::string_view text, head& out) {
  auto fields = std::move(out.fields);
  fields.clear();
  out = head{};
  out.fields = std::move(fields);

  const auto line_end = text.find("\r\n");
  if (line_end == text.npos || !text.ends_with("\r\n\r\n")) return refuse("request_line");
  if (auto line = read_request_line(text.substr(0, line_end), out); !line) return line;
  text.remove_prefix(line_end + 2);
  if (text.size() > max_header_block) return error{errc::headers_too_large};

  framing_reader framing{out};
  std::size_t seen = 0;
  while (text != "\r\n") {
    if (text.size() < 2) return refuse("header_name");
    if (++seen > max_fields) return error{errc::headers_too_large};
    const auto f = read_field(text);
    if (!f) return f.error();
    if (auto taken = framing.take(*f); !taken) return taken;
    if (f->name.find('_') == f->name.npos) out.fields.push_back(*f);
  }
  return framing.finish();
}

}  // namespace connectord::web
