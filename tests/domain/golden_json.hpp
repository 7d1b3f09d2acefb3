#pragma once

#include "base/json.hpp"
#include "domain/provider/draft_signal.hpp"

#include <doctest/doctest.h>
#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// Golden files: read, compared, and written again under UPDATE_GOLDEN=1.
namespace connectord::provider::testing {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void pretty(std::string& out, const json::value& v, std::size_t depth) {
  const auto line = [&](std::size_t d) { (out += '\n').append(2 * d, ' '); };
  if (const auto* object = v.if_object(); object != nullptr && !object->empty()) {
    out += '{';
    for (const auto& member : *object) {
      if (out.back() != '{') out += ',';
      line(depth + 1);
      append_json_string(out, member.key());
      out += ": ";
      pretty(out, member.value(), depth + 1);
    }
    line(depth);
    out += '}';
  } else if (const auto* array = v.if_array(); array != nullptr && !array->empty()) {
    out += '[';
    for (const auto& item : *array) {
      if (out.back() != '[') out += ',';
      line(depth + 1);
      pretty(out, item, depth + 1);
    }
    line(depth);
    out += ']';
  } else {
    out += json::serialize(v);
  }
}

/// The raw object repeats the input, so only its size is kept.
inline json::object shown_signal(const draft_signal& s) {
  auto payload = parse_json_object(s.payload);
  REQUIRE(payload.has_value());
  auto& raw = payload->at("raw");
  if (raw.is_object()) raw = "object of " + std::to_string(raw.as_object().size());
  return {{"kind", s.kind},
          {"entity", s.entity},
          {"version", s.entity_version},
          {"occurred_at", to_rfc3339(s.occurred_at)},
          {"dedupe_key", s.dedupe_key},
          {"payload", std::move(*payload)}};
}

}  // namespace connectord::provider::testing
