#pragma once

#include "domain/provider/template.hpp"

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Only for the sources of this folder: keeps simdjson out of everybody else's headers.
namespace connectord::provider {

namespace dom = simdjson::dom;

/// Parsers are reused a thread at a time; a document lives until the next one of its slot is parsed.
enum class parser_slot { body, envelope };

/// Nothing for what is no JSON (UTF-8 checked, nested at most `max_json_depth`).
std::optional<dom::element> parse_document(std::string_view text, parser_slot slot);

/// The object at a path of keys, as it stands in `text`, which was parsed before; valid until the
/// next call. Much quicker than writing the element again.
std::optional<std::string_view> object_text(std::string_view text, const std::vector<path_step>& keys);

}  // namespace connectord::provider
