#pragma once

#include "base/json.hpp"
#include "base/time.hpp"
#include "base/uuid.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace connectord::web {

/// Reads the query of a request, strictly: a repeated or empty parameter, a broken escape and a
/// value outside its domain are noted under the parameter's name, and `finish()` reports them all.
/// Parameters that nobody asks for are ignored.
class query_reader {
 public:
  explicit query_reader(std::string_view raw);

  std::optional<std::string> text(std::string_view name);
  /// One of `allowed`.
  std::optional<std::string> one_of(std::string_view name, std::initializer_list<std::string_view> allowed);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<double> number(std::string_view name, double min, double max);
  std::optional<uuid> id(std::string_view name);
  template <class Id>
  std::optional<Id> id_of(std::string_view name) {
    const auto value = id(name);
    return value ? std::optional{Id{*value}} : std::nullopt;
  }
  std::optional<timestamp> time(std::string_view name);
  /// 1..100, 50 when absent.
  int limit() { return static_cast<int>(integer("limit", 1, 100).value_or(50)); }

  /// What a cursor is bound to: the values of these parameters, as they were sent.
  std::string bound_to(std::initializer_list<std::string_view> names) const;

  void refuse(std::string_view name, std::string_view reason);
  bool ok() const noexcept { return problems_.empty(); }
  /// VALIDATION_FAILED with `details[name] = reason` for each offender.
  result<> finish() const;

 private:
  struct item {
    std::string name, value;
    bool broken;
  };
  std::vector<item> items_;
  json::object problems_;
};

}  // namespace connectord::web
