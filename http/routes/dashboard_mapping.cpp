#include "domain/tracker/bind.hpp"
#include "domain/tracker/input.hpp"
#include "domain/tracker/text.hpp"
#include "http/team.hpp"
#include "http/views/address.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>

/// Giving workspaces of trackers to projects: snapshots that wait for one, and binding by hand.
namespace connectord::web {
namespace {

using tracker::queue_item, tracker::queue_state;

constexpr std::string_view queue_path = "/dashboard/connectors/queue",
                           bind_path = "/dashboard/connectors/bindings/new";
constexpr int rows_of_a_list = 30;  // with the longest texts, a page stays below 60 KB
constexpr std::size_t longest_shown = 80, longest_name = 512, most_projects = 250, most_places = 15;

// ---- projects to choose from

struct choice {
  tracker::project_id id;
  std::optional<uuid> project_uuid;
  std::string slug;
};

/// By slug; of a team with very many, the first ones and the one that is `chosen` already.
asio::awaitable<result<std::vector<choice>>> projects_to_choose(app& a, request& r, std::string_view chosen) {
  std::vector<choice> out;
  list_projects l;
  l.at.limit = 100;
  const auto take = [&out](const project_view& p) {
    out.push_back({p.row.id, p.row.project_uuid, tracker::shortened(p.row.slug, longest_shown)});
  };
  while (out.size() < most_projects) {
    const auto found = co_await read(a, r, l);
    if (!found) co_return found.error();
    std::ranges::for_each((*found)->rows, take);
    if (!(*found)->more) co_return out;
    l.at.after = sort_key{(*found)->rows.back().row.slug};
  }
  const auto id = uuid::parse(chosen);
  if (!id || std::ranges::any_of(out, [&](const auto& p) { return p.id.text() == chosen; })) co_return out;
  const auto one = co_await read(a, r, get_project{.project = *id});
  if (one) take(**one);
  co_return out;
}

void put_projects(fields f, const std::vector<choice>& projects, std::string_view chosen) {
  for (const auto& p : projects)
    f.add("PROJECT")
        .set("PROJECT_ID", p.id.text())
        .set("PROJECT_SLUG", p.slug)
        .show_if(p.id.text() == chosen, "CHOSEN");
}

void put_providers(fields f, std::string_view chosen) {
  for (const auto slug : tracker::words<tracker::provider>::all)
    f.add("PROVIDER").set("SLUG", slug).show_if(slug == chosen, "CHOSEN");
}

// ---- the queue

std::string path_of(const queue_item& x) { return std::string{queue_path} + "/" + x.id.str(); }

std::string_view worded_reason(tracker::queue_reason reason) {
  using enum tracker::queue_reason;
  switch (reason) {
    case no_project: return "It names no project.";
    case unknown_project: return "It names a project that is not known here.";
    case invalid_project_uuid: return "What it names as its project is no UUID.";
    case ambiguous_workspace: return "Several projects are bound to its workspace.";
    case binding_disabled: return "Its binding is switched off.";
    case binding_deleted: return "Its binding was removed.";
  }
  return "";
}

void put_item(fields f, const queue_item& x, timestamp now) {
  f.set("ID", x.id.text()).set("URL", path_of(x)).set("STATE", tracker::name_of(x.state));
  f.set("WORKSPACE", tracker::shortened(x.route.workspace, longest_shown));
  f.set("PROVIDER_NAME", tracker::name_of(x.route.provider)).set("REASON", worded_reason(x.reason));
  f.set("ISSUES", x.issue_count).set("MAPPINGS", x.mapping_count);
  if (x.route.resource)
    f.add("RESOURCE")
        .set("RESOURCE_TYPE", tracker::shortened(x.route.resource->type, longest_shown))
        .set("RESOURCE_ID", tracker::shortened(x.route.resource->id, longest_shown));
  else
    f.show("NO_RESOURCE");
  put_time(f, "AT", x.received_at, now);
}

asio::awaitable<response> show_queue(app& a, request& r) {
  auto by = co_await visit_tracker(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  address at{r};
  const auto provider = at.filter("provider").value_or("");
  const auto state = at.filter("state", {"resolved", "dismissed", "superseded"});
  auto from = at.at(a, "cursor", rows_of_a_list);
  if (!from) co_return problem_page(from.error(), r, &v);
  list_queue l{.filter = {.states = {state.value_or("pending")}, .providers = {}}, .at = std::move(*from)};
  if (tracker::parse<tracker::provider>(provider)) l.filter.providers = {provider};
  const auto found = co_await read(a, r, std::move(l));
  co_return page(
      r, v, {.title = "Waiting for a mapping", .section = "Connectors", .flash = said(at, v.tracker)},
      "queue.html", [&](fields f) {
        put_providers(f, provider);
        for (const std::string_view s : {"resolved", "dismissed", "superseded"})
          f.add("STATE_CHOICE").set("VALUE", s).set("WORD", s).show_if(state == s, "CHOSEN");
        f.show_if(at.filtered(), "FILTERED");
        if (!found) return put_failure(f, "FAILURE", found.error(), r);
        const auto& rows = (*found)->rows;
        f.show(rows.empty() ? "NONE" : "SOME");
        for (const auto& x : rows) put_item(f.add("ROW"), x, r.received_at);
        if ((*found)->more)
          f.show("MORE").set(
              "MORE_URL", at.more(a, "cursor", {to_millis(rows.back().received_at), rows.back().id.str()}));
      });
}

asio::awaitable<result<std::shared_ptr<const queue_item>>> find_item(app& a, request& r) {
  const auto id = tracker::queue_id::parse(r.param("id"));
  if (!id) co_return error{errc::not_found};
  co_return co_await read(a, r, get_queue_item{*id});
}

/// The project that the snapshot seems to mean.
std::string suggested(const queue_item& x, const std::vector<choice>& projects) {
  const auto& named = x.route;
  for (const auto& p : projects)
    if ((named.project_uuid && p.project_uuid == named.project_uuid) ||
        (named.project_slug && p.slug == *named.project_slug))
      return p.id.str();
  return "";
}

/// `why`: what stood in the way of a button, with the project that was `chosen`.
asio::awaitable<response> item_page(app& a, request& r, const visitor& v, const queue_item& x,
                                    std::string why = {}, std::string chosen = {}, int status = 200) {
  const bool settles = x.state == queue_state::pending && v.may("tracker:admin");
  result<std::vector<choice>> projects{std::vector<choice>{}};
  if (settles) projects = co_await projects_to_choose(a, r, chosen);
  if (!projects) co_return problem_page(projects.error(), r, &v);
  if (chosen.empty()) chosen = suggested(x, *projects);
  co_return page(r, v, {.title = "Waiting for a mapping", .section = "Connectors", .status = status},
                 "queue_item.html", [&](fields f) {
                   put_item(f, x, r.received_at);
                   f.set("NAMED", x.route.project_slug
                                      ? tracker::shortened(*x.route.project_slug, longest_shown)
                                  : x.route.project_uuid_text
                                      ? tracker::shortened(*x.route.project_uuid_text, longest_shown)
                                      : "none");
                   if (!why.empty()) f.show("PROBLEM").set("PROBLEM_TEXT", why);
                   if (!settles) return;
                   auto form = f.add("MAY_SETTLE").set("SELF", path_of(x)).set("CSRF", v.csrf);
                   if (projects->empty()) return void(form.show("NO_PROJECTS"));
                   put_projects(form.add("PROJECTS"), *projects, chosen);
                 });
}

asio::awaitable<response> show_item(app& a, request& r) {
  auto by = co_await visit_tracker(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  const auto found = co_await find_item(a, r);
  if (!found) co_return problem_page(found.error(), r, &v);
  co_return co_await item_page(a, r, v, **found);
}

asio::awaitable<response> resolve(app& a, request& r) {
  auto sent_by = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto found = co_await find_item(a, r);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  const auto chosen = form.field("project");
  const auto project = uuid::parse(chosen);
  if (!project)
    co_return co_await item_page(a, r, form.by, **found, "Choose the project that it is for.", "", 400);
  resolve_queue_item c{
      .id = (*found)->id, .project = *project, .create_resource = !form.field("resource").empty()};
  const auto done = co_await command(a, r, std::move(c));
  if (done)
    co_return see_other(with_said("/dashboard/connectors/bindings/" + done->binding.row.id.str(), "mapped"));
  const auto status = traits_of(done.error().code()).http_status;
  co_return co_await item_page(a, r, form.by, **found, because(done.error()), chosen, status);
}

asio::awaitable<response> discard(app& a, request& r) {
  auto sent_by = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto found = co_await find_item(a, r);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  const auto done = co_await command(a, r, dismiss_queue_item{(*found)->id});
  const bool twice = !done && (*found)->state == queue_state::dismissed;
  if (done || twice) co_return see_other(with_said(queue_path, "discarded"));
  const auto status = traits_of(done.error().code()).http_status;
  co_return co_await item_page(a, r, form.by, **found, because(done.error()), "", status);
}

// ---- binding by hand: every step is an address, so that nothing is lost on the way back

struct wish {
  std::string project, provider, workspace, label, resource, resource_type, mode;
};

constexpr std::array wish_members{std::pair{"project", &wish::project},
                                  std::pair{"provider", &wish::provider},
                                  std::pair{"workspace", &wish::workspace},
                                  std::pair{"label", &wish::label},
                                  std::pair{"resource", &wish::resource},
                                  std::pair{"resource_type", &wish::resource_type},
                                  std::pair{"mode", &wish::mode}};

template <class Get>
wish read_wish(Get value_of) {
  wish w;
  for (const auto& [name, member] : wish_members) w.*member = trimmed(value_of(name));
  return w;
}

std::string address_of(const wish& w) {
  form_fields set;
  for (const auto& [name, member] : wish_members)
    if (!(w.*member).empty()) set.emplace_back(name, w.*member);
  return std::string{bind_path} + (set.empty() ? "" : "?" + form_encoded(set));
}

result<create_binding> command_of(const wish& w) {
  create_binding c;
  const auto project = uuid::parse(w.project);
  if (!project) return error{errc::validation_failed, "Choose the project."};
  const auto provider = tracker::read_provider(w.provider);
  if (!provider) return error{errc::validation_failed, "Choose the provider."};
  if (w.workspace.empty()) return error{errc::validation_failed, "Name the workspace."};
  for (const auto& [name, member] : wish_members)
    if ((w.*member).size() > longest_name) return invalid(name, "is longer than 512 characters");
  c.project = *project;
  c.provider = *provider;
  c.workspace = w.workspace;
  if (!w.label.empty()) c.display_label = w.label;
  if (!w.resource.empty()) {
    const auto type = w.resource_type.empty() ? tracker::default_resource_type(*provider) : w.resource_type;
    c.resources = {{std::string{type}, w.resource}};
  }
  if (w.mode.empty()) return c;
  const auto mode = tracker::read_mode(w.mode);
  if (!mode) return invalid("mode", "is not one of the known values");
  c.doctrine = tracker::doctrine{.mode = *mode, .field_owners = {}};
  return c;
}

/// The newest snapshots that wait; as many as a page shows.
asio::awaitable<result<std::shared_ptr<const rows_page<queue_item>>>> pending(app& a, request& r) {
  list_queue l{.filter = {.states = {std::string{tracker::name_of(queue_state::pending)}}, .providers = {}},
               .at = {.after = std::nullopt, .limit = 100}};
  co_return co_await read(a, r, std::move(l));
}

void put_places(fields f, const std::vector<queue_item>& items, const wish& so_far) {
  std::vector<tracker::place> seen;
  for (const auto& x : items) {
    const tracker::place at{x.route.provider, x.route.workspace, x.route.resource};
    if (std::ranges::find(seen, at) != seen.end() || seen.size() == most_places) continue;
    seen.push_back(at);
    auto w = so_far;
    w.provider = tracker::name_of(at.provider);
    w.workspace = at.workspace;
    w.resource = at.resource ? at.resource->id : "";
    w.resource_type = at.resource ? at.resource->type : "";
    auto row = f.add("PLACE").set("PLACE_URL", address_of(w)).set("PLACE_PROVIDER", w.provider);
    row.set("PLACE_WORKSPACE", tracker::shortened(at.workspace, longest_shown));
    if (at.resource)
      row.add("PLACE_RESOURCE")
          .set("RESOURCE_KIND", tracker::shortened(at.resource->type, longest_shown))
          .set("RESOURCE_ID", tracker::shortened(at.resource->id, longest_shown));
  }
  f.show(seen.empty() ? "NONE" : "SOME");
}

asio::awaitable<response> choosing_page(app& a, request& r, const visitor& v, const wish& w,
                                        std::string why = {}, int status = 200) {
  const auto projects = co_await projects_to_choose(a, r, w.project);
  if (!projects) co_return problem_page(projects.error(), r, &v);
  const auto waiting = co_await pending(a, r);
  co_return page(
      r, v, {.title = "Bind a tracker", .section = "Connectors", .status = status}, "bind.html",
      [&](fields root) {
        if (!why.empty()) root.show("PROBLEM").set("PROBLEM_TEXT", why);
        auto f = root.add("CHOOSING");
        if (waiting)
          put_places(f, (*waiting)->rows, w);
        else
          put_failure(f, "FAILURE", waiting.error(), r);
        put_projects(f, *projects, w.project);
        put_providers(f, w.provider);
        f.set("WORKSPACE", w.workspace).set("LABEL", w.label);
        f.set("RESOURCE", w.resource).set("RESOURCE_TYPE", w.resource_type);
        f.add("MODE_CHOICE").set("VALUE", "").set("WORD", "As snapshots say");
        for (const auto mode : tracker::words<tracker::doctrine_mode>::all)
          f.add("MODE_CHOICE").set("VALUE", mode).set("WORD", worded(mode)).show_if(mode == w.mode, "CHOSEN");
      });
}

asio::awaitable<response> confirming_page(app& a, request& r, const visitor& v, const wish& w,
                                          const create_binding& c) {
  const auto project = co_await read(a, r, get_project{.project = c.project});
  if (!project) co_return co_await choosing_page(a, r, v, w, because(project.error()), 404);
  const auto waiting = co_await pending(a, r);
  const auto mine = [&c](const queue_item& x) {
    return x.route.provider == c.provider && x.route.workspace == c.workspace;
  };
  co_return page(r, v, {.title = "Bind a tracker", .section = "Connectors"}, "bind.html", [&](fields root) {
    auto f = root.add("CONFIRMING").set("CSRF", v.csrf).set("BACK", address_of(w));
    f.set("PROJECT_NAME", tracker::shortened((*project)->row.name))
        .set("PROVIDER_NAME", tracker::name_of(c.provider));
    f.set("WORKSPACE", c.workspace).set("LABEL", c.display_label.value_or("—"));
    f.set("RESOURCE", c.resources.empty() ? "—" : c.resources.front().type + " " + c.resources.front().id);
    f.set("MODE_WORD", c.doctrine ? worded(tracker::name_of(c.doctrine->mode)) : "As snapshots say");
    f.set("WAITING", waiting ? std::to_string(std::ranges::count_if((*waiting)->rows, mine)) : "—");
    for (const auto& [name, member] : wish_members)
      f.add("CARRIED").set("CARRIED_NAME", name).set("CARRIED_VALUE", w.*member);
  });
}

asio::awaitable<response> show_bind(app& a, request& r) {
  auto by = co_await visit_tracker(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  if (!v.may("tracker:admin")) co_return problem_page(error{errc::forbidden}, r, &v);
  const address at{r};
  const auto w = read_wish([&](std::string_view name) { return at.value(name).value_or(""); });
  if (at.value("step") != "confirm") co_return co_await choosing_page(a, r, v, w);
  const auto c = command_of(w);
  if (!c) co_return co_await choosing_page(a, r, v, w, because(c.error()), 400);
  co_return co_await confirming_page(a, r, v, w, *c);
}

asio::awaitable<response> bind(app& a, request& r) {
  auto sent_by = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto w = read_wish([&](std::string_view name) { return form.field(name); });
  auto c = command_of(w);
  if (!c) co_return co_await choosing_page(a, r, form.by, w, because(c.error()), 400);
  const auto made = co_await command(a, r, std::move(*c));
  if (made) co_return see_other(with_said("/dashboard/connectors/bindings/" + made->row.id.str(), "bound"));
  const auto& e = made.error();
  const auto* there = e.code() == errc::binding_exists ? e.details().if_contains("binding_id") : nullptr;
  if (there != nullptr)
    co_return see_other(
        with_said("/dashboard/connectors/bindings/" + std::string{there->as_string()}, "bound-before"));
  co_return co_await choosing_page(a, r, form.by, w, because(e), traits_of(e.code()).http_status);
}

}  // namespace

void add_dashboard_mapping_routes(std::vector<route>& table, app* a) {
  constexpr std::string_view one = "/dashboard/connectors/queue/{id}",
                             to_resolve = "/dashboard/connectors/queue/{id}/resolve",
                             to_discard = "/dashboard/connectors/queue/{id}/discard",
                             to_bind = "/dashboard/connectors/bindings";
  table.push_back(
      page_route(a, queue_path, "trackerQueuePage", "Snapshots that wait for a project", show_queue));
  table.push_back(page_route(a, one, "queueItemPage", "One of them", show_item));
  table.push_back(button_route(a, to_resolve, "resolveFromPage", "Give it a project, and apply it", resolve));
  table.push_back(button_route(a, to_discard, "discardFromPage", "Let it go", discard));
  table.push_back(page_route(a, bind_path, "bindPage", "Bind a tracker, step by step", show_bind));
  table.push_back(button_route(a, to_bind, "bindFromPage", "Bind it", bind));
}

}  // namespace connectord::web
