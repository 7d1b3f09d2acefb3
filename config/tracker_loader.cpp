#include "config/tracker_loader.hpp"

#include "config/provider_expressions.hpp"
#include "config/sync_loader.hpp"

#include <algorithm>
#include <charconv>

namespace connectord::config {

using namespace provider;

namespace {

template <class E>
std::optional<E> parse_word(std::string_view text) {
  return tracker::parse<E>(text);
}
template <>
std::optional<int> parse_word<int>(std::string_view text) {
  int out = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failure == std::errc{} && end == text.data() + text.size() ? std::optional{out} : std::nullopt;
}

/// The field's text as a word of ours; nothing when it is not there.
template <class E>
std::optional<E> read_word(yaml_map& in, const std::string& name) {
  const auto text = in.optional_text(name);
  const auto word = text ? parse_word<E>(*text) : std::nullopt;
  if (text && !word) in.refuse(*in.get(name), name, "is no word of the tracker");
  return word;
}
template <class E>
E required_word(yaml_map& in, const std::string& name) {
  in.required(name);
  return read_word<E>(in, name).value_or(E{});
}

template <class E>
word_map<E> read_map(yaml_map& maps, const std::string& name) {
  word_map<E> out;
  const auto node = maps.get(name);
  if (!node) return out;
  yaml_map in{*node, maps.path(name), maps.problems()};
  out.of = read_choice(in, "of");
  in.each("cases", [&](const YAML::Node& item, const std::string& at) {
    yaml_map one{item, at, in.problems()};
    one.required("when");
    auto when = read_conditions(one, "when");
    out.cases.emplace_back(std::move(when), required_word<E>(one, "is"));
  });
  out.otherwise = read_word<E>(in, "default");
  return out;
}

/// A status and a type always have a value; a priority can be unknown.
void read_maps(yaml_map& tracker, tracker_facts& out) {
  const auto node = tracker.required("maps");
  if (!node) return;
  yaml_map in{*node, tracker.path("maps"), tracker.problems()};
  in.required("status");
  in.required("type");
  out.status = read_map<tracker::external_status>(in, "status");
  out.type = read_map<tracker::issue_type>(in, "type");
  out.priority = read_map<int>(in, "priority");
  if (in.has("status") && !out.status.otherwise)
    in.refuse(*in.get("status"), "status.default", "is required");
  if (in.has("type") && !out.type.otherwise) in.refuse(*in.get("type"), "type.default", "is required");
}

resource_facts read_resource(yaml_map& tracker, const sync_facts& sync) {
  resource_facts out;
  const auto node = tracker.required("resource");
  if (!node) return out;
  yaml_map in{*node, tracker.path("resource"), tracker.problems()};
  out.type = in.text("type");
  out.discover = sync;
  out.discover.streams.assign(1, {});
  auto& stream = out.discover.streams.front();
  stream.name = "resources";
  if (const auto listing = in.required("discover")) {
    yaml_map call{*listing, in.path("discover"), in.problems()};
    read_listing(call, stream);
  }
  in.required("id");
  out.ids = read_choice(in, "id");
  out.workspaces = read_choice(in, "workspace");
  out.label = read_choice(in, "label");
  return out;
}

std::vector<issue_source> read_sources(yaml_map& tracker, const std::string& name) {
  std::vector<issue_source> out;
  tracker.required(name);
  tracker.each(name, [&](const YAML::Node& item, const std::string& at) {
    yaml_map in{item, at, tracker.problems()};
    issue_source one;
    one.when = read_conditions(in, "when");
    if (const auto place = in.get("at")) one.at = read_lookup(*place, in.path("at"), in.problems());
    one.deleted = in.flag("deleted", false);
    out.push_back(std::move(one));
  });
  return out;
}

std::vector<lookup> read_places(yaml_map& in, const std::string& name) {
  std::vector<lookup> out;
  in.each(name, [&](const YAML::Node& item, const std::string& at) {
    out.push_back(read_lookup(item, at, in.problems(), true));
  });
  return out;
}

issue_facts read_issue(yaml_map& tracker) {
  issue_facts out;
  const auto node = tracker.required("issue");
  if (!node) return out;
  yaml_map in{*node, tracker.path("issue"), tracker.problems()};
  for (const auto* name : {"id", "title", "updated_at"}) in.required(name);
  out.workspaces = read_choice(in, "workspace");
  out.id = read_choice(in, "id");
  out.key = read_choice(in, "key");
  out.url = read_choice(in, "url");
  out.title = read_choice(in, "title");
  out.body = read_choice(in, "body");
  out.assignees = read_places(in, "assignees");
  out.labels = read_places(in, "labels");
  out.updated_at = read_times(in, "updated_at");
  out.deleted = read_conditions(in, "deleted");
  return out;
}

/// Only what a provider can lack: identity, title and status it always says itself.
void read_ownership(yaml_map& tracker, tracker_facts& out) {
  constexpr std::string_view fields[]{"body", "type", "priority", "assignees", "labels"};
  for (const auto& [field, whose] : tracker.pairs("ownership")) {
    const auto owner = tracker::parse<tracker::owner>(whose);
    const auto at = "ownership." + field;
    if (std::ranges::find(fields, field) == std::end(fields))
      tracker.refuse(*tracker.get("ownership"), at, "is no field that can be owned");
    else if (!owner)
      tracker.refuse(*tracker.get("ownership"), at, "must be one of external, local, shared");
    else
      out.ownership.emplace(field, *owner);
  }
}

}  // namespace

tracker_facts read_tracker(const YAML::Node& node, const std::string& field, const sync_facts& sync,
                           yaml_problems& problems) {
  yaml_map in{node, field, problems};
  tracker_facts out;
  out.system = required_word<tracker::provider>(in, "system");
  out.resource = read_resource(in, sync);
  if (const auto place = in.required("belongs_to")) {
    yaml_map names{*place, in.path("belongs_to"), problems};
    names.required("resource");
    names.required("workspace");
    out.resources = read_choice(names, "resource");
    out.workspaces = read_choice(names, "workspace");
  }
  out.webhook = read_sources(in, "webhook");
  out.sync = read_sources(in, "sync");
  out.issue = read_issue(in);
  read_maps(in, out);
  read_ownership(in, out);
  return out;
}

}  // namespace connectord::config
