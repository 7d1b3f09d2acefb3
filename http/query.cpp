#include "http/query.hpp"

#include "http/path.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace connectord::web {

query_reader::query_reader(std::string_view raw) {
  while (!raw.empty()) {
    const auto pair = raw.substr(0, raw.find('&'));
    raw.remove_prefix(std::min(pair.size() + 1, raw.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    item next;
    next.broken = !percent_decode(pair.substr(0, equals), next.name, true);
    next.broken |= !percent_decode(pair.substr(std::min(equals + 1, pair.size())), next.value, true);
    next.broken |= !is_utf8(next.name) || !is_utf8(next.value);
    items_.push_back(std::move(next));
  }
}

std::optional<std::string> query_reader::text(std::string_view name) {
  const item* found = nullptr;
  for (const auto& candidate : items_) {
    if (candidate.name != name) continue;
    if (found != nullptr) {
      refuse(name, "must not be repeated");
      return std::nullopt;
    }
    found = &candidate;
  }
  if (found == nullptr) return std::nullopt;
  if (found->broken)
    refuse(name, "is not readable");
  else if (found->value.empty())
    refuse(name, "must not be empty");
  else
    return found->value;
  return std::nullopt;
}

std::optional<std::string> query_reader::one_of(std::string_view name,
                                                std::initializer_list<std::string_view> allowed) {
  auto value = text(name);
  if (!value || std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return value;
  std::string reason = "must be one of";
  for (const auto option : allowed) (reason += option == *allowed.begin() ? " " : ", ") += option;
  refuse(name, reason);
  return std::nullopt;
}

std::optional<bool> query_reader::boolean(std::string_view name) {
  const auto value = one_of(name, {"true", "false"});
  if (!value) return std::nullopt;
  return *value == "true";
}

std::optional<std::int64_t> query_reader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto* end = value->data() + value->size();
  const auto parsed = std::from_chars(value->data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end && number >= min && number <= max) return number;
  const bool bounded = max != std::numeric_limits<std::int64_t>::max();
  refuse(name, "must be an integer " + (bounded ? "from " + std::to_string(min) + " to " + std::to_string(max)
                                                : "of at least " + std::to_string(min)));
  return std::nullopt;
}

std::optional<double> query_reader::number(std::string_view name, double min, double max) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  double number = 0;
  const auto* end = value->data() + value->size();
  const auto parsed = std::from_chars(value->data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end && std::isfinite(number) && number >= min &&
      number <= max)
    return number;
  refuse(name, "is not a number of its range");
  return std::nullopt;
}

std::optional<uuid> query_reader::id(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  auto parsed = uuid::parse(*value);
  if (!parsed) refuse(name, "must be a UUID");
  return parsed;
}

std::optional<timestamp> query_reader::time(std::string_view name) {
  const auto value = text(name);
  if (!value) return std::nullopt;
  auto parsed = parse_rfc3339(*value);
  if (!parsed) refuse(name, "must be an RFC 3339 timestamp");
  return parsed;
}

std::string query_reader::bound_to(std::initializer_list<std::string_view> names) const {
  std::string out;
  for (const auto name : names) {
    for (const auto& i : items_)
      if (i.name == name) out += std::to_string(i.value.size()) + ':' + i.value;
    out.push_back('\n');
  }
  return out;
}

void query_reader::refuse(std::string_view name, std::string_view reason) {
  problems_.insert_or_assign(name, json::string{reason});
}

result<> query_reader::finish() const {
  if (ok()) return {};
  error e{errc::validation_failed};
  for (const auto& [name, reason] : problems_) e = std::move(e).with(name, reason);
  return e;
}

}  // namespace connectord::web
