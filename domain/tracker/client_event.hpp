#pragma once

#include "base/json.hpp"
#include "domain/tracker/model.hpp"

namespace connectord::tracker {

/// Where an event stands among all that are reported of a work package: later ones win.
struct event_rank {
  std::int64_t lamport = 0;
  std::string node, event;
  friend auto operator<=>(const event_rank&, const event_rank&) = default;
};

/// What an event does besides its row in the feed.
enum class event_effect : std::uint8_t { none, create, move, assign, close_mission };

/// One event of a batch (tracker-api, 6.2). One that is rejected has `fault`, and its id when it has a
/// readable one; of an accepted one everything is checked.
struct client_event {
  std::string id;   ///< as it was sent; empty when unreadable
  std::string key;  ///< what it is known under: UUIDs in lower case, ULIDs in upper case
  std::optional<std::string> fault;

  std::string type;
  event_effect effect = event_effect::none;
  uuid project;  ///< its project_uuid
  std::optional<std::string> project_slug;
  std::optional<wp_ref> wp;
  std::string mission;  ///< of the payload; empty: none
  std::optional<std::string> title, assignee;
  tracker::lane lane = tracker::lane::planned;
  event_rank rank;
  timestamp occurred_at{};
  std::string payload, envelope;  ///< JSON text
};

client_event read_event(const json::value& sent);

}  // namespace connectord::tracker
