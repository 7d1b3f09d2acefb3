#pragma once

#include "storage/select.hpp"

#include <array>
#include <string>
#include <vector>

namespace connectord::storage {

/// `INSERT … VALUES` of many rows in few statements. They have 16, 4 or 1 rows, so that each insert
/// needs three prepared statements, however many rows come.
class bulk_insert {
 public:
  /// `head` goes before VALUES, `tail` behind the rows.
  bulk_insert(fragment head, std::size_t columns, fragment tail = "");

  /// `arguments` are the rows one after another, and rows go in in this order; `each` gets what the
  /// tail returns.
  result<> run(session& s, std::span<const param> arguments, const session::on_row& each = {}) const;

 private:
  static constexpr std::array<std::size_t, 3> rows_{16, 4, 1};

  std::size_t columns_;
  std::array<std::string, rows_.size()> texts_;
};

}  // namespace connectord::storage
