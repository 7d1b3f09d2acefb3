#include "domain/tracker/document.hpp"

#include "base/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory_resource>
#include <utility>
#include <vector>

namespace connectord::tracker {
namespace {

namespace ondemand = simdjson::ondemand;

/// Moves past the digits at the front and says whether there were any.
bool take_digits(std::string_view& text) {
  const auto count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count > 0;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// JSON's grammar of numbers, whatever their size.
std::optional<node::kind> number_kind(std::string_view text) {
  take(text, "-");
  if (!take(text, "0") && !take_digits(text)) return std::nullopt;
  if (text.empty()) return node::kind::integer;
  if (take(text, ".") && !take_digits(text)) return std::nullopt;
  if (take(text, "eE")) {
    take(text, "+-");
    if (!take_digits(text)) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return node::kind::fraction;
}

std::optional<node::kind> scalar_kind(std::string_view text) {
  if (text == "null") return node::kind::null;
  if (text == "true" || text == "false") return node::kind::boolean;
  return number_kind(text);
}

/// Sorts by name; of equal names the last one stays.
void settle(std::vector<member>& members, std::size_t from) {
  const auto first = members.begin() + static_cast<std::ptrdiff_t>(from);
  std::stable_sort(first, members.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  auto kept = first;
  for (auto m = first; m != members.end(); ++m) {
    const auto next = std::next(m);
    if (next == members.end() || next->name != m->name) *kept++ = *m;
  }
  members.erase(kept, members.end());
}

}  // namespace

/// The parser owns the unescaped strings, the arena the finished lists of children, the source all other
/// texts.
struct document::storage {
  explicit storage(std::string_view text) : source(text) {}

  simdjson::padded_string source;
  ondemand::parser parser;
  std::pmr::monotonic_buffer_resource arena{std::size_t{64} * 1024};
  // Children of the lists that are still open, innermost last.
  std::vector<node> items;
  std::vector<member> members;

  template <class T>
  std::pair<const T*, std::size_t> finished(std::vector<T>& open, std::size_t from) {
    const auto count = open.size() - from;
    auto* copy = static_cast<T*>(arena.allocate(std::max<std::size_t>(count, 1) * sizeof(T), alignof(T)));
    std::uninitialized_copy(open.begin() + static_cast<std::ptrdiff_t>(from), open.end(), copy);
    open.resize(from);
    return {copy, count};
  }

  bool read(ondemand::value value, std::size_t depth, node& out) {
    const std::string_view token = value.raw_json_token();
    const auto at = static_cast<std::size_t>(token.data() - source.data());
    switch (token.front()) {
      case '{': {
        ondemand::object object;
        return value.get_object().get(object) == simdjson::SUCCESS && read(object, at, depth + 1, out);
      }
      case '[': {
        ondemand::array array;
        return value.get_array().get(array) == simdjson::SUCCESS && read(array, at, depth + 1, out);
      }
      case '"': {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        out = {node::kind::string, at, text};
        return true;
      }
      default: {
        const auto text = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
        const auto kind = scalar_kind(text);
        if (kind) out = {*kind, at, text};
        return kind.has_value();
      }
    }
  }

  bool read(ondemand::object object, std::size_t at, std::size_t depth, node& out) {
    if (depth > max_json_depth) return false;
    const auto from = members.size();
    for (auto entry : object) {
      ondemand::field field;
      member m;
      if (std::move(entry).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(m.name) != simdjson::SUCCESS || !read(field.value(), depth, m.value))
        return false;
      members.push_back(m);
    }
    settle(members, from);
    const auto [children, count] = finished(members, from);
    out = {node::kind::object, at, children, count};
    return true;
  }

  bool read(ondemand::array array, std::size_t at, std::size_t depth, node& out) {
    if (depth > max_json_depth) return false;
    const auto from = items.size();
    for (auto entry : array) {
      ondemand::value value;
      node item;
      if (entry.get(value) != simdjson::SUCCESS || !read(value, depth, item)) return false;
      items.push_back(item);
    }
    const auto [children, count] = finished(items, from);
    out = {node::kind::array, at, children, count};
    return true;
  }

  bool read(node& root) {
    ondemand::document json;
    ondemand::object object;
    return parser.iterate(source).get(json) == simdjson::SUCCESS &&
           json.get_object().get(object) == simdjson::SUCCESS && read(object, 0, 1, root) &&
           json.current_location().error() == simdjson::OUT_OF_BOUNDS;  // nothing follows
  }
};

document::document() = default;
document::document(document&&) noexcept = default;
document& document::operator=(document&&) noexcept = default;
document::~document() = default;

std::optional<document> document::parse(std::string_view text) {
  if (text.size() >= max_size) return std::nullopt;
  document out;
  out.storage_ = std::make_unique<storage>(text);
  if (!out.storage_->read(out.root_)) return std::nullopt;
  return out;
}

const node* node::find(std::string_view name) const {
  const auto all = members();
  const auto found = std::ranges::lower_bound(all, name, {}, &member::name);
  return found != all.end() && found->name == name ? &found->value : nullptr;
}

namespace {

void append_integer(std::string& out, std::string_view text) { out += text == "-0" ? "0" : text; }

void append_fraction(std::string& out, std::string_view text) {
  double number = 0;
  // Beyond a double's range there is nothing to shorten.
  if (std::from_chars(text.begin(), text.end(), number).ec != std::errc{}) {
    out += text;
    return;
  }
  std::array<char, 32> buffer;
  const auto written = [&](std::chars_format format) {
    return std::string_view{buffer.data(),
                            std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format).ptr};
  };
  const auto scientific = written(std::chars_format::scientific);
  int exponent = 0;
  const auto mark = scientific.find('e') + 1;
  std::from_chars(scientific.data() + mark + (scientific[mark] == '+'), scientific.end(), exponent);
  if (exponent < -4 || exponent >= 16) {
    out += scientific;
    return;
  }
  const auto fixed = written(std::chars_format::fixed);
  out += fixed;
  if (fixed.find('.') == std::string_view::npos) out += ".0";
}

template <class Children, class Append>
void append_list(std::string& out, std::string_view brackets, const Children& children, Append append) {
  out += brackets.front();
  bool first = true;
  for (const auto& child : children) {
    if (!std::exchange(first, false)) out += ',';
    append(child);
  }
  out += brackets.back();
}

}  // namespace

void append_canonical(std::string& out, const node& value) {
  switch (value.type()) {
    case node::kind::integer: return append_integer(out, value.text());
    case node::kind::fraction: return append_fraction(out, value.text());
    case node::kind::string: return append_json_string(out, value.text());
    case node::kind::array:
      return append_list(out, "[]", value.items(), [&](const node& item) { append_canonical(out, item); });
    case node::kind::object:
      return append_list(out, "{}", value.members(), [&](const member& m) {
        append_json_string(out, m.name);
        out += ':';
        append_canonical(out, m.value);
      });
    default: out += value.text();
  }
}

}  // namespace connectord::tracker
