#include "domain/tracker/body_fields.hpp"

#include "base/json.hpp"
#include "domain/tracker/input.hpp"

#include <charconv>

namespace connectord::tracker {
namespace {

std::string_view kind_name(node::kind kind) {
  switch (kind) {
    case node::kind::array: return "must be an array";
    case node::kind::object: return "must be an object";
    default: return "must be a string";
  }
}

}  // namespace

std::string place::text() const {
  if (parent_ == nullptr) return {};
  auto out = parent_->text();
  if (name_.empty()) return out += "[" + std::to_string(index_) + "]";
  if (!out.empty()) out += '.';
  return out += name_;
}

void complain(earliest<field_error>& errors, std::size_t at, const place& where, field_code code,
              std::string_view reason) {
  errors.add(at, [&] {
    const auto path = where.text();
    return field_error{path, code, path + " " + std::string{reason}};
  });
}

std::optional<std::string_view> checked_text(const node& value, const place& where, text_rules rules,
                                             earliest<field_error>& errors) {
  const auto refuse = [&](field_code code, std::string_view reason) {
    complain(errors, value.at(), where, code, reason);
    return std::nullopt;
  };
  if (!value.is(node::kind::string)) return refuse(field_code::invalid_type, "must be a string");
  const auto text = rules.trim ? trimmed(value.text()) : value.text();
  if (text.find('\0') != std::string_view::npos)
    return refuse(field_code::unsupported_value, "must not hold U+0000");
  if (text.empty() && !rules.may_be_empty) return refuse(field_code::required, "must not be empty");
  if (text.size() > rules.max && code_points(text) > rules.max)
    return refuse(field_code::too_long, "must have at most " + std::to_string(rules.max) + " characters");
  return text;
}

const node* fields::present(std::string_view name) const {
  const auto* value = object_.find(name);
  return value == nullptr || value->is(node::kind::null) ? nullptr : value;
}

void fields::refuse(std::string_view name, field_code code, std::string_view reason) const {
  const auto* value = object_.find(name);
  complain(errors_, (value ? *value : object_).at(), place{where_, name}, code, reason);
}

std::optional<std::string_view> fields::checked(std::string_view name, const node& value,
                                                text_rules rules) const {
  return checked_text(value, place{where_, name}, rules, errors_);
}

std::optional<std::string_view> fields::text(std::string_view name, text_rules rules) const {
  if (const auto* value = object_.find(name)) return checked(name, *value, rules);
  refuse(name, field_code::required, "is required");
  return std::nullopt;
}

std::optional<std::string_view> fields::optional_text(std::string_view name, text_rules rules) const {
  const auto* value = present(name);
  return value ? checked(name, *value, rules) : std::nullopt;
}

std::optional<external_time> fields::optional_time(std::string_view name) const {
  const auto text = optional_text(name, {.may_be_empty = true});
  if (!text) return std::nullopt;
  const auto time = read_time(*text);
  if (!time) refuse(name, field_code::invalid_time, "must be an RFC 3339 time with Z or an offset");
  return time;
}

std::optional<int> fields::optional_integer(std::string_view name) const {
  const auto* value = present(name);
  if (value == nullptr) return std::nullopt;
  const auto text = value->text();
  std::int32_t number = 0;
  if (!value->is(node::kind::integer))
    refuse(name, field_code::invalid_type, "must be an integer");
  else if (std::from_chars(text.begin(), text.end(), number).ec != std::errc{})
    refuse(name, field_code::unsupported_value, "must fit in 32 bits");
  else
    return number;
  return std::nullopt;
}

std::vector<std::string> fields::texts(std::string_view name) const {
  std::vector<std::string> out;
  if (present(name) == nullptr) return out;
  const auto* array = child(name, node::kind::array);
  if (array == nullptr) return out;
  const place list{where_, name};
  out.reserve(array->items().size());
  for (std::size_t i = 0; const auto& item : array->items())
    if (const auto text = checked_text(item, place{list, i++}, {.may_be_empty = true}, errors_))
      out.emplace_back(*text);
  return out;
}

const node* fields::child(std::string_view name, node::kind kind) const {
  if (object_.find(name) != nullptr) return optional_child(name, kind);
  refuse(name, field_code::required, "is required");
  return nullptr;
}

const node* fields::optional_child(std::string_view name, node::kind kind) const {
  const auto* value = object_.find(name);
  if (value == nullptr || value->is(kind)) return value;
  refuse(name, field_code::invalid_type, kind_name(kind));
  return nullptr;
}

}  // namespace connectord::tracker
