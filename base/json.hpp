#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace connectord {

namespace json = boost::json;

inline constexpr std::size_t max_json_depth = 64;

/// INVALID_BODY for what is not UTF-8, not JSON, or nested deeper than `max_json_depth`.
result<json::value> parse_json(std::string_view text);
/// As above, and INVALID_BODY for what is not an object.
result<json::object> parse_json_object(std::string_view text);

bool is_utf8(std::string_view text) noexcept;
/// Number of code points of valid UTF-8.
std::size_t code_points(std::string_view text) noexcept;
bool has_control(std::string_view text) noexcept;
/// Without ASCII white space at both ends.
std::string_view trimmed(std::string_view text) noexcept;

/// SHA-256 input that is equal for equal JSON: members sorted, no white space.
std::string canonical_json(const json::value& value);

/// Reads one object that we own, strictly: every getter notes what is wrong under the member's
/// path, and `finish()` reports all of it at once. Unknown members are ignored.
class object_reader {
 public:
  struct text_rules {
    std::size_t min = 0, max = std::numeric_limits<std::size_t>::max();  ///< code points
    bool trim = false;
  };

  explicit object_reader(const json::object& object, std::string path = {})
      : object_(object), path_(std::move(path)) {}

  bool has(std::string_view key) const { return object_.contains(key); }
  bool is_null(std::string_view key) const;

  std::string text(std::string_view key, text_rules rules);
  std::optional<std::string> optional_text(std::string_view key, text_rules rules);
  std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> optional_number(std::string_view key, double min, double max);
  std::optional<bool> optional_boolean(std::string_view key);
  std::optional<timestamp> optional_time(std::string_view key);
  /// Null counts as absent here and above.
  const json::object* optional_object(std::string_view key);
  std::vector<std::string> texts(std::string_view key, text_rules rules);

  void refuse(std::string_view key, std::string_view reason);
  /// Takes over what the reader of a nested object noted.
  void adopt(const object_reader& nested) {
    problems_.insert(problems_.end(), nested.problems_.begin(), nested.problems_.end());
  }
  bool ok() const noexcept { return problems_.empty(); }
  /// VALIDATION_FAILED with `details[path] = reason` for each offender, and `details.field` naming
  /// the first one.
  result<> finish() const;

 private:
  const json::value* find(std::string_view key) const;
  std::optional<std::string> checked(std::string_view key, const json::value& value, text_rules rules);

  const json::object& object_;
  std::string path_;
  std::vector<std::pair<std::string, std::string>> problems_;
};

/// Writes JSON straight into a string; commas are its business. Values that are JSON already (a
/// stored payload) go in as they are.
class json_writer {
 public:
  explicit json_writer(std::string& out) : out_(out) {}

  json_writer& open() { return start('{'); }
  json_writer& close() { return end('}'); }
  json_writer& open_array() { return start('['); }
  json_writer& close_array() { return end(']'); }
  json_writer& key(std::string_view name);

  json_writer& value(std::string_view text);
  json_writer& value(const char* text) { return value(std::string_view{text}); }
  json_writer& value(std::int64_t number);
  json_writer& value(double number);
  json_writer& value(bool flag);
  json_writer& value(timestamp t);
  json_writer& value(std::nullptr_t);
  template <class T>
  json_writer& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : value(nullptr);
  }
  json_writer& raw(std::string_view json);

  template <class T>
  json_writer& member(std::string_view name, const T& v) {
    key(name);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      return value(static_cast<std::int64_t>(v));
    else if constexpr (std::is_convertible_v<const T&, std::string_view>)
      return value(std::string_view{v});
    else
      return value(v);
  }
  json_writer& raw_member(std::string_view name, std::string_view json) {
    key(name);
    return raw(json);
  }

 private:
  json_writer& start(char bracket);
  json_writer& end(char bracket);
  void separate();

  std::string& out_;
  bool first_ = true;
};

void append_json_string(std::string& out, std::string_view text);

}  // namespace connectord
