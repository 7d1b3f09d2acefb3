#include "domain/tracker/text.hpp"
#include "http/offers.hpp"
#include "http/views/address.hpp"
#include "http/views/binding_form.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

/// Binding what a connection's account has: found at its provider, chosen, confirmed.
namespace connectord::web {
namespace {

constexpr int rows_of_a_list = 16;  // with the longest names in its links, a page stays below 60 KB
constexpr std::size_t longest_shown = 60;

/// What the addresses carry; the rest is known by the resource.
constexpr std::array asked_for{wish_member{"resource", &wish::resource},
                               wish_member{"project", &wish::project},
                               wish_member{"label", &wish::label},
                               wish_member{"mode", &wish::mode},
                               wish_member{"title_owner", &wish::title_owner},
                               wish_member{"assignee_owner", &wish::assignee_owner}};

struct wizard {
  connection of;
  std::string name;

  std::string actions() const { return "/dashboard/connections/" + of.id.str() + "/bindings"; }
  std::string path() const { return actions() + "/new"; }
};

wizard wizard_of(connection c) {
  auto name = tracker::shortened(c.display_name.value_or(c.external_id), longest_shown);
  return {std::move(c), std::move(name)};
}

/// What stood in the way of a step, and the binding that did, if one did.
struct obstacle {
  std::string why, binding;
  int status = 200;
};

void put_head(fields f, const wizard& z, const obstacle& in_the_way) {
  f.set("NAME", z.name).set("CONNECTION_URL", "/dashboard/connectors/" + z.of.id.str()).set("SELF", z.path());
  if (in_the_way.why.empty()) return;
  auto part = f.add("PROBLEM").set("PROBLEM_TEXT", in_the_way.why);
  if (!in_the_way.binding.empty()) part.add("HELD").set("BINDING_URL", binding_page_of(in_the_way.binding));
}

page_head head_of(const obstacle& in_the_way) {
  return {.title = "Bind a tracker", .section = "Connectors", .status = in_the_way.status};
}

// ---- step 1: choose

std::string afresh(std::string_view path) {
  return std::string{path} + (path.find('?') == path.npos ? "?" : "&") + "fresh=true";
}

std::string_view why_partial(provider::shortfall s) {
  switch (s) {
    case provider::shortfall::time: return "The provider took too long: there may be more.";
    case provider::shortfall::limit:
      return "There is more than is listed here: bind what is missing by hand.";
    case provider::shortfall::rate_limited:
      return "The provider asked to wait before the end: there may be more.";
    case provider::shortfall::provider_error: return "The provider failed before the end: there may be more.";
  }
  return "";
}

/// What somebody can do about it stands beside it: most often that is a new consent.
void put_refusal(fields f, const app& a, const request& r, const visitor& v, const wizard& z,
                 const error& e) {
  auto part = f.add("REFUSED");
  part.set("CODE", traits_of(e.code()).tracker_code).set("WHY", e.message()).set("TRACE", r.trace_id);
  part.set("AGAIN", r.target());
  if (const auto wait = e.retry_after()) part.add("WAIT").set("SECONDS", std::int64_t{*wait});
  const auto* missing = e.details().if_contains("missing_scopes");
  if (missing != nullptr && !missing->as_array().empty()) {
    auto list = part.add("MISSING");
    for (const auto& scope : missing->as_array()) list.add("SCOPE").set("SCOPE_NAME", scope.as_string());
  }
  if (e.code() != errc::no_installation) return;
  if (a.clients->contains(z.of.provider) && v.may("connections:write"))
    part.add("CONSENT").set("CSRF", v.csrf).set("PROVIDER", z.of.provider);
}

void put_offer(fields f, const wizard& z, const offer& o) {
  const auto& what = *o.what;
  wish w;
  w.resource = what.ids.front();
  f.set("LABEL", tracker::shortened(what.label, longest_shown));
  f.set("RESOURCE_ID", tracker::shortened(what.ids.front(), longest_shown));
  f.set("WORKSPACE", tracker::shortened(what.workspaces.front(), longest_shown));
  if (o.bound == nullptr)
    f.show("FREE").set("CHOOSE", address_of(z.path(), w, asked_for));
  else
    f.add("TAKEN")
        .set("BINDING_URL", binding_page_of(o.bound->row.id.text()))
        .set("PROJECT", tracker::shortened(o.bound->project.slug, longest_shown));
}

void put_offers(fields f, const app& a, const request& r, const address& at, const keyset& from,
                const wizard& z, const offers& all) {
  f.set("TOTAL", std::ssize(all.found->resources)).set("MATCHING", std::ssize(all.list));
  f.set("TYPE", worded(all.found->type)).set("FRESH", afresh(at.here()));
  put_time(f, "READ", all.found->read_at, std::max(r.received_at, all.found->read_at));
  if (all.found->partial) f.add("PARTIAL").set("PARTIAL_TEXT", why_partial(*all.found->partial));
  f.show(all.found->resources.empty() ? "NOTHING" : all.list.empty() ? "NO_MATCH" : "SOME");
  int shown = 0;
  const offer* last = nullptr;
  for (const auto& o : all.list) {
    if (from.after && key_of(o) <= *from.after) continue;
    if (shown++ == from.limit)
      return void(f.show("MORE").set("MORE_URL", at.more(a, "cursor", key_of(*last))));
    put_offer(f.add("ROW"), z, o);
    last = &o;
  }
}

response choosing_page(const app& a, const request& r, const visitor& v, const wizard& z,
                       const result<offers>& found, const obstacle& in_the_way = {}) {
  address at{r};
  const auto search = at.filter("search").value_or("");
  const auto from = at.at(a, "cursor", rows_of_a_list);
  if (!from) return problem_page(from.error(), r, &v);
  return page(r, v, head_of(in_the_way), "discover.html", [&](fields root) {
    put_head(root, z, in_the_way);
    auto f = root.add("CHOOSING").set("SEARCH", search);
    if (found)
      put_offers(f.add("FOUND"), a, r, at, *from, z, *found);
    else
      put_refusal(f, a, r, v, z, found.error());
  });
}

// ---- step 2: where it goes

asio::awaitable<response> project_page(app& a, request& r, const visitor& v, const wizard& z, const wish& w,
                                       const obstacle& in_the_way = {}) {
  const auto projects = co_await projects_to_choose(a, r, w.project);
  if (!projects) co_return problem_page(projects.error(), r, &v);
  co_return page(r, v, head_of(in_the_way), "discover.html", [&](fields root) {
    put_head(root, z, in_the_way);
    auto f = root.add("PLACING").set("RESOURCE", w.resource).set("WORKSPACE", w.workspace);
    f.set("RESOURCE_TYPE", w.resource_type).set("LABEL", w.label);
    f.show(projects->empty() ? "NO_PROJECTS" : "PROJECTS");
    put_projects(f, *projects, w.project);
    put_doctrine(f.include("DOCTRINE", "doctrine.html"), w.doctrine());
  });
}

// ---- step 3: confirm

asio::awaitable<response> confirming_page(app& a, request& r, const visitor& v, const wizard& z,
                                          const wish& w, const obstacle& in_the_way = {}) {
  const auto c = command_of(w);
  if (!c) co_return co_await project_page(a, r, v, z, w, {because(c.error()), {}, 400});
  const auto project = co_await read(a, r, get_project{.project = c->project});
  if (!project) co_return co_await project_page(a, r, v, z, w, {because(project.error()), {}, 404});
  const auto waiting = co_await waiting_for(a, r, *c);
  const confirmation last{w,       *c,          (*project)->row.name,
                          waiting, z.actions(), address_of(z.path(), w, asked_for)};
  co_return page(r, v, head_of(in_the_way), "discover.html", [&](fields root) {
    put_head(root, z, in_the_way);
    put_confirmation(root.add("CONFIRMING").include("CONFIRMATION", "bind_confirm.html"), v, last);
  });
}

// ---- the way there

/// Who bound it, and when, as the feed has it.
asio::awaitable<obstacle> held_by(app& a, request& r, const tracker::binding_id& binding) {
  obstacle out{"It is bound already.", binding.str(), 409};
  list_activity l;
  l.filter.types = {"tracker_binding_created", "tracker_binding_activated", "tracker_binding_discovered"};
  l.filter.bindings = {binding};
  l.at.limit = 1;
  const auto found = co_await read(a, r, std::move(l));
  if (!found || (*found)->rows.empty()) co_return out;
  const auto& row = (*found)->rows.front();
  out.why = tracker::shortened(row.actor.name, longest_shown) + " bound it " +
            relative(row.recorded_at, r.received_at) + ".";
  co_return out;
}

asio::awaitable<response> step_of(app& a, request& r, const visitor& v, const wizard& z, wish w,
                                  const offers& all) {
  const auto chosen = std::ranges::find(
      all.list, w.resource, [](const offer& o) -> const std::string& { return o.what->ids.front(); });
  if (chosen == all.list.end())
    co_return choosing_page(a, r, v, z, all, {"That is not there any more: choose again.", {}, 404});
  if (chosen->bound != nullptr) {
    const auto holder = co_await held_by(a, r, chosen->bound->row.id);
    co_return choosing_page(a, r, v, z, all, holder);
  }
  w.provider = tracker::name_of(all.system);
  w.workspace = chosen->what->workspaces.front();
  w.resource_type = all.found->type;
  if (address{r}.value("step") == "confirm") co_return co_await confirming_page(a, r, v, z, w);
  co_return co_await project_page(a, r, v, z, w);
}

asio::awaitable<response> show_wizard(app& a, request& r) {
  auto by = co_await visit_tracker(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  if (!v.may("tracker:admin")) co_return problem_page(error{errc::forbidden}, r, &v);
  auto c = co_await find_connection(a, r);
  if (!c) co_return problem_page(c.error(), r, &v);
  const auto z = wizard_of(std::move(*c));
  const address at{r};
  auto w = read_wish([&](std::string_view name) { return at.value(name).value_or(""); });
  const auto search = w.resource.empty() ? at.value("search").value_or("") : std::string{};
  const auto found = co_await offers_of(a, r, z.of, search, at.value("fresh") == "true");
  if (!found || w.resource.empty()) co_return choosing_page(a, r, v, z, found);
  co_return co_await step_of(a, r, v, z, std::move(w), *found);
}

// ---- the button

std::optional<tracker::binding_id> binding_named_by(const error& e) {
  const auto* id = e.details().if_contains("binding_id");
  if (id == nullptr || !id->is_string()) return std::nullopt;
  return tracker::binding_id::parse(id->get_string());
}

/// The project has a binding of the workspace already: the resource leads there from now on, too.
asio::awaitable<result<std::string>> join(app& a, request& r, const tracker::binding_id& id,
                                          new_resource wanted) {
  const auto mapped = co_await command(a, r, create_resource{.binding = id, .wanted = std::move(wanted)});
  const bool before =
      !mapped && mapped.error().code() == errc::already_bound && binding_named_by(mapped.error()) == id;
  if (!mapped && !before) co_return mapped.error();
  const auto now = co_await read(a, r, get_binding{id});
  if (!now) co_return now.error();
  if ((*now)->row.state != tracker::binding_state::active) {
    patch_binding on;
    on.id = id;
    on.state = tracker::binding_state::active;
    if (const auto done = co_await command(a, r, std::move(on)); !done) co_return done.error();
  }
  co_return binding_page_of(id.text(), before ? "bound-before" : "joined");
}

asio::awaitable<result<std::string>> bind_wanted(app& a, request& r, create_binding c) {
  const auto resource = c.resources.front();
  const auto made = co_await command(a, r, std::move(c));
  if (made) co_return binding_page_of(made->row.id.text(), "bound");
  const auto there = binding_named_by(made.error());
  if (made.error().code() != errc::binding_exists || !there) co_return made.error();
  co_return co_await join(a, r, *there, resource);
}

asio::awaitable<response> bind(app& a, request& r) {
  auto sent_by = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  auto found = co_await find_connection(a, r);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  const auto* definition = a.catalog.find(found->provider);
  if (definition == nullptr || !definition->tracker)
    co_return problem_page(error{errc::not_found}, r, &form.by);
  const auto z = wizard_of(std::move(*found));
  auto w = read_wish([&](std::string_view name) { return form.field(name); });
  w.provider = tracker::name_of(definition->tracker->system);
  if (w.resource.empty()) co_return see_other(z.path());
  auto c = command_of(w);
  if (!c) co_return co_await project_page(a, r, form.by, z, w, {because(c.error()), {}, 400});
  const auto next = co_await bind_wanted(a, r, std::move(*c));
  if (next) co_return see_other(*next);
  const auto& e = next.error();
  obstacle in_the_way{because(e), {}, traits_of(e.code()).http_status};
  const auto holder = binding_named_by(e);
  if (e.code() == errc::already_bound && holder) in_the_way = co_await held_by(a, r, *holder);
  co_return co_await confirming_page(a, r, form.by, z, w, in_the_way);
}

}  // namespace

void add_dashboard_discovery_routes(std::vector<route>& table, app* a) {
  auto wizard = page_route(a, "/dashboard/connections/{id}/bindings/new", "discoverPage",
                           "Bind what a connection's account has, step by step", show_wizard);
  wizard.errors = {409};  // what is chosen was bound meanwhile
  table.push_back(std::move(wizard));
  table.push_back(
      button_route(a, "/dashboard/connections/{id}/bindings", "bindDiscoveredFromPage", "Bind it", bind));
}

}  // namespace connectord::web
