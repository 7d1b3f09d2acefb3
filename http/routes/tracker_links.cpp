#include "http/tracker_filters.hpp"

#include <algorithm>

/// Links of work packages to issues, the issues themselves, and where they drift apart
/// (tracker-api, 3.4, 3.5, 5).
namespace connectord::web {
namespace {

constexpr std::size_t longest_name = 512, longest_url = 4096;
constexpr object_reader::text_rules name_rules{1, longest_name, true}, url_rules{1, longest_url, true};

result<create_link> read_new(const json::object& body) {
  object_reader in{body};
  create_link c;
  const auto binding = in.text("binding_id", name_rules);
  if (const auto id = tracker::binding_id::parse(binding))
    c.binding = *id;
  else if (!binding.empty())
    in.refuse("binding_id", "must be a UUID");
  c.wp.wp_id = in.text("wp_id", name_rules);
  c.wp.mission = in.optional_text("mission_slug", name_rules).value_or("");
  c.workspace = in.optional_text("workspace", name_rules);
  c.external_id = in.text("external_id", name_rules);
  c.external_key = in.optional_text("external_key", name_rules);
  c.external_url = in.optional_text("external_url", url_rules);
  if (const auto ok = in.finish(); !ok) return ok.error();
  return c;
}

result<patch_link> read_patch(const json::object& body) {
  object_reader in{body};
  patch_link p;
  const auto take = [&](std::string_view key, object_reader::text_rules rules) {
    return in.has(key) ? patch_link::given{in.optional_text(key, rules)} : std::nullopt;
  };
  p.mission = take("mission_slug", name_rules);
  p.external_key = take("external_key", name_rules);
  p.external_url = take("external_url", url_rules);
  if (in.has("external_id")) p.external_id = in.text("external_id", name_rules);
  if (const auto ok = in.finish(); !ok) return ok.error();
  return p;
}

asio::awaitable<response> list_all_links(app& a, request& r) {
  list_reader q{a, r};
  list_links l;
  l.filter.bindings = id_texts(q, "binding_id");
  l.filter.projects = id_texts(q, "project");
  l.filter.wp_ids = q.texts("wp_id");
  l.filter.states = names<tracker::link_state>(q, "state");
  l.filter.external_ids = q.texts("external_id");
  co_return co_await page_of_rows(
      a, r, q, std::move(l), [](json_writer& w, const tracker::link_view& v) { write(w, v); },
      [](const tracker::link_view& v) {
        return sort_key{v.link.wp.wp_id, v.link.wp.mission, v.link.id.str()};
      });
}

asio::awaitable<response> create(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto wanted = read_new(*body);
  if (!wanted) co_return refuse(wanted.error(), r);
  const auto made = co_await command(a, r, std::move(*wanted));
  co_return made ? rendered(201, *made) : refuse(made.error(), r);
}

asio::awaitable<response> get(app& a, request& r) {
  return one_row<get_link, tracker::link_id>(a, r, errc::not_found);
}

asio::awaitable<response> patch(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto wanted = read_patch(*body);
  if (!wanted) co_return refuse(wanted.error(), r);
  const auto id = named<tracker::link_id>(r, "id", errc::not_found);
  if (!id) co_return refuse(id.error(), r);
  wanted->id = *id;
  const auto now = co_await command(a, r, std::move(*wanted));
  co_return now ? rendered(200, *now) : refuse(now.error(), r);
}

asio::awaitable<response> remove(app& a, request& r) {
  const auto id = named<tracker::link_id>(r, "id", errc::not_found);
  if (!id) co_return refuse(id.error(), r);
  const auto gone = co_await command(a, r, delete_link{*id});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

// ---- drift

/// Open ones, unless it is asked for others; `all` asks for every one.
tracker::any_of drift_states(list_reader& q) {
  auto states = q.texts("state");
  for (const auto& s : states)
    if (s != "all" && !tracker::parse<tracker::drift_state>(s))
      q.refuse("state", "must be open, resolved or all");
  if (states.empty()) return {"open"};
  if (std::ranges::find(states, "all") != states.end()) return {};
  return states;
}

asio::awaitable<response> list_all_drift(app& a, request& r) {
  list_reader q{a, r};
  list_drift l;
  l.filter.projects = id_texts(q, "project");
  l.filter.bindings = id_texts(q, "binding_id");
  l.filter.kinds = names<tracker::drift_kind>(q, "kind");
  l.filter.states = drift_states(q);
  l.filter.wp_ids = q.texts("wp_id");
  l.filter.severities = names<tracker::severity>(q, "severity");
  co_return co_await page_of_rows(
      a, r, q, std::move(l), [](json_writer& w, const tracker::drift_record& d) { write(w, d); },
      [](const tracker::drift_record& d) {
        return sort_key{to_millis(d.opened_at), d.id.str()};
      });
}

asio::awaitable<response> drift_record(app& a, request& r) {
  return one_row<get_drift, tracker::drift_id>(a, r, errc::not_found);
}

// ---- issues

asio::awaitable<response> list_all_issues(app& a, request& r) {
  list_reader q{a, r};
  list_issues l;
  auto& f = l.filter;
  f.bindings = id_texts(q, "binding_id");
  f.projects = id_texts(q, "project");
  f.providers = providers(q);
  f.workspaces = q.texts("workspace");
  f.statuses = names<tracker::external_status>(q, "status");
  f.types = names<tracker::issue_type>(q, "issue_type");
  f.assignees = q.texts("assignee");
  f.labels = q.texts("label");
  f.presences = names<tracker::presence>(q, "presence");
  f.linked = q.boolean("linked");
  f.q = q.text("q");
  l.with_body = q.boolean("include_body").value_or(false);
  co_return co_await page_of_rows(
      a, r, q, std::move(l), [](json_writer& w, const tracker::issue_view& v) { write(w, v); },
      [](const tracker::issue_view& v) {
        const auto& ref = v.issue.content.ref;
        return sort_key{ref.workspace, ref.id, v.issue.id.str()};
      });
}

asio::awaitable<response> issue(app& a, request& r) {
  return one_row<get_issue, tracker::issue_id>(a, r, errc::not_found);
}

std::vector<parameter> issue_filters() {
  return paged({{"binding_id", id_list_schema, "Of these bindings"},
                {"project", id_list_schema, "Of these projects, by id or project_uuid"},
                {"provider", text_list_schema, "Of these providers"},
                {"workspace", text_list_schema, "Of these workspaces"},
                {"status", text_list_schema, "One of these"},
                {"issue_type", text_list_schema, "One of these"},
                {"assignee", text_list_schema, "Assigned to one of these"},
                {"label", text_list_schema, "Labelled with one of these"},
                {"presence", text_list_schema, "present, absent"},
                {"linked", R"({"type":"boolean"})", "A work package is linked to it"},
                {"q", R"({"type":"string"})", "Part of title or key"},
                {"include_body", R"({"type":"boolean"})", "With bodies"}});
}

}  // namespace

void add_link_routes(std::vector<route>& table, app* a) {
  constexpr auto reads = tracker_with("tracker:read"), administers = tracker_with("tracker:admin");
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text,
                       access needed, answer ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&),
                       std::string_view schema = {}) -> route& {
    auto& made = table.emplace_back(team_route(m, path, id, text, needed, ok, std::move(errors)));
    made.handle = on(a, f);
    if (!schema.empty()) made.payload = payload::json;
    made.body_schema = schema;
    return made;
  };
  constexpr std::string_view links = "/api/v1/connectors/trackers/mappings",
                             link = "/api/v1/connectors/trackers/mappings/{id}";
  add(verb::get, links, "listMappings", "Links by work package", reads,
      {200, "WorkPackageLinkList", "A page"}, {}, list_all_links)
      .parameters = paged({{"binding_id", id_list_schema, "Of these bindings"},
                           {"project", id_list_schema, "Of these projects, by id or project_uuid"},
                           {"wp_id", text_list_schema, "Of these work packages"},
                           {"state", text_list_schema, "One of these"},
                           {"external_id", text_list_schema, "To these issues"}});
  add(verb::post, links, "createMapping", "Link a work package by hand", administers,
      {201, "WorkPackageLink", "Made"}, {404, 409}, create, "CreateMapping");
  add(verb::get, link, "getMapping", "One link", reads, {200, "WorkPackageLink", "The link"}, {404}, get);
  add(verb::patch, link, "patchMapping", "Change it by hand", administers,
      {200, "WorkPackageLink", "As it is now"}, {404, 409}, patch, "PatchMapping");
  add(verb::delete_, link, "deleteMapping", "Remove it", administers, {204, "", "Removed"}, {404}, remove);
  add(verb::get, "/api/v1/connectors/trackers/drift", "listDrift", "Where the two disagree, newest first",
      reads, {200, "DriftRecordList", "A page"}, {}, list_all_drift)
      .parameters = paged({{"project", id_list_schema, "Of these projects, by id or project_uuid"},
                           {"binding_id", id_list_schema, "Of these bindings"},
                           {"kind", text_list_schema, "One of these"},
                           {"state", text_list_schema, "open (the default), resolved, all"},
                           {"wp_id", text_list_schema, "Of these work packages"},
                           {"severity", text_list_schema, "info, warning"}});
  add(verb::get, "/api/v1/connectors/trackers/drift/{id}", "getDrift", "One record", reads,
      {200, "DriftRecord", "The record"}, {404}, drift_record);
  add(verb::get, "/api/v1/connectors/trackers/issues", "listIssues", "Issues by workspace and id", reads,
      {200, "IssueSnapshotList", "A page"}, {}, list_all_issues)
      .parameters = issue_filters();
  add(verb::get, "/api/v1/connectors/trackers/issues/{id}", "getIssue", "One issue, with its body", reads,
      {200, "IssueSnapshot", "The issue"}, {404}, issue);
}

}  // namespace connectord::web
