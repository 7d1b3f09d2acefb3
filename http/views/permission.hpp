#pragma once

#include "http/views/page.hpp"

#include <span>
#include <string_view>

/// Buttons that somebody sees but may not press.
namespace connectord::web {

/// Fills a slot with buttons in the place of those that would be there: disabled, and saying whose they are.
/// `scope`: what this visitor lacks. Nothing for no labels.
void put_denied(fields f, std::string_view slot, std::span<const std::string_view> labels,
                std::string_view scope);

}  // namespace connectord::web
