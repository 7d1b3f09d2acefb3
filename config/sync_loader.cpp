#include "config/sync_loader.hpp"

#include "config/provider_expressions.hpp"

#include <algorithm>
#include <charconv>

namespace connectord::config {

using namespace provider;

namespace {

constexpr names<std::string_view> methods[]{{"GET", "GET"}, {"POST", "POST"}};
constexpr names<since_format> since_formats[]{{"rfc3339", since_format::rfc3339},
                                              {"epoch_ms", since_format::epoch_ms},
                                              {"local_minute", since_format::local_minute}};
constexpr names<failure_class> classes[]{{"unauthorized", failure_class::unauthorized},
                                         {"rate_limited", failure_class::rate_limited},
                                         {"transient", failure_class::transient},
                                         {"permanent", failure_class::permanent}};

request_facts read_request(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  request_facts out;
  out.method = in.one_of<std::string_view>("method", methods, "GET");
  if (const auto url = in.required("url")) {
    out.url = read_template(*url, in.path("url"), problems);
    const auto& first = out.url.pieces.empty() ? std::string{} : out.url.pieces.front().text;
    if (!first.starts_with("https://") || in.text("url").find_first_of("# ") != std::string::npos)
      in.refuse(*url, "url", "must be an https URL without fragment");
  }
  out.query = read_choices(in, "query");
  out.graphql = in.optional_text("graphql");
  out.body = read_choices(in, "body");
  if (out.method == "GET" && (out.graphql || !out.body.empty()))
    in.refuse(node, "method", "must be POST for a call with a body");
  return out;
}

page_facts read_page(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  page_facts out;
  constexpr names<paging> styles[]{
      {"none", paging::none}, {"link", paging::link}, {"token", paging::token}, {"count", paging::count}};
  out.how = in.one_of<paging>("style", styles, std::nullopt);
  if (out.how == paging::token) {
    if (const auto at = in.required("token")) out.token = read_lookup(*at, in.path("token"), problems);
    out.more = read_conditions(in, "when");
  } else if (out.how == paging::count) {
    out.first = in.integer("first", 1);
    out.step = in.integer("step", 1);
    out.page_size = in.integer("size", 0);
    if (out.page_size < 1 || out.step < 1) in.refuse(node, "size", "and step must be at least 1");
  }
  out.newest_first = in.flag("newest_first", false);
  return out;
}

cursor_facts read_cursor(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  cursor_facts out;
  out.name = in.text("name");
  if (out.name == "resume") in.refuse(node, "name", "is taken");
  if (const auto at = in.get("answer")) out.answer = read_lookup(*at, in.path("answer"), problems);
  out.newest = read_times(in, "newest");
  if (out.answer.has_value() != out.newest.empty())
    problems.add(node, field, "needs either answer or newest");
  return out;
}

since_facts read_since(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  since_facts out;
  out.format = in.one_of<since_format>("format", since_formats, since_format::rfc3339);
  const auto overlap = in.integer("overlap_seconds", 0);
  if (overlap < 0 || overlap > 86400) in.refuse(node, "overlap_seconds", "must be from 0 to 86400");
  out.overlap = seconds{overlap};
  out.overlap_key = in.optional_text("overlap_key").value_or("");
  if (const auto zone = in.get("zone")) {
    yaml_map map{*zone, in.path("zone"), problems};
    if (const auto call = map.required("request"))
      out.zone = read_request(*call, map.path("request"), problems);
    if (const auto at = map.required("name")) out.zone_name = read_lookup(*at, map.path("name"), problems);
  }
  return out;
}

baseline_facts read_baseline(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  baseline_facts out;
  if (const auto call = in.get("request")) out.request = read_request(*call, in.path("request"), problems);
  if (const auto at = in.get("answer")) out.answer = read_lookup(*at, in.path("answer"), problems);
  out.from_now = in.flag("from_now", false);
  if (out.request.has_value() == out.from_now)
    problems.add(node, field, "needs either a request or from_now");
  return out;
}

detail_facts read_detail(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  detail_facts out;
  out.when = read_conditions(in, "when");
  if (const auto call = in.required("request"))
    out.request = read_request(*call, in.path("request"), problems);
  out.gone = read_conditions(in, "gone");
  return out;
}

stream_facts read_stream(const YAML::Node& node, const std::string& field, const shape_index& shapes,
                         yaml_problems& problems) {
  yaml_map in{node, field, problems};
  stream_facts out;
  out.name = in.text("name");
  read_listing(in, out);
  out.records_optional = in.flag("records_optional", false);
  out.parts = in.texts("parts");
  if (const auto cursor = in.required("cursor"))
    out.cursor = read_cursor(*cursor, in.path("cursor"), problems);
  if (const auto since = in.get("since")) out.since = read_since(*since, in.path("since"), problems);
  if (const auto baseline = in.get("baseline"))
    out.baseline = read_baseline(*baseline, in.path("baseline"), problems);
  if (out.cursor.answer && !out.baseline)
    in.refuse(node, "baseline", "is required where an answer gives the cursor");
  if (const auto detail = in.get("detail")) out.detail = read_detail(*detail, in.path("detail"), problems);
  out.invalid_cursor = read_conditions(in, "invalid_cursor");
  out.rules = read_rules(in, shapes);
  for (const auto& r : out.rules)
    if (r.effect != rule_effect::signal && r.effect != rule_effect::ignore)
      in.refuse(node, "rules", "of a sync can make signals and ignore, nothing else");
  return out;
}

mail_facts read_mail(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  mail_facts out;
  const auto factor = in.optional_text("factor").value_or("1");
  const auto [end, failure] = std::from_chars(factor.data(), factor.data() + factor.size(), out.factor);
  if (failure != std::errc{} || end != factor.data() + factor.size() || out.factor < 0 || out.factor > 1)
    in.refuse(node, "factor", "must be a number from 0 to 1");
  in.required("from");
  out.from = read_choice(in, "from");
  out.subject = read_choice(in, "subject");
  for (const auto& [name, target] :
       {std::pair{"labels", &out.labels}, {"attachments", &out.attachments}, {"headers", &out.headers}})
    if (const auto at = in.get(name)) *target = read_lookup(*at, in.path(name), problems, true);
  out.html = read_conditions(in, "html");
  return out;
}

}  // namespace

void read_listing(yaml_map& in, stream_facts& out) {
  if (const auto call = in.required("request"))
    out.request = read_request(*call, in.path("request"), in.problems());
  if (const auto page = in.get("page")) out.page = read_page(*page, in.path("page"), in.problems());
  if (const auto at = in.required("records"))
    out.records = read_lookup(*at, in.path("records"), in.problems());
}

sync_facts read_sync(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  sync_facts out;
  out.headers = in.pairs("headers");
  for (const auto& [name, value] : out.headers)
    if (std::ranges::any_of(name, [](char c) { return c >= 'A' && c <= 'Z'; }))
      in.refuse(node, "headers." + name, "must be in lower case");
  out.own = read_choice(in, "own");
  out.reset = read_times(in, "reset");
  out.limited_for = seconds{in.integer("limited_for_seconds", 0)};
  in.each("errors", [&](const YAML::Node& item, const std::string& at) {
    yaml_map map{item, at, problems};
    out.errors.push_back(
        {read_conditions(map, "when"), map.one_of<failure_class>("class", classes, std::nullopt)});
  });
  if (const auto mail = in.get("mail")) out.mail = read_mail(*mail, in.path("mail"), problems);
  const auto shapes = read_shapes(in, out.shapes);
  in.required("streams");
  in.each("streams", [&](const YAML::Node& item, const std::string& at) {
    out.streams.push_back(read_stream(item, at, shapes, problems));
  });
  if (out.streams.empty()) in.refuse(node, "streams", "must have at least one stream");
  return out;
}

}  // namespace connectord::config
