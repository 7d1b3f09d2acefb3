#include "domain/provider/evaluate.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace connectord::provider {
namespace {

using number_buffer = std::array<char, 32>;

/// A scalar as text, without copying strings.
std::optional<std::string_view> scalar_text(const dom::element& value, number_buffer& buffer) {
  const auto print = [&](auto number) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return std::string_view{buffer.data(), static_cast<std::size_t>(end - buffer.data())};
  };
  switch (value.type()) {
    case dom::element_type::STRING: return value.get_string().value_unsafe();
    case dom::element_type::INT64: return print(value.get_int64().value_unsafe());
    case dom::element_type::UINT64: return print(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE: return print(value.get_double().value_unsafe());
    case dom::element_type::BOOL: return value.get_bool().value_unsafe() ? "true" : "false";
    default: return std::nullopt;
  }
}

/// A store's text column takes everything but NUL.
bool storable(std::string_view text) { return !text.empty() && text.find('\0') == std::string_view::npos; }

bool equals_or_lists(const dom::element& member, std::string_view wanted) {
  number_buffer buffer;
  if (dom::array items; member.get_array().get(items) == simdjson::SUCCESS) {
    return std::any_of(items.begin(), items.end(),
                       [&](const dom::element& item) { return scalar_text(item, buffer) == wanted; });
  }
  return scalar_text(member, buffer) == wanted;
}

std::optional<dom::element> walk_one(const dom::element& from, const path_step& step) {
  dom::element next;
  switch (step.how) {
    case path_step::kind::key:
      if (!from.is_object() || from.at_key(step.name).get(next) != simdjson::SUCCESS) return std::nullopt;
      return next;
    case path_step::kind::index:
      if (!from.is_array() || from.at(step.position).get(next) != simdjson::SUCCESS) return std::nullopt;
      return next;
    case path_step::kind::select: {
      dom::array items;
      if (from.get_array().get(items) != simdjson::SUCCESS) return std::nullopt;
      for (const dom::element item : items)
        if (item.is_object() && item.at_key(step.name).get(next) == simdjson::SUCCESS &&
            equals_or_lists(next, step.value))
          return item;
      return std::nullopt;
    }
    case path_step::kind::each: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<dom::element> root_of(const lookup& at, const scene& s) {
  if (at.root == lookup_root::body) return s.body;
  if (at.root == lookup_root::data) return s.data;
  return std::nullopt;
}

/// Texts that are no JSON: headers and variables.
std::optional<std::string_view> outside_text(const lookup& at, const scene& s) {
  const auto kept = [](const std::string& text) -> std::optional<std::string_view> {
    if (text.empty()) return std::nullopt;
    return text;
  };
  switch (at.root) {
    case lookup_root::header: return header_text(s.headers, at.header);
    case lookup_root::event: return kept(s.event);
    case lookup_root::digest: return kept(s.digest);
    case lookup_root::time: return kept(s.time);
    case lookup_root::received: return kept(s.received);
    case lookup_root::unix_time: return kept(s.unix_time);
    case lookup_root::status: return kept(s.status);
    case lookup_root::since: return kept(s.since);
    case lookup_root::own: return kept(s.own);
    case lookup_root::body:
    case lookup_root::data: return std::nullopt;
  }
  return std::nullopt;
}

/// Unfiltered text at the path, as a view when possible.
std::optional<std::string_view> view_at(const lookup& at, const scene& s, number_buffer& buffer) {
  if (at.root != lookup_root::body && at.root != lookup_root::data) return outside_text(at, s);
  const auto value = element_at(at, s);
  return value ? scalar_text(*value, buffer) : std::nullopt;
}

bool append(std::string& out, const lookup& at, const scene& s) {
  number_buffer buffer;
  const auto text = view_at(at, s, buffer);
  if (!text || !storable(*text)) return false;
  if (at.filter == text_filter::none) {
    out += *text;
    return true;
  }
  const auto cut = filtered(at.filter, *text);
  out += cut;
  return !cut.empty();
}

void collect(const dom::element& from, const lookup& at, std::size_t step, std::size_t limit,
             std::vector<std::string>& out) {
  if (out.size() >= limit) return;
  if (step == at.steps.size()) {
    number_buffer buffer;
    const auto text = scalar_text(from, buffer);
    if (!text || !storable(*text)) return;
    auto cut = filtered(at.filter, *text);
    if (!cut.empty()) out.push_back(std::move(cut));
  } else if (at.steps[step].how == path_step::kind::each) {
    dom::array items;
    if (from.get_array().get(items) != simdjson::SUCCESS) return;
    for (const dom::element item : items) collect(item, at, step + 1, limit, out);
  } else if (const auto next = walk_one(from, at.steps[step])) {
    collect(*next, at, step + 1, limit, out);
  }
}

bool is_of(json_type type, const dom::element& value) {
  switch (type) {
    case json_type::string: return value.is_string();
    case json_type::number: return value.is_number();
    case json_type::boolean: return value.is_bool();
    case json_type::object: return value.is_object();
    case json_type::array: return value.is_array();
  }
  return false;
}

bool list_contains(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (trimmed(list.substr(0, comma)) == wanted) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool contains_any(std::string_view text, const std::vector<std::string>& parts) {
  return std::ranges::any_of(parts, [&](const auto& p) { return text.find(p) != std::string_view::npos; });
}

/// Both are times, and stand to each other as the condition says.
bool times_hold(const condition& c, const scene& s) {
  const auto time_at = [&](const lookup& at) -> std::optional<timestamp> {
    const auto text = text_at(at, s);
    return text ? parse_time(time_format::any, *text) : std::nullopt;
  };
  const auto one = time_at(c.subject), other = time_at(*c.other);
  if (!one || !other) return false;
  return c.how == condition::test::not_after ? *one <= *other
                                             : std::chrono::abs(*one - *other) <= c.tolerance;
}

bool lists(const condition& c, const scene& s) {
  const auto array = element_at(c.subject, s);
  if (array && array->is_array()) return equals_or_lists(*array, c.values.front());
  const auto text = text_at(c.subject, s);
  return text && list_contains(*text, c.values.front());
}

/// Containers are present but have no text.
bool holds(const condition& c, const scene& s) {
  using test = condition::test;
  if (c.how == test::present || c.how == test::absent || c.how == test::is_type) {
    const bool in_json = c.subject.root == lookup_root::body || c.subject.root == lookup_root::data;
    const auto value = element_at(c.subject, s);
    if (c.how == test::is_type) return value && is_of(c.type, *value);
    return (in_json ? value.has_value() : outside_text(c.subject, s).has_value()) == (c.how == test::present);
  }
  if (c.how == test::lists) return lists(c, s);
  if (c.how == test::within || c.how == test::not_after) return times_hold(c, s);
  if (c.how == test::same_as) {
    const auto text = text_at(c.subject, s);
    return text && text == text_at(*c.other, s);
  }
  number_buffer buffer;
  auto text = view_at(c.subject, s, buffer);
  std::string cut;
  if (text && c.subject.filter != text_filter::none) text = cut = filtered(c.subject.filter, *text);
  const bool listed = text && std::ranges::find(c.values, *text) != c.values.end();
  if (c.how == test::none_of) return !listed;
  if (c.how == test::contains) return text && contains_any(filtered(text_filter::lower, *text), c.values);
  return listed || (c.or_absent && !text && !element_at(c.subject, s));
}

/// Whole number of `unit`s; nothing when it would not fit a time of four-digit years.
std::optional<timestamp> parse_epoch(std::string_view text, milliseconds unit) {
  std::int64_t count = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, count);
  constexpr std::int64_t limit = 253'402'300'799'000;  // the last second of the year 9999
  if (failure != std::errc{} || end != last || count < 0 || count > limit / unit.count()) return std::nullopt;
  return timestamp{count * unit};
}

std::optional<timestamp> parse_fraction(std::string_view text) {
  const auto dot = std::min(text.find('.'), text.size());
  auto whole = parse_epoch(text.substr(0, dot), seconds{1});
  if (!whole || dot == text.size()) return whole;
  std::string millis{text.substr(dot + 1, 3)};
  if (millis.empty()) return std::nullopt;
  millis.resize(3, '0');
  const auto part = parse_epoch(millis, milliseconds{1});
  if (!part) return std::nullopt;
  return *whole + part->time_since_epoch();
}

std::optional<timestamp> parse_text_time(std::string_view text) {
  constexpr std::string_view zone = " UTC";
  if (!text.ends_with(zone)) return parse_rfc3339(text);
  text.remove_suffix(zone.size());
  return parse_rfc3339(std::string{text} + "Z");
}

}  // namespace

std::optional<std::string_view> header_text(const header_list& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (key == name) {
      if (!storable(value) || !is_utf8(value)) return std::nullopt;
      return value;
    }
  return std::nullopt;
}

std::optional<dom::element> element_at(const lookup& at, const scene& s) {
  auto value = root_of(at, s);
  for (const auto& step : at.steps) {
    if (!value) return std::nullopt;
    value = walk_one(*value, step);
  }
  return value && !value->is_null() ? value : std::nullopt;
}

void texts_at(const lookup& at, const scene& s, std::size_t limit, std::vector<std::string>& out) {
  if (const auto root = root_of(at, s)) return collect(*root, at, 0, limit, out);
  if (auto text = text_at(at, s)) out.push_back(std::move(*text));
}

std::optional<std::string> text_at(const lookup& at, const scene& s) {
  std::string out;
  if (!append(out, at, s)) return std::nullopt;
  return out;
}

std::optional<std::string> render(const text_template& t, const scene& s) {
  std::string out;
  for (const auto& piece : t.pieces) {
    if (!piece.value)
      out += piece.text;
    else if (!append(out, *piece.value, s))
      return std::nullopt;
  }
  return out;
}

std::optional<std::string> render(const choice& any, const scene& s) {
  for (const auto& t : any)
    if (auto text = render(t, s)) return text;
  return std::nullopt;
}

void write_member(json_writer& w, std::string_view name, const choice& values, const scene& s) {
  for (const auto& t : values) {
    const auto* at = t.single();
    if (at != nullptr && at->filter == text_filter::none && at->root == lookup_root::body) {
      if (const auto value = element_at(*at, s)) {
        w.raw_member(name, simdjson::minify(*value));
        return;
      }
    } else if (const auto text = render(t, s)) {
      w.member(name, *text);
      return;
    }
  }
  w.raw_member(name, "null");
}

bool holds(const conditions& all, const scene& s) {
  return std::ranges::all_of(all, [&](const condition& c) { return holds(c, s); });
}

std::optional<timestamp> parse_time(time_format format, std::string_view text) {
  switch (format) {
    case time_format::rfc3339: return parse_text_time(text);
    case time_format::epoch_s: return parse_epoch(text, seconds{1});
    case time_format::epoch_ms: return parse_epoch(text, milliseconds{1});
    case time_format::epoch_fraction: return parse_fraction(text);
    case time_format::any:
      if (text.size() == 10) return parse_epoch(text, seconds{1});
      if (text.size() == 13) return parse_epoch(text, milliseconds{1});
      return parse_text_time(text);
  }
  return std::nullopt;
}

std::optional<timestamp> first_time(const std::vector<time_candidate>& any, const scene& s) {
  for (const auto& candidate : any)
    if (const auto text = text_at(candidate.from, s))
      if (const auto time = parse_time(candidate.format, *text)) return time;
  return std::nullopt;
}

}  // namespace connectord::provider
