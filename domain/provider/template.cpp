#include "domain/provider/template.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace connectord::provider {
namespace {

constexpr std::size_t max_steps = 16, max_pieces = 32;

error refused(std::string_view text, std::string_view why) {
  return error{errc::validation_failed, "'" + std::string{text} + "' " + std::string{why}};
}

constexpr std::pair<std::string_view, lookup_root> variables[]{
    {"$body", lookup_root::body},         {"$event", lookup_root::event},
    {"$digest", lookup_root::digest},     {"$time", lookup_root::time},
    {"$received", lookup_root::received}, {"$unix_time", lookup_root::unix_time},
    {"$status", lookup_root::status},     {"$since", lookup_root::since},
    {"$own", lookup_root::own},
};
constexpr std::pair<std::string_view, text_filter> filters[]{
    {"lower", text_filter::lower},   {"host", text_filter::host},   {"tail", text_filter::tail},
    {"head", text_filter::head},     {"tail2", text_filter::tail2}, {"lead", text_filter::lead},
    {"handle", text_filter::handle}, {"stem", text_filter::stem},   {"parent", text_filter::parent},
};

template <class Table>
auto named(const Table& table, std::string_view name) -> decltype(&std::begin(table)->second) {
  const auto hit = std::ranges::find(table, name, [](const auto& row) { return row.first; });
  return hit == std::end(table) ? nullptr : &hit->second;
}

bool take(std::string_view& text, std::string_view front) {
  if (!text.starts_with(front)) return false;
  text.remove_prefix(front.size());
  return true;
}

/// What stands between brackets.
std::optional<path_step> bracket(std::string_view inside) {
  path_step step;
  if (inside.empty()) {
    step.how = path_step::kind::each;
    return step;
  }
  if (const auto equals = inside.find('='); equals != std::string_view::npos) {
    step.how = path_step::kind::select;
    step.name = inside.substr(0, equals);
    step.value = inside.substr(equals + 1);
    if (step.name.empty() || step.value.empty()) return std::nullopt;
    return step;
  }
  step.how = path_step::kind::index;
  const auto* const last = inside.data() + inside.size();
  const auto [end, failure] = std::from_chars(inside.data(), last, step.position);
  if (failure != std::errc{} || end != last) return std::nullopt;
  return step;
}

std::optional<std::vector<path_step>> parse_steps(std::string_view path) {
  std::vector<path_step> steps;
  bool key_next = true;  // after a dot and at the start
  while (!path.empty() || key_next) {
    if (steps.size() == max_steps) return std::nullopt;
    if (!path.empty() && path.front() == '[') {
      const auto end = path.find(']');
      if (end == std::string_view::npos) return std::nullopt;
      auto step = bracket(path.substr(1, end - 1));
      if (!step) return std::nullopt;
      steps.push_back(std::move(*step));
      path.remove_prefix(end + 1);
      key_next = false;
    } else if (key_next) {
      const auto name = path.substr(0, path.find_first_of(".["));
      if (name.empty() || name.find_first_of("{}| ]") != std::string_view::npos) return std::nullopt;
      steps.push_back({.how = path_step::kind::key, .name = std::string{name}, .value = {}});
      path.remove_prefix(name.size());
      key_next = false;
    }
    if (take(path, "."))
      key_next = true;
    else if (!path.empty() && path.front() != '[')
      return std::nullopt;
  }
  return steps;
}

std::string lowered(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Authority and path of a URL; empty when it is none.
std::string_view after_scheme(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("?#"));
}

/// Empty when there is no such position.
std::string before(std::string_view text, std::size_t position) {
  return position == std::string_view::npos ? std::string{} : std::string{text.substr(0, position)};
}

std::string first_segment(std::string_view url) {
  const auto path = after_scheme(url);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return {};
  return std::string{path.substr(slash + 1, path.find('/', slash + 1) - slash - 1)};
}

/// Empty when the path has fewer.
std::string last_segments(std::string_view url, std::size_t count) {
  const auto path = after_scheme(url);
  auto slash = path.size();
  for (; count > 0; --count) {
    slash = slash == 0 ? std::string_view::npos : path.rfind('/', slash - 1);
    if (slash == std::string_view::npos) return {};
  }
  return std::string{path.substr(slash + 1)};
}

}  // namespace

result<lookup> parse_lookup(std::string_view text) {
  lookup out;
  out.text = text;
  auto rest = text;
  if (const auto bar = rest.rfind('|'); bar != std::string_view::npos) {
    const auto* filter = named(filters, rest.substr(bar + 1));
    if (filter == nullptr) return refused(text, "names an unknown filter");
    out.filter = *filter;
    rest = rest.substr(0, bar);
  }
  if (rest.starts_with('$')) {
    const auto* root = named(variables, rest);
    if (root == nullptr) return refused(text, "names an unknown variable");
    out.root = *root;
    return out;
  }
  if (take(rest, "header:")) {
    out.root = lookup_root::header;
    out.header = lowered(rest);
    if (rest.empty() || rest.find_first_of("{}: ") != std::string_view::npos)
      return refused(text, "is not a header name");
    return out;
  }
  if (take(rest, "data:")) out.root = lookup_root::data;
  auto steps = parse_steps(rest);
  if (!steps) return refused(text, "is not a path");
  out.steps = std::move(*steps);
  return out;
}

result<text_template> parse_template(std::string_view text) {
  text_template out;
  std::string plain;
  const auto flush = [&] {
    if (!plain.empty()) out.pieces.push_back({.text = std::exchange(plain, {}), .value = {}});
  };
  for (auto rest = text; !rest.empty();) {
    if (take(rest, "{{")) {
      plain.push_back('{');
    } else if (take(rest, "}}")) {
      plain.push_back('}');
    } else if (take(rest, "{")) {
      const auto end = rest.find('}');
      if (end == std::string_view::npos) return refused(text, "has an open brace");
      auto value = parse_lookup(rest.substr(0, end));
      if (!value) return std::move(value).error();
      flush();
      out.pieces.push_back({.text = {}, .value = std::move(*value)});
      rest.remove_prefix(end + 1);
    } else if (rest.front() == '}') {
      return refused(text, "has a brace that closes nothing");
    } else {
      plain.push_back(rest.front());
      rest.remove_prefix(1);
    }
  }
  flush();
  if (out.pieces.empty() || out.pieces.size() > max_pieces) return refused(text, "is empty or too long");
  return out;
}

std::string filtered(text_filter filter, std::string_view text) {
  switch (filter) {
    case text_filter::none: return std::string{text};
    case text_filter::lower: return lowered(text);
    case text_filter::head: return before(text, text.find('.'));
    case text_filter::stem: return before(text, text.rfind('#'));
    case text_filter::parent: return before(text, text.rfind('/'));
    case text_filter::handle: {
      const auto host = filtered(text_filter::host, text);
      return before(host, host.find('.'));
    }
    case text_filter::host: {
      auto host = after_scheme(text);
      host = host.substr(0, host.find('/'));
      if (const auto user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
      const auto port = host.starts_with('[') ? host.find(':', host.find(']')) : host.find(':');
      return lowered(host.substr(0, port));
    }
    case text_filter::lead: return first_segment(text);
    case text_filter::tail: return last_segments(text, 1);
    case text_filter::tail2: return last_segments(text, 2);
  }
  return {};
}

}  // namespace connectord::provider
