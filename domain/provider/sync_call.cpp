#include "domain/provider/sync_call.hpp"

#include "domain/provider/evaluate.hpp"
#include "domain/provider/url.hpp"

#include <boost/json/serialize.hpp>

namespace connectord::provider {
namespace {

// A local time named by someone who does not know its zone is right or early everywhere west of here.
constexpr std::chrono::hours westernmost{-12};

/// Sets `a.b.c` in nested objects.
void set_member(json::object& in, std::string_view name, std::string value) {
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) {
    in[name] = std::move(value);
    return;
  }
  auto& inner = in[name.substr(0, dot)];
  if (!inner.is_object()) inner = json::object{};
  set_member(inner.get_object(), name.substr(dot + 1), std::move(value));
}

std::string body_of(const request_facts& facts, const scene& s) {
  json::object out;
  if (facts.graphql) out["query"] = *facts.graphql;
  for (const auto& [name, values] : facts.body)
    if (auto text = render(values, s)) set_member(out, name, std::move(*text));
  return out.empty() ? std::string{} : json::serialize(out);
}

/// The parameters of one link that stand behind its target.
bool is_next(std::string_view parameters) {
  for (const std::string_view form : {"rel=\"next\"", "rel=next"}) {
    const auto at = parameters.find(form);
    if (at == std::string_view::npos) continue;
    const auto end = at + form.size();
    if (end == parameters.size() || parameters.find_first_of("; \t", end) == end) return true;
  }
  return false;
}

std::optional<std::string> next_of(std::string_view links) {
  while (true) {
    const auto open = links.find('<'), close = links.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
    const auto target = links.substr(open + 1, close - open - 1);
    links.remove_prefix(close + 1);
    const auto end = std::min(links.find(",", 0), links.size());
    if (is_next(links.substr(0, end))) return std::string{target};
    links.remove_prefix(end);
  }
}

}  // namespace

result<http_request> build_call(const request_facts& facts, const call_scope& scope) {
  auto url = resolve_url(facts.url, scope.values, scope.item, scope.origin);
  if (!url) return std::move(url).error();
  const header_list none;
  const auto text = json::serialize(scope.values);
  const scene s{
      .headers = none,
      .body = parse_document(text, parser_slot::body),
      .data = scope.item.empty() ? std::nullopt : parse_document(scope.item, parser_slot::envelope)};
  text_pairs query;
  for (const auto& [name, values] : facts.query)
    if (auto value = render(values, s)) query.emplace_back(name, std::move(*value));
  http_request out{facts.method, with_query(std::move(*url), query), {{"accept", "application/json"}}, {}};
  for (const auto& [name, value] : scope.headers) {
    std::erase_if(out.headers, [&](const auto& header) { return header.first == name; });
    out.headers.emplace_back(name, value);
  }
  out.body = body_of(facts, s);
  if (!out.body.empty()) out.headers.emplace_back("content-type", "application/json");
  return out;
}

std::optional<std::string> render_over(const choice& any, const json::object& values) {
  const header_list none;
  const auto text = json::serialize(values);
  return render(any, scene{.headers = none, .body = parse_document(text, parser_slot::body)});
}

std::optional<std::string> next_link(const http_response& answer) {
  for (const auto& [name, value] : answer.headers)
    if (name == "link")
      if (auto next = next_of(value)) return next;
  return std::nullopt;
}

std::string since_text(since_format format, timestamp since, std::optional<seconds> offset) {
  switch (format) {
    case since_format::rfc3339: return to_rfc3339(since);
    case since_format::epoch_ms: return std::to_string(to_millis(since));
    case since_format::local_minute: {
      auto text = to_rfc3339_seconds(since + offset.value_or(westernmost)).substr(0, 16);
      text[10] = ' ';
      return text;
    }
  }
  return {};
}

}  // namespace connectord::provider
