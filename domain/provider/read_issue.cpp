#include "domain/provider/read_issue.hpp"

#include <algorithm>
#include <utility>

namespace connectord::provider {
namespace {

constexpr std::size_t most_names = 256;

std::vector<std::string> all_of(const choice& names, const scene& s) {
  std::vector<std::string> out;
  for (const auto& name : names)
    if (auto text = render(name, s); text && std::ranges::find(out, *text) == out.end())
      out.push_back(std::move(*text));
  return out;
}

std::vector<std::string> texts_of(const std::vector<lookup>& places, const scene& s) {
  std::vector<std::string> out;
  for (const auto& at : places) texts_at(at, s, most_names, out);
  return out;
}

template <class E>
std::optional<E> word_of(const word_map<E>& map, std::string_view field, const scene& s,
                         std::vector<std::string>& unmapped) {
  for (const auto& [when, word] : map.cases)
    if (holds(when, s)) return word;
  if (const auto theirs = render(map.of, s)) unmapped.push_back(std::string{field} + ": " + *theirs);
  return map.otherwise;
}

std::optional<tracker_issue> read(const tracker_facts& f, const scene& s) {
  tracker_issue out;
  auto id = render(f.issue.id, s), title = render(f.issue.title, s);
  if (!id || !title) return std::nullopt;
  auto& c = out.content;
  c.ref.system = tracker::name_of(f.system);
  c.ref.id = std::move(*id);
  c.key = render(f.issue.key, s);
  c.url = render(f.issue.url, s);
  c.title = std::move(*title);
  c.body = render(f.issue.body, s);
  c.status = word_of(f.status, "status", s, out.unmapped).value_or(tracker::external_status::todo);
  c.type = word_of(f.type, "type", s, out.unmapped).value_or(tracker::issue_type::task);
  c.priority = word_of(f.priority, "priority", s, out.unmapped);
  c.assignees = texts_of(f.issue.assignees, s);
  c.labels = texts_of(f.issue.labels, s);
  c.updated_at = first_time(f.issue.updated_at, s);
  out.identities = all_of(f.issue.workspaces, s);
  out.workspaces = all_of(f.workspaces, s);
  out.resources = all_of(f.resources, s);
  out.deleted = !f.issue.deleted.empty() && holds(f.issue.deleted, s);
  return out;
}

}  // namespace

std::optional<tracker_issue> tracker_issue_of(const tracker_facts& f,
                                              const std::vector<issue_source>& sources, scene& s) {
  const auto fits = std::ranges::find_if(sources, [&](const auto& one) { return holds(one.when, s); });
  if (fits == sources.end()) return std::nullopt;
  if (!fits->at) return read(f, s);
  const auto inside = element_at(*fits->at, s);
  if (!inside || !inside->is_object()) return std::nullopt;
  auto view = s;
  view.data = std::exchange(view.body, inside);
  auto out = read(f, view);
  if (out) out->deleted |= fits->deleted;
  return out;
}

std::optional<tracker_resource> tracker_resource_of(const resource_facts& f, const scene& item) {
  tracker_resource out{all_of(f.ids, item), all_of(f.workspaces, item), render(f.label, item).value_or("")};
  if (out.ids.empty()) return std::nullopt;
  return out;
}

tracker::issue_content merged(const tracker_facts& f, const tracker::issue_content& stored,
                              const tracker::issue_content& told) {
  auto out = told;
  out.ref = stored.ref;
  if (!out.key) out.key = stored.key;
  if (!out.url) out.url = stored.url;
  const auto keep = [&](std::string_view field, auto member, bool unsaid) {
    const auto whose = f.owner_of(field);
    if (whose == tracker::owner::local || (whose == tracker::owner::shared && unsaid))
      out.*member = stored.*member;
  };
  using content = tracker::issue_content;
  keep("body", &content::body, !told.body);
  keep("type", &content::type, false);
  keep("priority", &content::priority, !told.priority);
  keep("assignees", &content::assignees, told.assignees.empty());
  keep("labels", &content::labels, told.labels.empty());
  return out;
}

}  // namespace connectord::provider
