#pragma once

#include "domain/tracker/records.hpp"
#include "storage/codec.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

/// How the tracker's values stand in columns. A missing mission is the empty text.
namespace connectord::storage {

template <class E>
E read_word(const row& r, int column) {
  if (const auto value = tracker::parse<E>(r.text(column))) return *value;
  throw std::runtime_error("a stored word is unknown");
}
template <class E>
std::optional<E> maybe_word(const row& r, int column) {
  return r.is_null(column) ? std::nullopt : std::optional{read_word<E>(r, column)};
}

/// `{"mode":…,"field_owners":{…}}`, as it is shown.
std::string encode_doctrine(const tracker::doctrine& d);
tracker::doctrine decode_doctrine(std::string_view json);

/// An object of those that are not 0.
std::string encode_kinds(const tracker::drift_by_kind& counts);
tracker::drift_by_kind decode_kinds(std::string_view json);

/// For LIKE … ESCAPE '\\': texts that hold this part.
std::string like_pattern(std::string_view part);

inline std::optional<std::int64_t> to_micros(const std::optional<tracker::external_time>& t) {
  return t ? std::optional{static_cast<std::int64_t>(t->time_since_epoch().count())} : std::nullopt;
}
inline std::optional<tracker::external_time> maybe_micros(const row& r, int column) {
  if (r.is_null(column)) return std::nullopt;
  return tracker::external_time{std::chrono::microseconds{r.integer(column)}};
}
inline std::optional<int> maybe_int(const row& r, int column) {
  return r.is_null(column) ? std::nullopt : std::optional{static_cast<int>(r.integer(column))};
}
inline std::optional<uuid> maybe_uuid(const row& r, int column) {
  return r.is_null(column) ? std::nullopt : uuid::parse(r.text(column));
}

}  // namespace connectord::storage
