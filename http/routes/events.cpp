#include "http/team.hpp"
#include "http/tracker_shapes.hpp"

/// What clients report of their work packages, and who they are.
namespace connectord::web {
namespace {

constexpr std::size_t most_events = 1000;

result<take_events> read_batch(const json::object& body) {
  const auto* events = body.if_contains("events");
  if (events == nullptr || !events->is_array())
    return invalid("events", events ? "must be an array of events" : "is required");
  const auto count = events->get_array().size();
  if (count > most_events)
    return error{errc::payload_too_large, "The batch holds too many events."}
        .with("limit", "events")
        .with("max", most_events)
        .with("actual", count);
  take_events batch;
  batch.events.reserve(count);
  for (const auto& e : events->get_array()) batch.events.push_back(tracker::read_event(e));
  return batch;
}

asio::awaitable<response> take(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto batch = read_batch(*body);
  if (!batch) co_return refuse(batch.error(), r);
  const auto taken = co_await command(a, r, std::move(*batch));
  if (!taken) co_return refuse(taken.error(), r);
  std::string out;
  json_writer w{out};
  w.open().key("results").open_array();
  for (const auto& e : *taken) {
    w.open().member("event_id", e.id.empty() ? std::nullopt : std::optional{e.id});
    w.member("status", e.status).member("error", e.error).close();
  }
  w.close_array().close();
  co_return tracker_json(200, std::move(out));
}

void write_team(json_writer& w, std::string_view id, const tenant& t, std::string_view role,
                bool is_private) {
  w.open().member("id", id).member("slug", is_private ? std::optional{std::string{id}} : t.slug);
  w.member("name", t.name).member("role", role).member("is_private_teamspace", is_private).close();
}

asio::awaitable<response> me(app&, request& r) {
  const auto& who = *r.who;
  const auto id = who.token ? who.token->str() : std::string{"operator"};
  const std::string_view role = who.may("tracker:admin") ? "admin" : "member";
  std::string out;
  json_writer w{out};
  w.open().member("user_id", id).member("email", id + "@tokens.invalid");
  w.member("name", who.token ? who.token_name : "operator").key("teams").open_array();
  if (who.team) write_team(w, who.team->id.text(), *who.team, role, false);
  if (who.token) write_team(w, private_team_of(*who.token), *who.team, role, true);
  w.close_array().close();
  co_return tracker_json(200, std::move(out));
}

}  // namespace

void add_event_routes(std::vector<route>& table, app* a) {
  auto& batch = table.emplace_back(team_route(
      verb::post, "/api/v1/events/batch", "ingestEvents", "Take in events of work packages, gzip or not",
      team_with("tracker:write"), {200, "EventResults", "One result an event"}));
  batch.tag = "projects";
  batch.payload = payload::json;
  batch.body_schema = "EventBatch";
  batch.body_limit = a ? a->facts.tracker.max_body : 0;
  batch.handle = on(a, take);
  auto& self = table.emplace_back(team_route(verb::get, "/api/v1/me", "getMe", "Whose credential this is",
                                             any_credential, {200, "Me", "User and teams"}));
  self.tag = "projects";
  self.handle = on(a, me);
}

}  // namespace connectord::web
