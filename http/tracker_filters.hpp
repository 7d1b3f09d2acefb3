#pragma once

#include "domain/tracker/input.hpp"
#include "domain/tracker/queries.hpp"
#include "http/list.hpp"
#include "http/team.hpp"
#include "http/tracker_json.hpp"
#include "http/tracker_shapes.hpp"

/// What the lists and single rows of the tracker's bindings have in common.
namespace connectord::web {

inline constexpr std::string_view text_list_schema = R"({"type":"string"})";
inline constexpr std::string_view id_list_schema = R"({"type":"string"})";

template <class E>
tracker::any_of names(list_reader& q, std::string_view parameter) {
  tracker::any_of out;
  for (const auto value : q.words<E>(parameter)) out.emplace_back(tracker::name_of(value));
  return out;
}
inline tracker::any_of id_texts(list_reader& q, std::string_view parameter) {
  tracker::any_of out;
  for (const auto& id : q.ids(parameter)) out.push_back(id.str());
  return out;
}
/// With the aliases that providers have.
tracker::any_of providers(list_reader& q);

/// One page of what a query of a list finds.
template <class List, class Write, class Key>
asio::awaitable<response> page_of_rows(app& a, request& r, list_reader& q, List l, Write one, Key key_of) {
  auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  l.at = std::move(*at);
  const auto page = co_await read(a, r, std::move(l));
  co_return page ? list_answer(q, **page, one, key_of) : refuse(page.error(), r);
}

/// The row that a path names; what is no id names nothing.
template <class Get, class Id>
asio::awaitable<response> one_row(app& a, request& r, errc none) {
  const auto id = Id::parse(r.param("id"));
  if (!id) co_return refuse(error{none}, r);
  const auto row = co_await read(a, r, Get{*id});
  co_return row ? rendered(200, **row) : refuse(row.error(), r);
}

template <class Id>
result<Id> named(const request& r, std::string_view parameter, errc none) {
  const auto id = Id::parse(r.param(parameter));
  if (!id) return error{none};
  return *id;
}

}  // namespace connectord::web
