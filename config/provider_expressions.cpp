#include "config/provider_expressions.hpp"

#include "domain/signal.hpp"

#include <algorithm>

namespace connectord::config {

using namespace provider;

namespace {

constexpr names<time_format> time_formats[]{{"rfc3339", time_format::rfc3339},
                                            {"epoch_s", time_format::epoch_s},
                                            {"epoch_ms", time_format::epoch_ms},
                                            {"epoch_fraction", time_format::epoch_fraction},
                                            {"any_time", time_format::any}};
constexpr names<json_type> json_types[]{{"string", json_type::string},
                                        {"number", json_type::number},
                                        {"boolean", json_type::boolean},
                                        {"object", json_type::object},
                                        {"array", json_type::array}};
constexpr names<rule_effect> effects[]{{"queue_sync", rule_effect::queue_sync},
                                       {"revoke_connection", rule_effect::revoke_connection},
                                       {"ignore", rule_effect::ignore}};

void read_values(const YAML::Node& node, condition& out, const std::string& field, yaml_problems& problems) {
  const auto add = [&](const YAML::Node& value) {
    if (value.IsNull())
      out.or_absent = true;
    else if (value.IsScalar())
      out.values.push_back(value.Scalar());
    else
      problems.add(value, field, "must be a text");
  };
  if (!node.IsSequence()) return add(node);
  for (const auto& item : node) add(item);
}

void read_predicate(const YAML::Node& node, condition& out, const std::string& field,
                    yaml_problems& problems) {
  if (!node.IsMap()) return read_values(node, out, field, problems);
  yaml_map in{node, field, problems};
  if (node.size() != 1) return problems.add(node, field, "must be one predicate");
  if (const auto none = in.get("not")) {
    out.how = condition::test::none_of;
    read_values(*none, out, field, problems);
    if (out.or_absent) problems.add(*none, field, "null has no meaning under not");
  } else if (const auto part = in.get("contains")) {
    out.how = condition::test::contains;
    read_values(*part, out, field, problems);
    if (out.or_absent) problems.add(*part, field, "null has no meaning under contains");
    for (const auto& value : out.values)
      if (value != filtered(text_filter::lower, value)) problems.add(*part, field, "must be in lower case");
  } else if (in.has("exists")) {
    out.how = in.flag("exists", true) ? condition::test::present : condition::test::absent;
  } else if (in.has("lists")) {
    out.how = condition::test::lists;
    out.values = {in.text("lists")};
  } else if (const auto same = in.get("same_as")) {
    out.how = condition::test::same_as;
    out.other = read_lookup(*same, field + ".same_as", problems);
  } else if (const auto border = in.get("not_after")) {
    out.how = condition::test::not_after;
    out.other = read_lookup(*border, field + ".not_after", problems);
  } else if (const auto near = in.get("within")) {
    yaml_map within{*near, field + ".within", problems};
    out.how = condition::test::within;
    out.tolerance = seconds{within.integer("seconds", 0)};
    if (const auto of = within.required("of")) out.other = read_lookup(*of, field + ".within.of", problems);
  } else if (in.has("type")) {
    out.how = condition::test::is_type;
    out.type = in.one_of<json_type>("type", json_types, std::nullopt);
  }
}

shape read_shape(const std::string& name, const YAML::Node& node, const std::string& field,
                 yaml_problems& problems) {
  yaml_map in{node, field, problems};
  shape out;
  out.name = in.optional_text("type").value_or(name);
  in.required("entity");
  out.entity = read_choice(in, "entity");
  in.each("version", [&](const YAML::Node& item, const std::string& at) {
    if (item.IsMap())
      out.version.emplace_back(read_time(item, at, problems));
    else
      out.version.emplace_back(read_template(item, at, problems));
  });
  out.occurred_at = read_times(in, "occurred_at");
  out.key = read_choice(in, "key");
  out.title = read_choice(in, "title");
  out.url = read_choice(in, "url");
  if (const auto actor = in.get("actor")) {
    yaml_map map{*actor, in.path("actor"), problems};
    out.actor_id = read_choice(map, "id");
    out.actor_name = read_choice(map, "name");
  }
  out.fields = read_choices(in, "fields");
  if (const auto raw = in.get("raw")) out.raw = read_lookup(*raw, in.path("raw"), problems);
  return out;
}

rule read_rule(const YAML::Node& node, const std::string& field, const shape_index& shapes,
               yaml_problems& problems) {
  yaml_map in{node, field, problems};
  rule out;
  out.when = read_conditions(in, "when");
  if (in.has("effect")) {
    out.effect = in.one_of<rule_effect>("effect", effects, std::nullopt);
    return out;
  }
  out.spam_check = in.flag("spam_check", false);
  out.kind = in.text("kind");
  if (!out.kind.empty() && !is_signal_kind(out.kind))
    in.refuse(node, "kind", "is not in the registry of kinds");
  const auto as = in.text("as");
  const auto at = shapes.find(as);
  if (at != shapes.end())
    out.shape = at->second;
  else if (!as.empty())
    in.refuse(node, "as", "names no shape of this definition");
  return out;
}

}  // namespace

lookup read_lookup(const YAML::Node& node, const std::string& field, yaml_problems& problems, bool many) {
  auto parsed = parse_lookup(node.IsScalar() ? node.Scalar() : "");
  if (!parsed) {
    problems.add(node, field, parsed.error().message());
    return {};
  }
  if (!many &&
      std::ranges::any_of(parsed->steps, [](const auto& s) { return s.how == path_step::kind::each; }))
    problems.add(node, field, "must name one value, not every item");
  return std::move(*parsed);
}

text_template read_template(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  auto parsed = parse_template(node.IsScalar() ? node.Scalar() : "");
  if (!parsed) {
    problems.add(node, field, parsed.error().message());
    return {};
  }
  for (const auto& piece : parsed->pieces)
    if (piece.value &&
        std::ranges::any_of(piece.value->steps, [](const auto& s) { return s.how == path_step::kind::each; }))
      problems.add(node, field, "must name one value, not every item");
  return std::move(*parsed);
}

choice read_choice(yaml_map& in, const std::string& name) {
  choice out;
  in.each(name, [&](const YAML::Node& item, const std::string& field) {
    out.push_back(read_template(item, field, in.problems()));
  });
  return out;
}

std::vector<std::pair<std::string, choice>> read_choices(yaml_map& in, const std::string& name) {
  std::vector<std::pair<std::string, choice>> out;
  in.each_member(name, [&](const std::string& member, const YAML::Node& value) {
    choice values;
    const auto field = in.path(name) + "." + member;
    if (value.IsSequence())
      for (const auto& item : value) values.push_back(read_template(item, field, in.problems()));
    else
      values.push_back(read_template(value, field, in.problems()));
    out.emplace_back(member, std::move(values));
  });
  return out;
}

time_candidate read_time(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  time_candidate out;
  if (!node.IsMap() || node.size() != 1) {
    problems.add(node, field, "must be one time format and a path, such as {rfc3339: updated_at}");
    return out;
  }
  const auto member = *node.begin();
  const auto* format = std::ranges::find(time_formats, member.first.Scalar(), &names<time_format>::first);
  if (format == std::end(time_formats))
    problems.add(node, field, "names an unknown time format");
  else
    out.format = format->second;
  out.from = read_lookup(member.second, field, problems);
  return out;
}

conditions read_conditions(yaml_map& in, const std::string& name) {
  conditions out;
  in.each_member(name, [&](const std::string& subject, const YAML::Node& predicate) {
    const auto field = in.path(name) + "." + subject;
    condition c;
    if (auto parsed = parse_lookup(subject))
      c.subject = std::move(*parsed);
    else
      in.problems().add(predicate, field, parsed.error().message());
    read_predicate(predicate, c, field, in.problems());
    out.push_back(std::move(c));
  });
  return out;
}

std::vector<event_case> read_cases(yaml_map& in, const std::string& name) {
  std::vector<event_case> out;
  in.each(name, [&](const YAML::Node& item, const std::string& field) {
    event_case one;
    if (item.IsMap()) {
      yaml_map map{item, field, in.problems()};
      one.when = read_conditions(map, "when");
      if (const auto then = map.required("then"))
        one.name = read_template(*then, field + ".then", in.problems());
    } else {
      one.name = read_template(item, field, in.problems());
    }
    out.push_back(std::move(one));
  });
  return out;
}

std::vector<time_candidate> read_times(yaml_map& in, const std::string& name) {
  std::vector<time_candidate> out;
  in.each(name, [&](const YAML::Node& item, const std::string& field) {
    out.push_back(read_time(item, field, in.problems()));
  });
  return out;
}

shape_index read_shapes(yaml_map& in, std::vector<shape>& out) {
  shape_index index;
  in.each_member("shapes", [&](const std::string& name, const YAML::Node& node) {
    index.emplace(name, out.size());
    out.push_back(read_shape(name, node, in.path("shapes") + "." + name, in.problems()));
  });
  return index;
}

std::vector<rule> read_rules(yaml_map& in, const shape_index& shapes) {
  std::vector<rule> out;
  in.required("rules");
  in.each("rules", [&](const YAML::Node& item, const std::string& field) {
    out.push_back(read_rule(item, field, shapes, in.problems()));
  });
  return out;
}

}  // namespace connectord::config
