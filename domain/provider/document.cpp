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
  // simdjson counts the scalar inside the innermost container as a level.
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
  if (!reserve(parser, again.size()) || parser.parse(again.data(), again.size()).get(root) != simdjson::SUCCESS)
    return std::nullopt;
  return root;
}

}  // namespace connectord::provider
