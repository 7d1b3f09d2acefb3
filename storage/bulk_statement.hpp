#pragma once

#include "storage/select.hpp"

#include <array>
#include <string>
#include <vector>

namespace connectord::storage {

/// A statement over `VALUES` of many rows, `INSERT` above all, run in few pieces. Their sizes are powers of
/// two up to 32 rows, so that each needs six prepared statements, however many rows come.
class bulk_statement {
 public:
  /// `head` goes before VALUES, `tail` behind the rows.
  bulk_statement(fragment head, std::size_t columns, fragment tail = "");

  /// `arguments` are the rows one after another, and rows go in in this order; `each` gets what the
  /// tail returns.
  result<> run(session& s, std::span<const param> arguments, const session::on_row& each = {}) const;

 private:
  static constexpr std::array<std::size_t, 6> rows_{32, 16, 8, 4, 2, 1};

  std::size_t columns_;
  std::array<std::string, rows_.size()> texts_;
};

}  // namespace connectord::storage
