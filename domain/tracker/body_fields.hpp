#pragma once

#include "domain/tracker/document.hpp"
#include "domain/tracker/snapshot_body.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Only for reading snapshot bodies: strict access to members, with every complaint kept under its path.
namespace connectord::tracker {

/// Where we are in a body. Lives on the stack and is written out only for a complaint: `issues[3].ref.id`.
class place {
 public:
  place() = default;
  place(const place& parent, std::string_view name) : parent_(&parent), name_(name) {}
  place(const place& parent, std::size_t index) : parent_(&parent), index_(index) {}

  std::string text() const;

 private:
  const place* parent_ = nullptr;
  std::string_view name_;  ///< empty for an item of an array
  std::size_t index_ = 0;
};

/// The first few of many in document order, whatever the order in which they come; never holds many more than
/// that.
template <class T>
class earliest {
 public:
  explicit earliest(std::size_t keep) : keep_(keep) {}

  /// `make` is called only when the value may be among the first.
  template <class Make>
  void add(std::size_t at, Make make) {
    ++count_;
    if (at >= bound_) return;
    kept_.emplace_back(at, make());
    if (kept_.size() >= 8 * keep_) cut();
  }
  /// Of all that were added.
  std::size_t count() const { return count_; }
  std::vector<T> take() && {
    cut();
    std::vector<T> out;
    out.reserve(kept_.size());
    for (auto& [at, value] : kept_) out.push_back(std::move(value));
    return out;
  }

 private:
  void cut() {
    std::stable_sort(kept_.begin(), kept_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    if (kept_.size() < keep_) return;
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(keep_), kept_.end());
    bound_ = kept_.back().first;
  }

  std::size_t keep_, count_ = 0, bound_ = std::numeric_limits<std::size_t>::max();
  std::vector<std::pair<std::size_t, T>> kept_;
};

struct text_rules {
  std::size_t max = std::numeric_limits<std::size_t>::max();  ///< code points
  bool trim = false;
  bool may_be_empty = false;
};

/// The members of one object. What is absent or wrong is nothing, and noted if it should not be so.
class fields {
 public:
  fields(const node& object, const place& where, earliest<field_error>& errors)
      : object_(object), where_(where), errors_(errors) {}

  std::optional<std::string_view> text(std::string_view name, text_rules rules) const;
  /// Null counts as absent, here and below.
  std::optional<std::string_view> optional_text(std::string_view name, text_rules rules) const;
  std::optional<external_time> optional_time(std::string_view name) const;
  /// Of 32 bits.
  std::optional<int> optional_integer(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  /// `read` makes a value of a known word; `what` is what the word should have been.
  template <class Read>
  auto word(std::string_view name, std::string_view what, Read read) const -> decltype(read("")) {
    const auto found = text(name, {.may_be_empty = true});
    if (!found) return std::nullopt;
    auto value = read(*found);
    if (!value) refuse(name, field_code::unsupported_value, "is not a known " + std::string{what});
    return value;
  }

  /// Required, and of that kind; otherwise nullptr.
  const node* child(std::string_view name, node::kind kind) const;
  /// As above, but absent is fine; null is not.
  const node* optional_child(std::string_view name, node::kind kind) const;

  void refuse(std::string_view name, field_code code, std::string_view reason) const;

 private:
  const node* present(std::string_view name) const;
  std::optional<std::string_view> checked(std::string_view name, const node& value, text_rules rules) const;

  const node& object_;
  const place& where_;
  earliest<field_error>& errors_;
};

/// `<path> <reason>`, kept if it is among the first.
void complain(earliest<field_error>& errors, std::size_t at, const place& where, field_code code,
              std::string_view reason);
/// The text itself, or nothing and a complaint: no string may hold U+0000, and the rules rule.
std::optional<std::string_view> checked_text(const node& value, const place& where, text_rules rules,
                                             earliest<field_error>& errors);

}  // namespace connectord::tracker
