#pragma once

#include "domain/queries.hpp"
#include "storage/session.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// SQL known at compile time. Statements are put together from these and numbered placeholders only,
/// so no value can reach the text, and the number of different statements is bounded.
class fragment {
 public:
  template <class T>
    requires std::convertible_to<const T&, std::string_view>
  consteval fragment(const T& text) : text_(text) {}

  constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

/// A filtered list: each filter that is set adds its fragment, so that the planner sees exactly the
/// conditions that apply. Values are borrowed until `run` returns.
class select {
 public:
  select(fragment head) : sql_(head.text()) { arguments_.reserve(10); }

  /// Appends `fragment` and a placeholder for the value.
  select& with(fragment text, param value) {
    arguments_.push_back(value);
    sql_.append(text.text()).append("$").append(std::to_string(arguments_.size()));
    return *this;
  }
  template <class T>
  select& with_any(fragment text, const std::optional<T>& value) {
    return value ? with(text, param{*value}) : *this;
  }
  /// Appends `fragment`, ` IN (…)` with one placeholder a value; nothing when there are none.
  template <class Values>
  select& with_one_of(fragment text, const Values& values) {
    if (values.empty()) return *this;
    sql_.append(text.text()).append(" IN (");
    for (const auto& v : values) place(v, &v == values.data());
    sql_.append(")");
    return *this;
  }
  /// The rows behind a place: `fragment` opens the parenthesis of the row value that is compared.
  select& beyond(fragment text, const std::optional<sort_key>& key) {
    if (!key) return *this;
    sql_.append(text.text());
    for (const auto& column : *key)
      std::visit([&](const auto& v) { place(v, &column == &key->front()); }, column);
    sql_.append(")");
    return *this;
  }
  select& raw(fragment text) {
    sql_.append(text.text());
    return *this;
  }

  result<> run(session& s, const session::on_row& each) const {
    return s.query(sql_, std::span<const param>{arguments_}, each);
  }

 private:
  void place(param value, bool first) {
    arguments_.push_back(value);
    sql_.append(first ? "$" : ", $").append(std::to_string(arguments_.size()));
  }

  std::string sql_;
  std::vector<param> arguments_;
};

/// The one row of a statement, if it gives one.
template <class Read>
auto find_one(session& s, std::string_view sql, params arguments, Read read)
    -> result<std::optional<decltype(read(std::declval<const row&>()))>> {
  std::optional<decltype(read(std::declval<const row&>()))> found;
  if (auto ok = s.query(sql, arguments, [&](const row& r) { found = read(r); }); !ok) return ok.error();
  return found;
}

template <class Read>
auto all_of(session& s, const select& q, Read read)
    -> result<std::vector<decltype(read(std::declval<const row&>()))>> {
  std::vector<decltype(read(std::declval<const row&>()))> found;
  if (auto ok = q.run(s, [&](const row& r) { found.push_back(read(r)); }); !ok) return ok.error();
  return found;
}

/// Of a statement that changes rows and whose count says nothing.
inline result<> done(const result<std::int64_t>& changed) {
  if (!changed) return changed.error();
  return {};
}
/// NOT_FOUND when the row was not there.
inline result<> changed_one(const result<std::int64_t>& changed) {
  if (!changed) return changed.error();
  if (*changed == 0) return error{errc::not_found};
  return {};
}
inline result<bool> any(const result<std::int64_t>& changed) {
  if (!changed) return changed.error();
  return *changed > 0;
}

}  // namespace connectord::storage
