#include "domain/tracker/input.hpp"
#include "http/tracker_filters.hpp"

/// Bindings, what routes to them, and how they are (tracker-api, 3.2, 3.3, 6.1).
namespace connectord::web {
namespace {

using tracker::binding_id, tracker::binding_state, tracker::resource_id;

constexpr std::size_t longest_name = 512;
constexpr object_reader::text_rules name_rules{1, longest_name, true};

/// Required, a word of E as `read` understands it.
template <class Read>
auto word_of(object_reader& in, std::string_view key, Read read) {
  const auto text = in.text(key, name_rules);
  auto value = read(text);
  if (!value && !text.empty()) in.refuse(key, "is not one of the known values");
  return value;
}

/// Nothing without a mode.
std::optional<tracker::doctrine> read_doctrine(object_reader& in) {
  const auto mode_text = in.optional_text("doctrine_mode", name_rules);
  const auto* owners = in.optional_object("doctrine_field_owners");
  if (!mode_text) {
    if (owners) in.refuse("doctrine_field_owners", "goes together with doctrine_mode");
    return std::nullopt;
  }
  tracker::doctrine d;
  if (const auto mode = tracker::read_mode(*mode_text))
    d.mode = *mode;
  else
    in.refuse("doctrine_mode", "is not one of the known values");
  if (owners == nullptr) return d;
  for (const auto& [field, text] : *owners) {
    const auto path = "doctrine_field_owners." + std::string{field};
    const auto owner = text.is_string() ? tracker::read_owner(text.get_string()) : std::nullopt;
    if (owner)
      d.field_owners.insert_or_assign(std::string{tracker::field_name(field)}, *owner);
    else
      in.refuse(path, text.is_string() ? "is not one of the known values" : "must be a string");
  }
  return d;
}

/// active or disabled.
std::optional<binding_state> read_state(object_reader& in) {
  const auto text = in.optional_text("state", name_rules);
  if (!text) return std::nullopt;
  const auto state = tracker::parse<binding_state>(*text);
  if (state == binding_state::active || state == binding_state::disabled) return state;
  in.refuse("state", "must be active or disabled");
  return std::nullopt;
}

std::optional<uuid> read_uuid(object_reader& in, std::string_view key) {
  const auto text = in.text(key, name_rules);
  const auto id = uuid::parse(text);
  if (!id && !text.empty()) in.refuse(key, "must be a UUID");
  return id;
}

new_resource read_resource(object_reader& in) {
  return {in.text("resource_type", name_rules), in.text("resource_id", name_rules)};
}

/// What a reader of a part noted stands under the part's own paths already.
void refuse_part(object_reader& in, const error& noted) {
  for (const auto& [path, reason] : noted.details())
    if (path != "field") in.refuse(path, std::string_view{reason.as_string()});
}

std::vector<new_resource> read_resources(object_reader& in, const json::object& body) {
  std::vector<new_resource> out;
  const auto* listed = body.if_contains("resources");
  if (listed == nullptr || listed->is_null()) return out;
  if (!listed->is_array()) {
    in.refuse("resources", "must be an array");
    return out;
  }
  for (const auto& one : listed->get_array()) {
    const auto path = "resources[" + std::to_string(out.size()) + "]";
    out.emplace_back();
    if (!one.is_object()) {
      in.refuse(path, "must be an object");
      continue;
    }
    object_reader member{one.get_object(), path};
    out.back() = read_resource(member);
    if (const auto ok = member.finish(); !ok) refuse_part(in, ok.error());
  }
  return out;
}

result<create_binding> read_new(const json::object& body) {
  object_reader in{body};
  create_binding c;
  if (const auto project = read_uuid(in, "project_id")) c.project = *project;
  if (const auto p = word_of(in, "provider", tracker::read_provider)) c.provider = *p;
  c.workspace = in.text("workspace", name_rules);
  c.display_label = in.optional_text("display_label", name_rules);
  c.doctrine = read_doctrine(in);
  c.resources = read_resources(in, body);
  if (const auto ok = in.finish(); !ok) return ok.error();
  return c;
}

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  list_bindings l;
  l.filter.projects = id_texts(q, "project");
  l.filter.providers = providers(q);
  l.filter.workspaces = q.texts("workspace");
  l.filter.states = names<binding_state>(q, "state");
  l.filter.healths = names<tracker::health>(q, "health");
  co_return co_await page_of_rows(
      a, r, q, std::move(l), [](json_writer& w, const tracker::binding_view& b) { write(w, b); },
      [](const tracker::binding_view& b) {
        return sort_key{to_millis(b.row.created_at), b.row.id.str()};
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
  return one_row<get_binding, binding_id>(a, r, errc::binding_not_found);
}

result<patch_binding> read_patch(const json::object& body) {
  object_reader in{body};
  patch_binding p;
  p.display_label = in.optional_text("display_label", name_rules);
  p.state = read_state(in);
  p.follows_snapshots = in.has("doctrine_mode") && in.is_null("doctrine_mode");
  if (!p.follows_snapshots) p.doctrine = read_doctrine(in);
  if (const auto ok = in.finish(); !ok) return ok.error();
  return p;
}

asio::awaitable<response> patch(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto wanted = read_patch(*body);
  if (!wanted) co_return refuse(wanted.error(), r);
  const auto id = named<binding_id>(r, "id", errc::binding_not_found);
  if (!id) co_return refuse(id.error(), r);
  wanted->id = *id;
  const auto now = co_await command(a, r, std::move(*wanted));
  co_return now ? rendered(200, *now) : refuse(now.error(), r);
}

asio::awaitable<response> remove(app& a, request& r) {
  const auto id = named<binding_id>(r, "id", errc::binding_not_found);
  if (!id) co_return refuse(id.error(), r);
  const auto gone = co_await command(a, r, delete_binding{*id});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

asio::awaitable<response> health(app& a, request& r) {
  const auto id = named<binding_id>(r, "id", errc::binding_not_found);
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await read(a, r, binding_health{*id});
  if (!found) co_return refuse(found.error(), r);
  std::string body;
  json_writer w{body};
  write(w, **found, a.facts.tracker);
  co_return tracker_json(200, std::move(body));
}

asio::awaitable<response> runs(app& a, request& r) {
  const auto id = named<binding_id>(r, "id", errc::binding_not_found);
  if (!id) co_return refuse(id.error(), r);
  list_reader q{a, r};
  co_return co_await page_of_rows(
      a, r, q, list_runs{*id, {}}, [](json_writer& w, const tracker::sync_run& x) { write(w, x); },
      [](const tracker::sync_run& x) {
        return sort_key{to_millis(x.started_at), x.id.str()};
      });
}

// ---- resources

asio::awaitable<response> resources(app& a, request& r) {
  const auto id = named<binding_id>(r, "id", errc::binding_not_found);
  if (!id) co_return refuse(id.error(), r);
  list_reader q{a, r};
  co_return co_await page_of_rows(
      a, r, q, list_resources{*id, {}}, [](json_writer& w, const tracker::resource& x) { write(w, x); },
      [](const tracker::resource& x) {
        return sort_key{to_millis(x.created_at), x.id.str()};
      });
}

asio::awaitable<response> add_resource(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader in{*body};
  create_resource c;
  c.wanted = read_resource(in);
  if (const auto ok = in.finish(); !ok) co_return refuse(ok.error(), r);
  const auto id = named<binding_id>(r, "id", errc::binding_not_found);
  if (!id) co_return refuse(id.error(), r);
  c.binding = *id;
  const auto made = co_await command(a, r, std::move(c));
  co_return made ? rendered(201, *made) : refuse(made.error(), r);
}

asio::awaitable<response> move_resource(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader in{*body};
  const auto state = read_state(in);
  if (!state && in.ok()) in.refuse("state", "is required");
  if (const auto ok = in.finish(); !ok) co_return refuse(ok.error(), r);
  const auto binding = named<binding_id>(r, "id", errc::binding_not_found);
  if (!binding) co_return refuse(binding.error(), r);
  const auto id = named<resource_id>(r, "rid", errc::not_found);
  if (!id) co_return refuse(id.error(), r);
  const auto now = co_await command(a, r, patch_resource{*id, *binding, *state});
  co_return now ? rendered(200, *now) : refuse(now.error(), r);
}

asio::awaitable<response> remove_resource(app& a, request& r) {
  const auto binding = named<binding_id>(r, "id", errc::binding_not_found);
  if (!binding) co_return refuse(binding.error(), r);
  const auto id = named<resource_id>(r, "rid", errc::not_found);
  if (!id) co_return refuse(id.error(), r);
  const auto gone = co_await command(a, r, delete_resource{*id, *binding});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

}  // namespace

void add_binding_routes(std::vector<route>& table, app* a) {
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
  constexpr std::string_view all = "/api/v1/connectors/trackers/bindings",
                             one = "/api/v1/connectors/trackers/bindings/{id}",
                             its_resources = "/api/v1/connectors/trackers/bindings/{id}/resources",
                             its_resource = "/api/v1/connectors/trackers/bindings/{id}/resources/{rid}";
  add(verb::get, all, "listBindings", "Bindings, oldest first", reads, {200, "BindingList", "A page"}, {},
      list_all)
      .parameters = paged({{"project", id_list_schema, "Of these projects, by id or project_uuid"},
                           {"provider", text_list_schema, "Of these providers"},
                           {"workspace", text_list_schema, "Of these workspaces"},
                           {"state", text_list_schema, "discovered, active, disabled"},
                           {"health", text_list_schema, "As last evaluated"}});
  add(verb::post, all, "createBinding", "Attach a workspace to a project", administers,
      {201, "Binding", "Made, active"}, {404, 409}, create, "CreateBinding");
  add(verb::get, one, "getBinding", "One binding", reads, {200, "Binding", "The binding"}, {404}, get);
  add(verb::patch, one, "patchBinding", "Change label, state or policy", administers,
      {200, "Binding", "As it is now"}, {404, 409}, patch, "PatchBinding");
  add(verb::delete_, one, "deleteBinding", "Detach it; its rows stay as history", administers,
      {204, "", "Deleted"}, {404}, remove);
  add(verb::get, "/api/v1/connectors/trackers/bindings/{id}/health", "getBindingHealth", "How it is now",
      reads, {200, "BindingHealth", "Health"}, {404}, health);
  add(verb::get, "/api/v1/connectors/trackers/bindings/{id}/sync-runs", "listSyncRuns", "Newest first", reads,
      {200, "SyncRunList", "A page"}, {404}, runs)
      .parameters = paged();
  add(verb::get, its_resources, "listResources", "What routes to it", reads,
      {200, "ResourceMappingList", "A page"}, {404}, resources)
      .parameters = paged();
  add(verb::post, its_resources, "createResource", "Route a resource to it", administers,
      {201, "ResourceMapping", "Active"}, {404, 409}, add_resource, "CreateResource");
  add(verb::patch, its_resource, "patchResource", "Switch it on or off", administers,
      {200, "ResourceMapping", "As it is now"}, {404, 409}, move_resource, "PatchResource");
  add(verb::delete_, its_resource, "deleteResource", "Route it no longer", administers, {204, "", "Deleted"},
      {404}, remove_resource);
}

}  // namespace connectord::web
