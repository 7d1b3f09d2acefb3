#include "domain/tracker/input.hpp"
#include "http/facade.hpp"

#include <algorithm>

/// The facade's reads, and the writes that this version refuses.
namespace connectord::web {
namespace {

using tracker::name_of;

bool connected(const binding_standing& b) { return b.health != tracker::health::disconnected; }

/// One binding, or a project that has none.
std::string routed_status(const facade_status& s, const tracker::facade_route& asked) {
  const auto* b = s.bindings.empty() ? nullptr : &s.bindings.front();
  const auto* row = b ? &b->view.row : nullptr;
  std::string body;
  json_writer w{body};
  w.open().member("configured", b != nullptr).member("provider", name_of(asked.provider));
  w.member("connected", b != nullptr && connected(*b)).member("project_slug", s.at.of->slug);
  write_identity_path(w, s.at);
  w.member("sync_state", s.queued ? "queued" : "idle");
  w.member("last_sync", row ? row->last_snapshot_at : std::nullopt);
  w.member("health", name_of(b ? b->health : tracker::health::not_bound));
  w.member("drift_open", row ? total_of(row->tally.drift_open) : 0);
  w.member("issue_count", row ? row->tally.issues : 0);
  w.member("mapping_count", row ? row->tally.links : 0);
  write_routed(w, s.at);
  w.close();
  return body;
}

std::string provider_status(const facade_status& s, tracker::provider p) {
  auto bindings = s.bindings;
  std::ranges::stable_sort(bindings, {}, [](const auto& b) -> const auto& { return b.view.project.slug; });
  const bool up = std::ranges::any_of(bindings, connected);
  std::string body;
  json_writer w{body};
  w.open().member("provider", name_of(p)).member("connected", up);
  w.member("status", up ? "connected" : "disconnected").member("resource_count", s.resources);
  w.key("bindings").open_array();
  for (const auto& [view, project_name, health] : bindings) {
    w.open().member("project_name", project_name).member("project_slug", view.project.slug);
    w.member("display_label", view.row.display_label).member("provider", name_of(view.row.provider));
    w.member("status", name_of(view.row.state)).member("binding_ref", view.row.ref);
    w.member("bound_at", view.row.created_at).close();
  }
  w.close_array().close();
  return body;
}

asio::awaitable<response> status(app& a, request& r) {
  query_reader q{r.query};
  const auto route = read_route(q);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto found = co_await read(a, r, read_status{route, r.received_at});
  if (!found) co_return refuse(found.error(), r);
  co_return tracker_json(
      200, route.named() ? routed_status(**found, route) : provider_status(**found, route.provider));
}

asio::awaitable<response> mappings(app& a, request& r) {
  query_reader q{r.query};
  const auto route = read_route(q);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto found = co_await read(a, r, read_links{route});
  if (!found) co_return refuse(found.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("mappings").open_array();
  for (const auto& l : (*found)->links) write_mapping(w, l);
  w.close_array();
  write_routed(w, (*found)->at);
  w.close();
  co_return tracker_json(200, std::move(body));
}

// ---- pull

template <class E>
void read_words(object_reader& filters, const json::object& members, std::string_view name,
                tracker::any_of& out) {
  const auto* value = members.if_contains(name);
  if (value == nullptr || value->is_null()) return;
  if (value->is_array())
    out = filters.texts(name, {});
  else if (auto one = filters.optional_text(name, {}))
    out.push_back(std::move(*one));
  for (const auto& word : out)
    if (!tracker::parse<E>(word)) return filters.refuse(name, "is not one of the known values");
}

void read_text(object_reader& filters, std::string_view name, tracker::any_of& out) {
  if (auto text = filters.optional_text(name, {.min = 1, .max = 512})) out.push_back(std::move(*text));
}

tracker::issue_filter read_filters(object_reader& body) {
  tracker::issue_filter f;
  const auto* members = body.optional_object("filters");
  if (members == nullptr) return f;
  object_reader filters{*members, "filters"};
  read_words<tracker::external_status>(filters, *members, "status", f.statuses);
  read_words<tracker::issue_type>(filters, *members, "issue_type", f.types);
  read_text(filters, "assignee", f.assignees);
  read_text(filters, "label", f.labels);
  if (const auto text = filters.optional_text("updated_since", {})) {
    f.updated_since = tracker::read_time(*text);
    if (!f.updated_since) filters.refuse("updated_since", "must be an RFC 3339 time");
  }
  body.adopt(filters);
  return f;
}

/// Equal for equal requests, whatever else their bodies hold.
std::string bound_to(const json::object& body) {
  json::object bound;
  for (const auto name : {"provider", "binding_ref", "project_slug", "filters"})
    if (const auto* value = body.if_contains(name); value && !value->is_null()) bound[name] = *value;
  return canonical_json(bound);
}

result<std::optional<tracker::issue_id>> read_cursor(app& a, const request& r, const json::object& body,
                                                     const std::optional<std::string>& cursor) {
  if (!cursor) return std::optional<tracker::issue_id>{};
  const auto at = a.cursors.decode(*cursor, cursor_scope_of(r, bound_to(body)));
  const auto id = at && at->is_string() ? tracker::issue_id::parse(at->get_string()) : std::nullopt;
  if (!id) return error{errc::invalid_cursor};
  return id;
}

std::string pulled(const pulled_issues& p, const std::optional<std::string>& next) {
  const auto count = p.issues.size();
  const auto& policy = p.at.binding()->row.effective;
  std::string body;
  json_writer w{body};
  w.open().member("status", "ok").key("summary").open().member("total", count).member("succeeded", count);
  w.member("failed", 0).member("skipped", 0).close().key("items").open_array();
  for (const auto& i : p.issues) write_item(w, i.content);
  w.close_array().raw_member("item_errors", "null");
  write_identity_path(w, p.at);
  w.member("has_more", p.more).member("next_cursor", next);
  w.key("doctrine").open().member("mode", name_of(policy.mode)).key("field_owners").open();
  for (const auto& [field, owner] : policy.field_owners) w.member(field, name_of(owner));
  w.close().close();
  write_routed(w, p.at);
  w.close();
  return body;
}

asio::awaitable<response> pull(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  pull_issues q;
  q.route = read_route(reader, routing::required);
  q.limit = static_cast<int>(reader.optional_integer("limit", 1, 10'000).value_or(100));
  q.filter = read_filters(reader);
  const auto cursor = reader.optional_text("cursor", {.max = 1000});
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  const auto after = read_cursor(a, r, *body, cursor);
  if (!after) co_return refuse(after.error(), r);
  q.after = *after;
  const auto found = co_await read(a, r, std::move(q));
  if (!found) co_return refuse(found.error(), r);
  std::optional<std::string> next;
  if ((*found)->more) {
    const json::string last{(*found)->issues.back().id.text()};
    next = a.cursors.encode(last, cursor_scope_of(r, bound_to(*body)));
  }
  co_return tracker_json(200, pulled(**found, next));
}

// ---- search

result<search_issues> read_search(const json::object& body, bool by_text) {
  object_reader reader{body};
  search_issues q;
  q.route = read_route(reader);
  q.limit = static_cast<int>(reader.optional_integer("limit", 1, 100).value_or(20));
  if (by_text) {
    q.key = reader.optional_text("query_key", {.max = 512});
    q.text = reader.optional_text("query_text", {.max = 512});
    if (q.key && q.key->empty()) q.key.reset();
    if (q.text && q.text->empty()) q.text.reset();
  }
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return q;
}

void write_tickets(json_writer& w, std::string_view name, const found_issues& found) {
  w.key(name).open_array();
  for (const auto& i : found.issues) write_ticket(w, i.content, found.exact);
  w.close_array();
}

asio::awaitable<response> search(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto q = read_search(*body, true);
  if (!q) co_return refuse(q.error(), r);
  const auto found = co_await read(a, r, std::move(*q));
  if (!found) co_return refuse(found.error(), r);
  const auto* b = (*found)->at.binding();
  if (b == nullptr) co_return refuse(error{errc::no_mapping}, r);
  const auto at = tracker::place_of(*b);
  std::string out;
  json_writer w{out};
  w.open();
  write_tickets(w, "candidates", **found);
  w.member("resource_type", at.resource ? at.resource->type : tracker::default_resource_type(at.provider));
  w.member("resource_id", at.resource ? at.resource->id : at.workspace);
  write_routed(w, (*found)->at);
  w.close();
  co_return tracker_json(200, std::move(out));
}

asio::awaitable<response> list_tickets(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto q = read_search(*body, false);
  if (!q) co_return refuse(q.error(), r);
  const auto found = co_await read(a, r, std::move(*q));
  if (!found) co_return refuse(found.error(), r);
  std::string out;
  json_writer w{out};
  w.open();
  write_tickets(w, "tickets", **found);
  write_routed(w, (*found)->at);
  w.close();
  co_return tracker_json(200, std::move(out));
}

// ---- what there is none of

asio::awaitable<response> operation(app&, request& r) {
  co_return refuse(error{errc::operation_not_found}, r);
}

asio::awaitable<response> health(app&, request&) { co_return tracker_json(200, R"({"status":"ok"})"); }

/// Whatever the body: it is not looked at, and nothing is stored.
asio::awaitable<response> write_outside(app&, request& r) {
  co_return refuse(error{errc::outbound_writes_deferred}, r);
}

constexpr std::string_view text_schema = R"({"type":"string"})";

std::vector<parameter> route_parameters() {
  return {{"provider", text_schema, "The tracker", true},
          {"binding_ref", text_schema, "The binding"},
          {"project_slug", text_schema, "The project, when no binding is named"}};
}

}  // namespace

void add_facade_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb method, std::string_view path, std::string_view id, std::string_view summary,
                       std::string_view scope, answer ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&)) -> route& {
    auto& r =
        table.emplace_back(team_route(method, path, id, summary, tracker_with(scope), ok, std::move(errors)));
    r.handle = on(a, f);
    return r;
  };
  const auto reads = [&](std::string_view path, std::string_view id, std::string_view summary, answer ok,
                         auto f) {
    add(verb::get, path, id, summary, "tracker:read", ok, {400, 404, 422}, f).parameters = route_parameters();
  };
  const auto asks = [&](std::string_view path, std::string_view id, std::string_view summary,
                        std::string_view schema, answer ok, auto f) {
    auto& r = add(verb::post, path, id, summary, "tracker:read", ok, {400, 404, 422}, f);
    r.payload = payload::json;
    r.body_schema = schema;
  };
  const auto refuses = [&](std::string_view path, std::string_view id, std::string_view summary) {
    add(verb::post, path, id, summary, "tracker:write", {403, {}, "Never done by this version"}, {},
        write_outside)
        .payload = payload::raw;
  };
  reads("/api/v1/tracker/status", "facadeStatus", "How a binding, or a provider, stands",
        {200, "FacadeStatus", "As it is now"}, status);
  reads("/api/v1/tracker/mappings", "facadeMappings", "Links of work packages",
        {200, "FacadeMappings", "All"}, mappings);
  asks("/api/v1/tracker/pull", "facadePull", "Issues of a binding, page by page", "FacadePull",
       {200, "FacadePulled", "A page"}, pull);
  asks("/api/v1/tracker/issue-search", "facadeSearch", "Issues by key or text", "FacadeSearch",
       {200, "FacadeCandidates", "The newest first"}, search);
  asks("/api/v1/tracker/list-tickets", "facadeTickets", "The newest issues", "FacadeRoute",
       {200, "FacadeTickets", "The newest first"}, list_tickets);
  add(verb::get, "/api/v1/tracker/operations/{id}", "facadeOperation", "This version starts none",
      "tracker:read", {404, {}, "Always"}, {}, operation)
      .parameters = {{"id", text_schema, "An operation", true, "path"}};
  add(verb::get, "/api/v1/tracker/health", "facadeHealth", "Whether the facade answers", "tracker:read",
      {200, "FacadeHealth", "It does"}, {}, health);
  refuses("/api/v1/tracker/push", "facadePush", "Write issues outside");
  refuses("/api/v1/tracker/run", "facadeRun", "Pull and push");
}

}  // namespace connectord::web
