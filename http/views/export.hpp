#pragma once

#include "domain/tracker/model.hpp"

#include <span>
#include <string>
#include <string_view>

/// The feed as files for other programs.
namespace connectord::web {

/// A field of RFC 4180, always quoted. Text that a spreadsheet would run as a formula gets an apostrophe in
/// front, which makes it text there, too.
std::string csv_field(std::string_view text);
/// With a line of names; lines end in CR LF.
std::string as_csv(std::span<const tracker::activity> rows);
/// One JSON object a line, each as the API has it.
std::string as_ndjson(std::span<const tracker::activity> rows);

}  // namespace connectord::web
