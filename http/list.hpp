#pragma once

#include "domain/queries.hpp"
#include "http/app.hpp"
#include "http/query.hpp"

/// Lists of a team (tracker-api, 1.4): filters of several values, pages by key.
namespace connectord::web {

/// Where a page begins whose cursor was bound to these filters; INVALID_CURSOR for any other.
result<keyset> keyset_behind(const app& a, const request& r, std::string_view cursor,
                             std::string_view filters, int limit);

/// Reads the query of a list. Every filter that is asked for binds the cursor. Notes what is wrong;
/// `at()` comes last and reports it.
class list_reader {
 public:
  list_reader(app& a, const request& r) : app_(a), request_(r), query_(r.query) {}

  /// Comma-separated; nothing when the parameter is absent.
  std::vector<std::string> texts(std::string_view name);
  std::vector<uuid> ids(std::string_view name);
  template <class Id>
  std::vector<Id> ids_of(std::string_view name) {
    std::vector<Id> out;
    for (const auto& u : ids(name)) out.emplace_back(u);
    return out;
  }
  template <class E>
  std::vector<E> words(std::string_view name) {
    std::vector<E> out;
    for (const auto& text : texts(name)) {
      const auto value = tracker::parse<E>(text);
      if (value)
        out.push_back(*value);
      else
        query_.refuse(name, "is not one of the known values");
    }
    return out;
  }
  std::optional<std::string> text(std::string_view name) { return query_.text(noted(name)); }
  std::optional<bool> boolean(std::string_view name) { return query_.boolean(noted(name)); }
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max) {
    return query_.integer(noted(name), min, max);
  }
  std::optional<timestamp> time(std::string_view name) { return query_.time(noted(name)); }
  void refuse(std::string_view name, std::string_view reason) { query_.refuse(name, reason); }

  /// For what has no pages.
  result<> finish() const { return query_.finish(); }
  /// VALIDATION_FAILED, or INVALID_CURSOR for one that is not of this list with these filters.
  result<keyset> at();
  /// Of the page that ends with this row; null when nothing follows.
  std::optional<std::string> next_cursor(const std::optional<sort_key>& last) const;

 private:
  std::string_view noted(std::string_view name);
  std::string bound() const;

  app& app_;
  const request& request_;
  query_reader query_;
  std::vector<std::string_view> names_;
};

/// `{"items":[…],"next_cursor"}`; `one` writes an item. `last`: behind which key it goes on, if it does.
template <class Row, class Write>
response list_answer_until(const list_reader& q, const std::vector<Row>& rows,
                           const std::optional<sort_key>& last, Write one) {
  std::string body;
  json_writer w{body};
  w.open().key("items").open_array();
  for (const auto& row : rows) one(w, row);
  w.close_array().member("next_cursor", q.next_cursor(last)).close();
  return tracker_json(200, std::move(body));
}
/// `key_of` gives an item's sort columns.
template <class Row, class Write, class Key>
response list_answer(const list_reader& q, const rows_page<Row>& page, Write one, Key key_of) {
  std::optional<sort_key> last;
  if (page.more) last = key_of(page.rows.back());
  return list_answer_until(q, page.rows, last, one);
}

/// The parameters `limit` and `cursor`, for the table.
std::vector<parameter> paged(std::vector<parameter> filters = {});

}  // namespace connectord::web
