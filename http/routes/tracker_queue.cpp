#include "http/tracker_filters.hpp"

/// Snapshots that wait for a project (tracker-api, 3.6).
namespace connectord::web {
namespace {

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  list_queue l;
  l.filter.states = names<tracker::queue_state>(q, "state");
  l.filter.providers = providers(q);
  co_return co_await page_of_rows(
      a, r, q, std::move(l), [](json_writer& w, const tracker::queue_item& x) { write(w, x); },
      [](const tracker::queue_item& x) {
        return sort_key{to_millis(x.received_at), x.id.str()};
      });
}

asio::awaitable<response> get(app& a, request& r) {
  return one_row<get_queue_item, tracker::queue_id>(a, r, errc::not_found);
}

asio::awaitable<response> resolve(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader in{*body};
  resolve_queue_item c;
  const auto project = in.text("project_id", {1, 64, true});
  if (const auto id = uuid::parse(project))
    c.project = *id;
  else if (!project.empty())
    in.refuse("project_id", "must be a UUID");
  c.create_resource = in.optional_boolean("create_resource_mapping").value_or(true);
  if (const auto ok = in.finish(); !ok) co_return refuse(ok.error(), r);
  const auto id = named<tracker::queue_id>(r, "id", errc::not_found);
  if (!id) co_return refuse(id.error(), r);
  c.id = *id;
  const auto done = co_await command(a, r, std::move(c));
  co_return done ? rendered(200, *done) : refuse(done.error(), r);
}

asio::awaitable<response> dismiss(app& a, request& r) {
  const auto body = r.optional_json_body();
  if (!body) co_return refuse(body.error(), r);
  const auto id = named<tracker::queue_id>(r, "id", errc::not_found);
  if (!id) co_return refuse(id.error(), r);
  const auto done = co_await command(a, r, dismiss_queue_item{*id});
  co_return done ? rendered(200, *done) : refuse(done.error(), r);
}

}  // namespace

void add_queue_routes(std::vector<route>& table, app* a) {
  constexpr auto reads = tracker_with("tracker:read"), administers = tracker_with("tracker:admin");
  auto& list =
      table.emplace_back(team_route(verb::get, "/api/v1/connectors/trackers/queue", "listTrackerQueue",
                                    "What waits, newest first", reads, {200, "QueueItemList", "A page"}));
  list.parameters = paged({{"state", text_list_schema, "pending, resolved, dismissed, superseded"},
                           {"provider", text_list_schema, "Of these providers"}});
  list.handle = on(a, list_all);
  table
      .emplace_back(team_route(verb::get, "/api/v1/connectors/trackers/queue/{id}", "getTrackerQueueItem",
                               "One of them", reads, {200, "QueueItem", "The item"}, {404}))
      .handle = on(a, get);
  auto& settle = table.emplace_back(team_route(verb::post, "/api/v1/connectors/trackers/queue/{id}/resolve",
                                               "resolveTrackerQueueItem", "Give it a project, and apply it",
                                               administers, {200, "QueueResolution", "Applied"}, {404, 409}));
  settle.payload = payload::json;
  settle.body_schema = "ResolveQueueItem";
  settle.handle = on(a, resolve);
  auto& drop = table.emplace_back(team_route(verb::post, "/api/v1/connectors/trackers/queue/{id}/dismiss",
                                             "dismissTrackerQueueItem", "Let it go", administers,
                                             {200, "QueueItem", "Dismissed"}, {404, 409}));
  drop.payload = payload::optional_json;
  drop.body_schema = "Empty";
  drop.handle = on(a, dismiss);
}

}  // namespace connectord::web
