#include "base/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace connectord {
namespace {

std::string_view view(const json::string& s) { return {s.data(), s.size()}; }

void canonical(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    std::vector<const json::key_value_pair*> members;
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* m) { return std::string_view{m->key()}; });
    out.push_back('{');
    for (const auto* member : members) {
      if (out.back() != '{') out.push_back(',');
      append_json_string(out, member->key());
      out.push_back(':');
      canonical(out, member->value());
    }
    out.push_back('}');
  } else if (const auto* array = value.if_array()) {
    out.push_back('[');
    for (const auto& item : *array) {
      if (out.back() != '[') out.push_back(',');
      canonical(out, item);
    }
    out.push_back(']');
  } else {
    out += json::serialize(value);
  }
}

/// Makes values of what Boost.JSON's parser comes across, as its own handler does, but for doubles: 1.81 is
/// off by the last digit for some, so that a number would wander each time it is read and written, and reads
/// what no double can hold as an infinity, which no JSON text can say again.
class exact_handler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  json::value release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t size, json::error_code&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t size, json::error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_key(s);
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_chars(s);
    return true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    stack_.push_string(s);
    return true;
  }
  bool on_number_part(json::string_view s, json::error_code&) {
    number_.append(s.data(), s.size());
    return true;
  }
  bool on_int64(std::int64_t n, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_int64(n);
    return true;
  }
  bool on_uint64(std::uint64_t n, json::string_view, json::error_code&) {
    number_.clear();
    stack_.push_uint64(n);
    return true;
  }
  bool on_double(double, json::string_view s, json::error_code& failure) {
    number_.append(s.data(), s.size());
    const auto number = std::strtod(number_.c_str(), nullptr);
    number_.clear();
    if (!std::isfinite(number)) failure = json::error::exponent_overflow;
    stack_.push_double(number);
    return !failure;
  }
  bool on_bool(bool b, json::error_code&) {
    stack_.push_bool(b);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  json::value_stack stack_;
  std::string number_;  ///< as it is written
};

}  // namespace

result<json::value> parse_json(std::string_view text) {
  json::error_code failure;
  json::parse_options options;
  options.max_depth = max_json_depth;
  json::basic_parser<exact_handler> parser{options};
  const auto read = parser.write_some(false, text.data(), text.size(), failure);
  if (failure || read != text.size()) return error{errc::invalid_body};
  return parser.handler().release();
}

result<json::object> parse_json_object(std::string_view text) {
  auto value = parse_json(text);
  if (!value) return value.error();
  if (!value->is_object()) return error{errc::invalid_body};
  return std::move(value->as_object());
}

bool is_utf8(std::string_view text) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const last = p + text.size();
  while (p != last) {
    if (*p < 0x80) {
      ++p;
      continue;
    }
    const int more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
    if (*p < 0xc2 || *p > 0xf4 || last - p <= more) return false;
    // Overlong forms, surrogates and values beyond U+10FFFF show in the second byte.
    const unsigned char low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high) return false;
    for (int i = 2; i <= more; ++i)
      if ((p[i] & 0xc0) != 0x80) return false;
    p += more + 1;
  }
  return true;
}

std::size_t code_points(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

bool has_control(std::string_view text) noexcept {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view space = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string canonical_json(const json::value& value) {
  std::string out;
  canonical(out, value);
  return out;
}

const json::value* object_reader::find(std::string_view key) const {
  const auto* value = object_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool object_reader::is_null(std::string_view key) const {
  const auto* value = object_.if_contains(key);
  return value != nullptr && value->is_null();
}

void object_reader::refuse(std::string_view key, std::string_view reason) {
  problems_.emplace_back(path_.empty() ? std::string{key} : path_ + "." + std::string{key}, reason);
}

std::optional<std::string> object_reader::checked(std::string_view key, const json::value& value,
                                                  text_rules rules) {
  const auto* text = value.if_string();
  if (text == nullptr) {
    refuse(key, "must be a string");
    return std::nullopt;
  }
  const auto shown = rules.trim ? trimmed(view(*text)) : view(*text);
  if (shown.find('\0') != std::string_view::npos) {
    refuse(key, "must not hold U+0000");
    return std::nullopt;
  }
  const auto length = code_points(shown);
  if (length < rules.min || length > rules.max) {
    refuse(key, length < rules.min ? "is too short" : "is too long");
    return std::nullopt;
  }
  return std::string{shown};
}

std::string object_reader::text(std::string_view key, text_rules rules) {
  if (const auto* value = find(key)) return checked(key, *value, rules).value_or("");
  refuse(key, "is required");
  return {};
}

std::optional<std::string> object_reader::optional_text(std::string_view key, text_rules rules) {
  const auto* value = find(key);
  return value ? checked(key, *value, rules) : std::nullopt;
}

std::optional<std::int64_t> object_reader::optional_integer(std::string_view key, std::int64_t min,
                                                            std::int64_t max) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = value->if_int64(); number && *number >= min && *number <= max) return *number;
  refuse(key, "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<double> object_reader::optional_number(std::string_view key, double min, double max) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const auto number = value->to_number<double>();
    if (number >= min && number <= max) return number;
  }
  refuse(key, "must be a number within its bounds");
  return std::nullopt;
}

std::optional<bool> object_reader::optional_boolean(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = value->if_bool()) return *flag;
  refuse(key, "must be true or false");
  return std::nullopt;
}

std::optional<timestamp> object_reader::optional_time(std::string_view key) {
  const auto text = optional_text(key, {});
  if (!text) return std::nullopt;
  const auto time = parse_rfc3339(*text);
  if (!time) refuse(key, "must be an RFC 3339 time");
  return time;
}

const json::object* object_reader::optional_object(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  const auto* object = value->if_object();
  if (object == nullptr) refuse(key, "must be an object");
  return object;
}

std::vector<std::string> object_reader::texts(std::string_view key, text_rules rules) {
  std::vector<std::string> out;
  const auto* value = find(key);
  const auto* array = value ? value->if_array() : nullptr;
  if (array == nullptr) {
    refuse(key, value ? "must be an array of strings" : "is required");
    return out;
  }
  for (const auto& item : *array)
    if (auto text = checked(key, item, rules)) out.push_back(std::move(*text));
  return out;
}

result<> object_reader::finish() const {
  if (problems_.empty()) return {};
  error e{errc::validation_failed};
  for (const auto& [path, reason] : problems_) e = std::move(e).with(path, json::string{reason});
  return std::move(e).with("field", json::string{problems_.front().first});
}

namespace {

/// Index of the next byte that needs an escape, eight bytes a step: most texts have none.
std::size_t find_escape(std::string_view text, std::size_t from) {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v & tops; };
  for (; from + 8 <= text.size(); from += 8) {
    std::uint64_t v;
    std::memcpy(&v, text.data() + from, 8);
    const auto control = (v - ones * 0x20) & ~v & tops;
    if (control | has_zero(v ^ (ones * '"')) | has_zero(v ^ (ones * '\\'))) break;
  }
  for (; from < text.size(); ++from) {
    const auto c = static_cast<unsigned char>(text[from]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return from;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.push_back('"');
  std::size_t clean = 0;
  for (auto i = find_escape(text, 0); i < text.size(); i = find_escape(text, i + 1)) {
    const auto c = static_cast<unsigned char>(text[i]);
    out.append(text, clean, i - clean);
    clean = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out.push_back(digits[c >> 4]);
        out.push_back(digits[c & 15]);
    }
  }
  out.append(text, clean);
  out.push_back('"');
}

void json_writer::separate() {
  if (!first_) out_.push_back(',');
  first_ = false;
}

json_writer& json_writer::start(char bracket) {
  separate();
  out_.push_back(bracket);
  first_ = true;
  return *this;
}

json_writer& json_writer::end(char bracket) {
  out_.push_back(bracket);
  first_ = false;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.push_back(':');
  first_ = true;
  return *this;
}

json_writer& json_writer::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

json_writer& json_writer::value(std::int64_t number) { return raw(std::to_string(number)); }

json_writer& json_writer::value(double number) {
  if (!std::isfinite(number)) return value(nullptr);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return raw({text, static_cast<std::size_t>(end - text)});
}

json_writer& json_writer::value(bool flag) { return raw(flag ? "true" : "false"); }
json_writer& json_writer::value(timestamp t) { return value(std::string_view{to_rfc3339(t)}); }
json_writer& json_writer::value(std::nullptr_t) { return raw("null"); }

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace connectord
