#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

/// Only for the sources of this folder: keeps simdjson out of everybody else's headers.
namespace connectord::provider {

namespace dom = simdjson::dom;

/// Parsers are reused a thread at a time; a document lives until the next one of its slot is parsed.
enum class parser_slot { body, envelope };

/// Nothing for what is no JSON (UTF-8 checked, nested at most `max_json_depth`).
std::optional<dom::element> parse_document(std::string_view text, parser_slot slot);

}  // namespace connectord::provider
