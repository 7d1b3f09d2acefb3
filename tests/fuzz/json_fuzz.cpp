#include "base/json.hpp"

#include <boost/json/serialize.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>

using namespace connectord;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

std::size_t depth_of(const json::value& value) {
  std::size_t deepest = 0;
  if (const auto* object = value.if_object())
    for (const auto& member : *object) deepest = std::max(deepest, depth_of(member.value()));
  else if (const auto* array = value.if_array())
    for (const auto& item : *array) deepest = std::max(deepest, depth_of(item));
  else
    return 0;
  return deepest + 1;
}

/// Every getter on every member: what it gives keeps its bounds, what it does not give is reported.
void check_reader(const json::object& object) {
  constexpr object_reader::text_rules rules{.min = 1, .max = 8, .trim = true};
  for (const auto& member : object) {
    const std::string key{member.key()};
    const auto& value = member.value();
    object_reader in{object, "at"};
    must(in.has(key) && in.ok());
    const auto text = in.optional_text(key, rules);
    must(!text || (!text->empty() && code_points(*text) <= rules.max && is_utf8(*text)));
    must(text.has_value() != !in.ok() || value.is_null());
    if (const auto number = in.optional_integer(key, -5, 5)) must(*number >= -5 && *number <= 5);
    if (const auto number = in.optional_number(key, 0, 1)) must(*number >= 0 && *number <= 1);
    if (const auto time = in.optional_time(key)) must(parse_rfc3339(to_rfc3339(*time)) == time);
    must(in.optional_boolean(key).has_value() == value.is_bool());
    must((in.optional_object(key) != nullptr) == value.is_object());
    must(value.is_array() || in.texts(key, rules).empty());
    must(in.finish().has_value() == in.ok());
  }
}

}  // namespace

/// What is read is within our limits, and what we write is read back as it was.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::string written;
  append_json_string(written, text);
  const auto echoed = parse_json(written);
  must(echoed.has_value() == is_utf8(text));
  if (echoed) must(std::string_view{echoed->as_string()} == text);

  const auto value = parse_json(text);
  must(parse_json_object(text).has_value() == (value && value->is_object()));
  if (!value) return 0;
  must(is_utf8(text) && depth_of(*value) <= max_json_depth);
  const auto canonical = canonical_json(*value);
  const auto again = parse_json(canonical);
  must(again && canonical_json(*again) == canonical);
  if (const auto* object = value->if_object()) check_reader(*object);
  return 0;
}
