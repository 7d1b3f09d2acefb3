#include "domain/tracker/text.hpp"
#include "http/views/address.hpp"
#include "http/views/binding_form.hpp"
#include "http/views/permission.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

/// Snapshots that wait for a project.
namespace connectord::web {
namespace {

constexpr std::array settle_buttons{std::string_view{"Map and apply"}, std::string_view{"Discard"}};

using tracker::queue_item, tracker::queue_state;

constexpr std::string_view queue_path = "/dashboard/connectors/queue";
constexpr int rows_of_a_list = 30;  // with the longest texts, a page stays below 60 KB
constexpr std::size_t longest_shown = 80;

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
std::string suggested(const queue_item& x, const std::vector<project_choice>& projects) {
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
  result<std::vector<project_choice>> projects{std::vector<project_choice>{}};
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
                   if (x.state == queue_state::pending && !settles)
                     put_denied(f, "SETTLE_DENIED", settle_buttons, "tracker:admin");
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
  if (done) co_return see_other(binding_page_of(done->binding.row.id.text(), "mapped"));
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

}  // namespace

void add_dashboard_queue_routes(std::vector<route>& table, app* a) {
  constexpr std::string_view one = "/dashboard/connectors/queue/{id}",
                             to_resolve = "/dashboard/connectors/queue/{id}/resolve",
                             to_discard = "/dashboard/connectors/queue/{id}/discard";
  table.push_back(
      page_route(a, queue_path, "trackerQueuePage", "Snapshots that wait for a project", show_queue));
  table.push_back(page_route(a, one, "queueItemPage", "One of them", show_item));
  table.push_back(button_route(a, to_resolve, "resolveFromPage", "Give it a project, and apply it", resolve));
  table.push_back(button_route(a, to_discard, "discardFromPage", "Let it go", discard));
}

}  // namespace connectord::web
