#pragma once

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Strict reading of YAML: every map says at its end which of its fields nobody asked for. Only for
/// the provider loader.
namespace connectord::config {

struct yaml_problems {
  std::string file, text;  ///< one line a problem

  void add(const YAML::Node& at, std::string_view field, std::string_view what) {
    const auto line = at.IsDefined() && !at.Mark().is_null() ? at.Mark().line + 1 : 0;
    if (!text.empty()) text += '\n';
    ((((text += file) += ':') += std::to_string(line)) += ": ") += field;
    (text += field.empty() ? "" : ": ") += what;
  }
};

class yaml_map {
 public:
  /// `field` is the map's own path, empty at the top.
  yaml_map(YAML::Node node, std::string field, yaml_problems& problems)
      : node_(std::move(node)), field_(std::move(field)), problems_(problems) {
    if (!node_.IsMap()) problems_.add(node_, field_, "must be a map");
  }
  yaml_map(const yaml_map&) = delete;
  yaml_map& operator=(const yaml_map&) = delete;
  ~yaml_map() {
    if (!node_.IsMap()) return;
    std::set<std::string> seen;
    for (const auto& member : node_) {
      const auto name = member.first.Scalar();
      if (!seen.insert(name).second) problems_.add(member.first, path(name), "stands twice");
      if (!asked_.contains(name)) problems_.add(member.first, path(name), "is not a known field");
    }
  }

  bool has(const std::string& name) { return get(name).has_value(); }

  std::optional<YAML::Node> get(const std::string& name) {
    asked_.insert(name);
    if (!node_.IsMap()) return std::nullopt;
    const auto& read_only = std::as_const(node_);  // the other operator[] adds members
    const auto value = read_only[name];
    if (!value.IsDefined() || value.IsNull()) return std::nullopt;
    return value;
  }

  std::optional<YAML::Node> required(const std::string& name) {
    auto value = get(name);
    if (!value) refuse(node_, name, "is required");
    return value;
  }

  std::string text(const std::string& name) {
    const auto value = required(name);
    return value ? scalar(*value, name) : std::string{};
  }
  std::optional<std::string> optional_text(const std::string& name) {
    const auto value = get(name);
    return value ? std::optional{scalar(*value, name)} : std::nullopt;
  }
  bool flag(const std::string& name, bool otherwise) {
    const auto text = optional_text(name);
    if (text && *text != "true" && *text != "false") refuse(*get(name), name, "must be true or false");
    return text ? *text == "true" : otherwise;
  }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) {
    const auto text = optional_text(name);
    if (!text) return otherwise;
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failure != std::errc{} || end != text->data() + text->size())
      refuse(*get(name), name, "must be a whole number");
    return value;
  }
  double share(const std::string& name, double otherwise) {
    const auto text = optional_text(name);
    if (!text) return otherwise;
    double value = 0;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failure != std::errc{} || end != text->data() + text->size() || !(value >= 0 && value <= 1))
      refuse(*get(name), name, "must be a number from 0 to 1");
    return value;
  }
  std::vector<std::string> texts(const std::string& name) {
    std::vector<std::string> out;
    const auto value = get(name);
    if (value && !value->IsSequence()) refuse(*value, name, "must be a list");
    if (value && value->IsSequence())
      for (const auto& item : *value) out.push_back(scalar(item, name));
    return out;
  }
  std::vector<std::pair<std::string, std::string>> pairs(const std::string& name) {
    std::vector<std::pair<std::string, std::string>> out;
    each_member(name, [&](const std::string& key, const YAML::Node& value) {
      out.emplace_back(key, scalar(value, name + "." + key));
    });
    return out;
  }

  /// One of the names in a table of (name, value).
  template <class T, class Table>
  T one_of(const std::string& name, const Table& table, std::optional<T> otherwise) {
    const auto value = otherwise ? get(name) : required(name);
    if (!value) return otherwise.value_or(T{});
    const auto text = scalar(*value, name);
    std::string names;
    for (const auto& [key, choice] : table) {
      if (key == text) return choice;
      (names += names.empty() ? "" : ", ") += key;
    }
    refuse(*value, name, "must be one of " + names);
    return T{};
  }

  /// A lone value counts as a list of one.
  void each(const std::string& name, const std::function<void(const YAML::Node&, const std::string&)>& read) {
    const auto value = get(name);
    if (!value) return;
    if (!value->IsSequence()) return read(*value, path(name));
    std::size_t index = 0;
    for (const auto& item : *value) read(item, path(name) + "[" + std::to_string(index++) + "]");
  }
  void each_member(const std::string& name,
                   const std::function<void(const std::string&, const YAML::Node&)>& read) {
    const auto value = get(name);
    if (value && !value->IsMap()) refuse(*value, name, "must be a map");
    if (value && value->IsMap())
      for (const auto& member : *value) read(member.first.Scalar(), member.second);
  }

  std::string path(std::string_view name) const {
    return field_.empty() ? std::string{name} : field_ + "." + std::string{name};
  }
  void refuse(const YAML::Node& at, std::string_view name, std::string_view what) {
    problems_.add(at, path(name), what);
  }
  yaml_problems& problems() noexcept { return problems_; }
  const YAML::Node& node() const noexcept { return node_; }

 private:
  std::string scalar(const YAML::Node& value, const std::string& name) {
    if (!value.IsScalar() || value.Scalar().empty()) {
      refuse(value, name, "must be a text that is not empty");
      return {};
    }
    return value.Scalar();
  }

  YAML::Node node_;
  std::string field_;
  yaml_problems& problems_;
  std::set<std::string> asked_;
};

}  // namespace connectord::config
