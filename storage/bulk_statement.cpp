#include "storage/bulk_statement.hpp"

namespace connectord::storage {

bulk_statement::bulk_statement(fragment head, std::size_t columns, fragment tail) : columns_(columns) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    auto& text = texts_[i].append(head.text()).append(" VALUES ");
    for (std::size_t n = 0; n < rows_[i] * columns; ++n) {
      const bool first = n % columns == 0;
      text.append(!first ? ", $" : n == 0 ? "($" : "), ($").append(std::to_string(n + 1));
    }
    text.append(")").append(tail.text());
  }
}

result<> bulk_statement::run(session& s, std::span<const param> arguments,
                             const session::on_row& each) const {
  for (std::size_t i = 0; i < rows_.size(); ++i)
    for (const auto size = rows_[i] * columns_; arguments.size() >= size; arguments = arguments.subspan(size))
      if (auto ok = s.query(texts_[i], arguments.first(size), each); !ok) return ok;
  return {};
}

}  // namespace connectord::storage
