#pragma once

#include "base/uuid.hpp"

#include <functional>

namespace connectord {

/// An id that cannot be mistaken for another kind of id; explicit both ways.
template <class Tag>
class strong_id {
 public:
  constexpr strong_id() = default;
  constexpr explicit strong_id(uuid value) : value_(value) {}

  static std::optional<strong_id> parse(std::string_view text) noexcept {
    const auto value = uuid::parse(text);
    if (!value) return std::nullopt;
    return strong_id{*value};
  }
  static strong_id make() { return strong_id{uuid::make()}; }

  constexpr const uuid& value() const noexcept { return value_; }
  std::string_view text() const noexcept { return value_.text(); }
  std::string str() const { return value_.str(); }

  friend auto operator<=>(const strong_id&, const strong_id&) = default;

 private:
  uuid value_;
};

}  // namespace connectord

template <class Tag>
struct std::hash<connectord::strong_id<Tag>> {
  std::size_t operator()(const connectord::strong_id<Tag>& id) const noexcept {
    return std::hash<std::string_view>{}(id.text());
  }
};
