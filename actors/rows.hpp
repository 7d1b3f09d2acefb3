#pragma once

#include "actors/protocol/store_gate.hpp"
#include "domain/queries.hpp"

#include <optional>
#include <utility>
#include <vector>

/// What the store gives, as the value of an answer.
namespace connectord {

/// One row more than asked for tells whether there is a next page.
template <class Row>
rows_page<Row> cut(std::vector<Row> rows, int limit) {
  rows_page<Row> out;
  out.more = rows.size() > static_cast<std::size_t>(limit);
  if (out.more) rows.pop_back();
  out.rows = std::move(rows);
  return out;
}
template <class Row>
result<job_value> paged(result<std::vector<Row>> rows, int limit) {
  if (!rows) return rows.error();
  return job_value::of(cut(std::move(*rows), limit));
}

template <class Row>
result<job_value> found(result<std::optional<Row>> row, errc none = errc::not_found) {
  if (!row) return row.error();
  if (!*row) return error{none};
  return job_value::of(std::move(**row));
}

}  // namespace connectord
