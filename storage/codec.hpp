#pragma once

#include "base/json.hpp"
#include "domain/connection.hpp"
#include "domain/delivery.hpp"
#include "domain/grounded_signal.hpp"
#include "domain/job.hpp"
#include "domain/tenant.hpp"
#include "storage/session.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

/// How domain values stand in columns. A column that does not decode was not written by us: that is
/// an exception, not a refusal.
namespace connectord::storage {

template <class E>
struct names;
template <>
struct names<tenant_status> {
  static constexpr std::array<std::string_view, 2> all{"active", "suspended"};
};
template <>
struct names<connection_status> {
  static constexpr std::array<std::string_view, 3> all{"active", "error", "revoked"};
};
template <>
struct names<delivery_status> {
  static constexpr std::array<std::string_view, 6> all{"received",  "processed", "ignored",
                                                       "unmatched", "failed",    "quarantined"};
};
template <>
struct names<job_type> {
  static constexpr std::array<std::string_view, 3> all{"full", "incremental", "webhook"};
};
template <>
struct names<job_status> {
  static constexpr std::array<std::string_view, 4> all{"queued", "running", "succeeded", "failed"};
};

template <>
struct names<grounded_status> {
  static constexpr std::array<std::string_view, 3> all{"draft", "recommended", "actioned"};
};

template <class E>
constexpr std::string_view text_of(E value) {
  return names<E>::all[static_cast<std::size_t>(value)];
}
template <class E>
constexpr std::optional<std::string_view> text_of(const std::optional<E>& value) {
  return value ? std::optional{text_of(*value)} : std::nullopt;
}

/// For the wire too: nothing when it is no member's name.
template <class E>
constexpr std::optional<E> from_text(std::string_view text) {
  const auto& all = names<E>::all;
  const auto found = std::find(all.begin(), all.end(), text);
  if (found == all.end()) return std::nullopt;
  return static_cast<E>(found - all.begin());
}

template <class E>
E read_name(const row& r, int column) {
  if (const auto value = from_text<E>(r.text(column))) return *value;
  throw std::runtime_error("a stored name is unknown");
}

template <class Id>
Id read_id(const row& r, int column) {
  if (auto id = Id::parse(r.text(column))) return *id;
  throw std::runtime_error("a stored id is no UUID");
}
template <class Id>
std::optional<Id> maybe_id(const row& r, int column) {
  return r.is_null(column) ? std::nullopt : std::optional{read_id<Id>(r, column)};
}

inline std::optional<blob> maybe_blob(const std::optional<std::string>& bytes) {
  return bytes ? std::optional{blob{*bytes}} : std::nullopt;
}

std::string encode_texts(const std::vector<std::string>& texts);  ///< ["a","b"]
std::vector<std::string> decode_texts(std::string_view json);
std::string encode_headers(const header_list& headers);  ///< [["name","value"],…]
header_list decode_headers(std::string_view json);
std::string encode_identities(const std::vector<identity>& identities);  ///< [["kind","value"],…]
std::vector<identity> decode_identities(std::string_view json);
std::string encode_error(const job_error& e);
job_error decode_error(std::string_view json);

}  // namespace connectord::storage
