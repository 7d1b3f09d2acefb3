#pragma once

#include "base/form.hpp"
#include "http/app.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The address of a page is its whole state: filters, tabs, and where its lists go on.
namespace connectord::web {

/// Reads the query of a page as browsers send it: a field that nobody filled in is absent, and so is what the
/// page does not know. Each filter that is asked for is kept in the page's links, and binds its cursors.
class address {
 public:
  explicit address(const request& r);

  std::optional<std::string> filter(std::string_view name);
  /// One of `allowed`.
  std::optional<std::string> filter(std::string_view name, std::initializer_list<std::string_view> allowed);
  /// A value that is no filter: it is in no link.
  std::optional<std::string> value(std::string_view name) const;
  bool filtered() const { return !filters_.empty(); }

  /// Where the list with this cursor starts. INVALID_CURSOR for one of another list, or with other filters.
  result<keyset> at(const app& a, std::string_view cursor, int limit) const;
  /// This page, with its filters.
  std::string here() const;
  /// The same, with that list going on behind a row.
  std::string more(const app& a, std::string_view cursor, const sort_key& last) const;

 private:
  std::string bound(std::string_view cursor) const;

  const request& request_;
  form_fields sent_, filters_;
};

/// What an action came to, as the page that it leads back to says it: `?said=` and one of our own codes.
/// Those of the tracker say nothing while its flag is off.
std::string with_said(std::string_view path, std::string_view code);
std::string said(const address& at, bool tracker);

}  // namespace connectord::web
