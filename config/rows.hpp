#pragma once

#include "config/settings_table.hpp"

#include <chrono>
#include <type_traits>

/// Makers of table rows. A number's unit follows from the type of its member, so that the two cannot
/// disagree.
namespace connectord::config {

constexpr std::int64_t no_limit = std::numeric_limits<std::int32_t>::max();

template <class T>
constexpr std::string_view unit_of() {
  if constexpr (std::is_same_v<T, milliseconds>) return " milliseconds";
  if constexpr (std::is_same_v<T, seconds>) return " seconds";
  if constexpr (std::is_same_v<T, hours>) return " hours";
  if constexpr (std::is_same_v<T, days>) return " days";
  if constexpr (std::is_same_v<T, std::size_t>) return " bytes";
  return "";
}

template <class T>
T from_count(std::int64_t count) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(count);
  else
    return T{static_cast<typename T::rep>(count)};
}

inline std::string range(std::string_view what, std::string min, std::string max, std::string_view unit) {
  return std::string{what} + (max.empty() ? " of at least " + min : " from " + min + " to " + max) +
         std::string{unit};
}

inline std::string whole_range(std::int64_t min, std::int64_t max, std::string_view unit) {
  return range("an integer", std::to_string(min), max >= no_limit ? "" : std::to_string(max), unit);
}

/// An assignment from a reader that answers with an optional; `place` finds the member.
template <class Place, class Reader>
auto reading(Place place, Reader read) {
  return [place, read](settings& s, std::string_view text) {
    auto value = read(text);
    if (value) place(s) = std::move(*value);
    return value.has_value();
  };
}

template <class T, class Reader>
auto into(T tracker::policy::*member, Reader read) {
  return reading([member](settings& s) -> T& { return s.tracker.*member; }, read);
}

template <class T, class Reader>
auto into(T settings::*member, Reader read) {
  return reading([member](settings& s) -> T& { return s.*member; }, read);
}

inline auto text_into(std::string settings::*member) {
  return [member](settings& s, std::string_view text) {
    s.*member = text;
    return true;
  };
}

template <class T>
auto whole_reader(std::int64_t min, std::int64_t max) {
  return [min, max](std::string_view text) -> std::optional<T> {
    const auto value = parse_integer(text);
    if (!value || *value < min || *value > max) return std::nullopt;
    return from_count<T>(*value);
  };
}

inline auto number_reader(double min, double max) {
  return [min, max](std::string_view text) -> std::optional<double> {
    const auto value = parse_number(text);
    if (!value || !(*value >= min && *value <= max)) return std::nullopt;  // refuses NaN as well
    return value;
  };
}

template <class Owner, class T>
setting whole(std::string key, T Owner::*member, std::int64_t fallback, std::int64_t min, std::int64_t max,
              std::string doc) {
  return {std::move(key), std::to_string(fallback), whole_range(min, max, unit_of<T>()), std::move(doc),
          into(member, whole_reader<T>(min, max))};
}

inline setting number(std::string key, double settings::*member, std::string fallback, int min, int max,
                      std::string doc) {
  return {std::move(key), std::move(fallback),
          range("a number", std::to_string(min), std::to_string(max), ""), std::move(doc),
          into(member, number_reader(min, max))};
}

template <class Owner>
setting flag(std::string key, bool Owner::*member, bool fallback, std::string doc) {
  return {std::move(key), fallback ? "true" : "false", "true or false", std::move(doc),
          into(member, parse_boolean)};
}

inline std::string one_of(const std::vector<std::string>& values) {
  std::string out = "one of";
  for (const auto& value : values) out += (&value == &values.front() ? " " : ", ") + value;
  return out;
}

template <class T>
setting choice(std::string key, T settings::*member, std::string fallback,
               std::vector<std::pair<std::string, T>> values, std::string doc) {
  std::vector<std::string> names;
  for (const auto& value : values) names.push_back(value.first);
  const auto read = [values = std::move(values)](std::string_view text) -> std::optional<T> {
    for (const auto& [name, value] : values)
      if (name == text) return value;
    return std::nullopt;
  };
  return {std::move(key), std::move(fallback), one_of(names), std::move(doc), into(member, read)};
}

}  // namespace connectord::config
