#pragma once

#include "http/query.hpp"
#include "http/team.hpp"

/// What the routes of the facade share (contract tracker-api, 7): how its requests are read, and its shapes.
namespace connectord::web {

// ---- requests

/// Notes what is wrong with the reader. `routed` asks for a binding or a project.
enum class routing { optional, required };
tracker::facade_route read_route(query_reader& q);
tracker::facade_route read_route(object_reader& body, routing need = routing::optional);
tracker::provider read_provider(object_reader& body);
/// From member `project_identity`; notes what is wrong there.
tracker::project_identity read_identity(object_reader& body);

/// The header Idempotency-Key of a request that may have one, bound to the team, the route and the body.
/// IDEMPOTENCY_KEY_INVALID.
result<std::optional<idempotency>> facade_key(const request& r, const json::object& body);

/// A command whose answer may be kept: `render` writes the body of the first one.
template <class Command, class Render>
asio::awaitable<response> keyed(app& a, request& r, Command what, std::optional<idempotency> key,
                                Render render) {
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return refuse(meta.error(), r);
  const auto rendered = [render](const outcome& o) {
    const auto& family = std::get<typename Command::family::reply>(o);
    return render(std::get<typename Command::reply>(family));
  };
  typename Command::family change{std::move(what), actor_of(r), r.received_at};
  tenant_command c{std::move(*meta), mutation{std::move(change)}};
  if (key) c.render = [rendered](const outcome& o) { return kept_answer{200, rendered(o), {}}; };
  c.key = std::move(key);
  const auto answered = co_await command(a, r, r.tenant(), std::move(c));
  if (!answered) co_return refuse(unless_late(r, answered.error()), r);
  if (!answered->replayed) co_return tracker_json(200, rendered(answered->value));
  const auto& kept = std::get<kept_answer>(answered->value);
  co_return tracker_json(kept.status, kept.body).with("Idempotency-Replayed", "true");
}

// ---- shapes

void write_context(json_writer& w, const tracker::place& at);
/// What a request that named a project by its slug learns of the binding; nothing otherwise.
void write_routed(json_writer& w, const tracker::routed& at);
/// Null without a binding.
void write_identity_path(json_writer& w, const tracker::routed& at);
void write_mapping(json_writer& w, const tracker::link_view& v);
/// An issue as `pull` lists it, and as a candidate or ticket.
void write_item(json_writer& w, const tracker::issue_content& c);
void write_ticket(json_writer& w, const tracker::issue_content& c, bool exact);

}  // namespace connectord::web
