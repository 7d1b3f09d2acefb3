#include "domain/tracker/bind.hpp"
#include "domain/tracker/text.hpp"
#include "http/views/address.hpp"
#include "http/views/binding_form.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>

/// Binding a tracker by hand.
namespace connectord::web {
namespace {

using tracker::queue_item, tracker::queue_state;

constexpr std::string_view bind_path = "/dashboard/connectors/bindings/new";
constexpr std::size_t longest_shown = 80, most_places = 15;

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
    auto row = f.add("PLACE").set("PLACE_URL", address_of(bind_path, w)).set("PLACE_PROVIDER", w.provider);
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
  co_return page(r, v, {.title = "Bind a tracker", .section = "Connectors", .status = status}, "bind.html",
                 [&](fields root) {
                   if (!why.empty()) root.show("PROBLEM").set("PROBLEM_TEXT", why);
                   auto f = root.add("CHOOSING");
                   if (waiting)
                     put_places(f, (*waiting)->rows, w);
                   else
                     put_failure(f, "FAILURE", waiting.error(), r);
                   put_projects(f, *projects, w.project);
                   put_providers(f, w.provider);
                   put_doctrine(f.include("DOCTRINE", "doctrine.html"), w.doctrine());
                   f.set("WORKSPACE", w.workspace).set("LABEL", w.label);
                   f.set("RESOURCE", w.resource).set("RESOURCE_TYPE", w.resource_type);
                 });
}

asio::awaitable<response> confirming_page(app& a, request& r, const visitor& v, const wish& w,
                                          const create_binding& c) {
  const auto project = co_await read(a, r, get_project{.project = c.project});
  if (!project) co_return co_await choosing_page(a, r, v, w, because(project.error()), 404);
  const auto waiting = co_await waiting_for(a, r, c);
  const confirmation last{
      w, c, (*project)->row.name, waiting, "/dashboard/connectors/bindings", address_of(bind_path, w)};
  co_return page(r, v, {.title = "Bind a tracker", .section = "Connectors"}, "bind.html", [&](fields root) {
    put_confirmation(root.add("CONFIRMING").include("CONFIRMATION", "bind_confirm.html"), v, last);
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
  if (made) co_return see_other(binding_page_of(made->row.id.text(), "bound"));
  const auto& e = made.error();
  const auto* there = e.code() == errc::binding_exists ? e.details().if_contains("binding_id") : nullptr;
  if (there != nullptr) co_return see_other(binding_page_of(there->as_string(), "bound-before"));
  co_return co_await choosing_page(a, r, form.by, w, because(e), traits_of(e.code()).http_status);
}

}  // namespace

void add_dashboard_bind_routes(std::vector<route>& table, app* a) {
  table.push_back(page_route(a, bind_path, "bindPage", "Bind a tracker, step by step", show_bind));
  table.push_back(button_route(a, "/dashboard/connectors/bindings", "bindFromPage", "Bind it", bind));
}

}  // namespace connectord::web
