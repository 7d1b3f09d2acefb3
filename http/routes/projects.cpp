#include "http/list.hpp"
#include "http/team.hpp"
#include "http/tracker_shapes.hpp"

/// Projects and their work packages.
namespace connectord::web {
namespace {

constexpr std::size_t longest_name = 255, longest_title = 4000, longest_assignee = 255;

/// What the path names, or PROJECT_NOT_FOUND: text that is no id is no project's.
result<uuid> project_of(const request& r) {
  const auto id = uuid::parse(r.param("id"));
  if (!id) return error{errc::project_not_found};
  return *id;
}

/// A name that is shown and sorted by: no control characters.
std::optional<std::string> name_in(object_reader& reader, std::string_view key) {
  auto name = reader.optional_text(key, {1, longest_name, true});
  if (reader.is_null(key)) reader.refuse(key, "must be a string");
  if (name && has_control(*name)) reader.refuse(key, "must not hold control characters");
  return name;
}

std::optional<uuid> uuid_in(object_reader& reader, std::string_view key) {
  const auto text = reader.optional_text(key, {});
  if (!text) return std::nullopt;
  auto id = uuid::parse(*text);
  if (!id) reader.refuse(key, "must be a UUID");
  return id;
}

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  const auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  const auto page = co_await read(a, r, list_projects{*at, r.who->tracker_on});
  if (!page) co_return refuse(page.error(), r);
  co_return list_answer(
      q, **page, [](json_writer& w, const project_view& p) { write(w, p); },
      [](const project_view& p) { return sort_key{p.row.slug}; });
}

asio::awaitable<response> create(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  create_project c;
  c.row.id = tracker::project_id::make();
  for (const auto key : {"name", "slug"})
    if (!reader.has(key)) reader.refuse(key, "is required");
  c.row.name = name_in(reader, "name").value_or("");
  c.row.slug = name_in(reader, "slug").value_or("");
  c.row.project_uuid = uuid_in(reader, "project_uuid");
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  c.row.created_at = c.row.updated_at = r.received_at;
  c.with_tracker = r.who->tracker_on;
  const auto made = co_await command(a, r, std::move(c));
  co_return made ? rendered(201, *made) : refuse(made.error(), r);
}

asio::awaitable<response> get(app& a, request& r) {
  const auto id = project_of(r);
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await read(a, r, get_project{*id, r.who->tracker_on});
  co_return found ? rendered(200, **found) : refuse(found.error(), r);
}

asio::awaitable<response> patch(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  patch_project p;
  p.name = name_in(reader, "name");
  p.slug = name_in(reader, "slug");
  p.project_uuid = uuid_in(reader, "project_uuid");
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  const auto id = project_of(r);
  if (!id) co_return refuse(id.error(), r);
  p.project = *id;
  p.with_tracker = r.who->tracker_on;
  const auto changed = co_await command(a, r, std::move(p));
  co_return changed ? rendered(200, *changed) : refuse(changed.error(), r);
}

asio::awaitable<response> work_packages(app& a, request& r) {
  list_reader q{a, r};
  list_work_packages l;
  l.filter.lanes = q.words<tracker::lane>("lane");
  l.filter.missions = q.texts("mission");
  const auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  const auto id = project_of(r);
  if (!id) co_return refuse(id.error(), r);
  l.project = *id;
  l.at = *at;
  l.with_tracker = r.who->tracker_on;
  const auto page = co_await read(a, r, std::move(l));
  if (!page) co_return refuse(page.error(), r);
  co_return list_answer(
      q, **page, [](json_writer& w, const work_package_view& wp) { write(w, wp); },
      [](const work_package_view& wp) {
        return sort_key{wp.row.ref.wp_id, wp.row.ref.mission};
      });
}

asio::awaitable<response> work_package(app& a, request& r) {
  query_reader q{r.query};
  auto mission = q.text("mission");
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto id = project_of(r);
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await read(
      a, r, get_work_package{*id, std::string{r.param("wp")}, std::move(mission), r.who->tracker_on});
  co_return found ? rendered(200, **found) : refuse(found.error(), r);
}

/// A member that may be null; nothing when it is not there at all.
template <class Read>
auto named_member(object_reader& reader, std::string_view key, Read read)
    -> std::optional<decltype(read(reader, key))> {
  if (!reader.has(key)) return std::nullopt;
  return read(reader, key);
}

std::optional<std::string> plain_text_in(object_reader& reader, std::string_view key, std::size_t longest) {
  auto text = reader.optional_text(key, {0, longest});
  if (text && text->find('\0') != text->npos) reader.refuse(key, "must not hold U+0000");
  return text;
}

std::optional<std::string> mission_in(object_reader& reader, query_reader& q) {
  auto selected = q.text("mission");
  if (!reader.has("mission_slug")) return selected;
  auto named = reader.optional_text("mission_slug", {1, longest_name});
  if (named && has_control(*named)) reader.refuse("mission_slug", "must not hold control characters");
  if (selected && named.value_or("") != *selected)
    reader.refuse("mission_slug", "differs from the parameter mission");
  return named.value_or("");
}

std::optional<tracker::lane> lane_in(object_reader& reader) {
  const auto name = reader.optional_text("lane", {});
  if (reader.is_null("lane")) reader.refuse("lane", "must be a string");
  const auto lane = name ? tracker::parse<tracker::lane>(*name) : std::nullopt;
  if (name && !lane) reader.refuse("lane", "is not a known lane");
  return lane;
}

result<put_work_package> read_work_package(const request& r, const json::object& body) {
  object_reader reader{body};
  query_reader q{r.query};
  put_work_package p;
  p.wp_id = r.param("wp");
  if (!tracker::is_wp_id(p.wp_id)) reader.refuse("wp", "must be WP and digits");
  p.mission = mission_in(reader, q);
  p.lane = lane_in(reader);
  p.title =
      named_member(reader, "title", [](auto& x, auto key) { return plain_text_in(x, key, longest_title); });
  p.assignee = named_member(reader, "assignee",
                            [](auto& x, auto key) { return plain_text_in(x, key, longest_assignee); });
  p.priority = named_member(reader, "priority", [](auto& x, auto key) {
    const auto n = x.optional_integer(key, 1, 4);
    return n ? std::optional{static_cast<int>(*n)} : std::nullopt;
  });
  if (const auto ok = q.finish(); !ok) return ok.error();
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return p;
}

asio::awaitable<response> put_wp(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto wanted = read_work_package(r, *body);
  if (!wanted) co_return refuse(wanted.error(), r);
  const auto id = project_of(r);
  if (!id) co_return refuse(id.error(), r);
  wanted->project = *id;
  wanted->with_tracker = r.who->tracker_on;
  const auto stored = co_await command(a, r, std::move(*wanted));
  co_return stored ? rendered(stored->created ? 201 : 200, *stored) : refuse(stored.error(), r);
}

}  // namespace

void add_project_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text,
                       std::string_view scope, answer ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&), std::string_view body = {}) -> route& {
    auto& r = table.emplace_back(team_route(m, path, id, text, team_with(scope), ok, std::move(errors)));
    r.tag = "projects";
    r.handle = on(a, f);
    if (!body.empty()) r.payload = payload::json;
    r.body_schema = body;
    return r;
  };
  const parameter mission{"mission", R"({"type":"string"})", "Which one, where several missions have it"};
  const auto all = "/api/v1/projects", one = "/api/v1/projects/{id}";
  const auto wps = "/api/v1/projects/{id}/work-packages", wp = "/api/v1/projects/{id}/work-packages/{wp}";
  add(verb::get, all, "listProjects", "Projects, by slug", "tracker:read", {200, "ProjectList", "A page"}, {},
      list_all)
      .parameters = paged();
  add(verb::post, all, "createProject", "Make a project", "tracker:admin", {201, "Project", "Made"}, {409},
      create, "CreateProject");
  add(verb::get, one, "getProject", "One project, by its id or project_uuid", "tracker:read",
      {200, "Project", "The project"}, {}, get);
  add(verb::patch, one, "patchProject", "Change name, slug or project_uuid", "tracker:admin",
      {200, "Project", "Changed"}, {409}, patch, "PatchProject");
  add(verb::get, wps, "listWorkPackages", "Work packages, by id and mission", "tracker:read",
      {200, "WorkPackageList", "A page"}, {}, work_packages)
      .parameters = paged({{"lane", R"({"type":"string"})", "Lanes, comma-separated"},
                           {"mission", R"({"type":"string"})", "Missions, comma-separated"}});
  add(verb::get, wp, "getWorkPackage", "One work package", "tracker:read",
      {200, "WorkPackage", "The work package"}, {409}, work_package)
      .parameters = {mission};
  auto& put =
      add(verb::put, wp, "putWorkPackage", "Make a work package, or change the members that are given",
          "tracker:admin", {200, "WorkPackage", "Changed"}, {409}, put_wp, "PutWorkPackage");
  put.parameters = {mission};
  put.answers.push_back({201, "WorkPackage", "Made"});
}

}  // namespace connectord::web
