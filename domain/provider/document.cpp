#include "domain/provider/document.hpp"

#include "base/json.hpp"

#include <boost/json/serialize.hpp>

#include <array>

namespace connectord::provider {
namespace {

// A parser keeps its buffers, a few times the body's size; those of a rare giant are given back.
constexpr std::size_t keep_capacity = 256 * 1024;

dom::parser& parser_of(parser_slot slot, std::size_t size) {
  thread_local std::array<dom::parser, 2> parsers;
  auto& parser = parsers[static_cast<std::size_t>(slot)];
  if (size <= keep_capacity && parser.capacity() > 2 * keep_capacity) parser = dom::parser{};
  return parser;
}

bool reserve(dom::parser& parser, std::size_t size) {
  if (parser.capacity() >= size && parser.max_depth() == max_json_depth + 1) return true;
  // simdjson refuses the level that reaches its limit.
  return parser.allocate(std::max<std::size_t>(size, 16 * 1024), max_json_depth + 1) == simdjson::SUCCESS;
}

}  // namespace

std::optional<dom::element> parse_document(std::string_view text, parser_slot slot) {
  auto& parser = parser_of(slot, text.size());
  if (!reserve(parser, text.size())) return std::nullopt;
  dom::element root;
  const auto failure = parser.parse(text.data(), text.size()).get(root);
  if (failure == simdjson::SUCCESS) return root;
  if (failure != simdjson::NUMBER_ERROR) return std::nullopt;
  // A number that fits neither 64 bits nor a double's syntax here is still JSON; rare, so slow is fine.
  const auto lenient = parse_json(text);
  if (!lenient) return std::nullopt;
  const auto again = json::serialize(*lenient);
  if (!reserve(parser, again.size()) ||
      parser.parse(again.data(), again.size()).get(root) != simdjson::SUCCESS)
    return std::nullopt;
  return root;
}

std::optional<std::string_view> object_text(std::string_view text, const std::vector<path_step>& keys) {
  namespace ondemand = simdjson::ondemand;
  if (text.size() > keep_capacity) return std::nullopt;
  for (const auto& step : keys)
    if (step.how != path_step::kind::key) return std::nullopt;
  if (keys.empty()) return trimmed(text);

  thread_local std::string padded;
  thread_local ondemand::parser parser;
  if (padded.capacity() < text.size() + simdjson::SIMDJSON_PADDING)
    padded.reserve(2 * text.size() + simdjson::SIMDJSON_PADDING);
  padded = text;
  ondemand::document document;
  ondemand::object object;
  if (parser.iterate(padded.data(), padded.size(), padded.capacity()).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS)
    return std::nullopt;
  for (const auto& step : keys) {
    ondemand::object next;
    if (object.find_field(step.name).get_object().get(next) != simdjson::SUCCESS) return std::nullopt;
    object = next;
  }
  std::string_view found;
  if (object.raw_json().get(found) != simdjson::SUCCESS) return std::nullopt;
  return trimmed(found);
}

}  // namespace connectord::provider
