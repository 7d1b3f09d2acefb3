#pragma once

#include "base/json.hpp"
#include "domain/delivery.hpp"
#include "domain/provider/definition.hpp"
#include "domain/provider/document.hpp"

#include <functional>

/// Only for the sources of this folder: lookups, templates and conditions over one delivery.
namespace connectord::provider {

/// What a definition's expressions can see.
struct scene {
  const header_list& headers;
  std::optional<dom::element> body, data;
  std::string event, digest, time, received, unix_time, status, since, own;
};

/// First header of that name whose value can be stored as text (UTF-8, no NUL, not empty).
std::optional<std::string_view> header_text(const header_list& headers, std::string_view name);

/// Element at the path; null counts as nothing. `each` has no value here.
std::optional<dom::element> element_at(const lookup& at, const scene& s);
/// Every text at the path, through `each` steps; at most `limit`.
void texts_at(const lookup& at, const scene& s, std::size_t limit, std::vector<std::string>& out);

/// Text of a scalar; nothing when there is none or it is empty.
std::optional<std::string> text_at(const lookup& at, const scene& s);
std::optional<std::string> render(const text_template& t, const scene& s);
std::optional<std::string> render(const choice& any, const scene& s);
/// A member that is one unfiltered lookup keeps its JSON type; every other value is text, none is null.
void write_member(json_writer& w, std::string_view name, const choice& values, const scene& s);
bool holds(const conditions& all, const scene& s);

std::optional<timestamp> parse_time(time_format format, std::string_view text);
std::optional<timestamp> first_time(const std::vector<time_candidate>& any, const scene& s);

}  // namespace connectord::provider
