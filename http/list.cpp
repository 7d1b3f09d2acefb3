#include "http/list.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

constexpr std::size_t most_values = 50;

}  // namespace

result<keyset> keyset_behind(const app& a, const request& r, std::string_view cursor,
                             std::string_view filters, int limit) {
  const auto key = a.cursors.decode(cursor, cursor_scope_of(r, filters));
  if (!key) return error{errc::invalid_cursor};
  keyset out{sort_key{}, limit};
  for (const auto& column : key->as_array()) {
    if (column.is_int64())
      out.after->emplace_back(column.get_int64());
    else
      out.after->emplace_back(std::string{column.as_string()});
  }
  return out;
}

std::string_view list_reader::noted(std::string_view name) {
  names_.push_back(name);
  return name;
}

std::vector<std::string> list_reader::texts(std::string_view name) {
  const auto sent = query_.text(noted(name));
  std::vector<std::string> out;
  if (!sent) return out;
  for (std::string_view rest = *sent; rest.data() != nullptr;) {
    const auto comma = rest.find(',');
    const auto value = rest.substr(0, comma);
    rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
    if (value.empty()) query_.refuse(name, "must not hold an empty value");
    if (std::ranges::find(out, value) == out.end()) out.emplace_back(value);
  }
  if (out.size() > most_values) query_.refuse(name, "holds too many values");
  return out;
}

std::vector<uuid> list_reader::ids(std::string_view name) {
  std::vector<uuid> out;
  for (const auto& text : texts(name)) {
    const auto id = uuid::parse(text);
    if (id)
      out.push_back(*id);
    else
      query_.refuse(name, "must be a UUID");
  }
  return out;
}

std::string list_reader::bound() const {
  std::string out;
  for (const auto name : names_) out += query_.bound_to({name});
  return out;
}

result<keyset> list_reader::at() {
  const int limit = query_.limit();
  const auto cursor = query_.text("cursor");
  if (const auto ok = query_.finish(); !ok) return ok.error();
  if (!cursor) return keyset{std::nullopt, limit};
  return keyset_behind(app_, request_, *cursor, bound(), limit);
}

std::optional<std::string> list_reader::next_cursor(const std::optional<sort_key>& last) const {
  if (!last) return std::nullopt;
  json::array key;
  for (const auto& column : *last) std::visit([&](const auto& v) { key.emplace_back(v); }, column);
  return app_.cursors.encode(key, cursor_scope_of(request_, bound()));
}

std::vector<parameter> paged(std::vector<parameter> filters) {
  filters.push_back({"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"});
  filters.push_back({"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"});
  return filters;
}

}  // namespace connectord::web
