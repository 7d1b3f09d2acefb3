#pragma once

#include "base/secret.hpp"
#include "domain/queries.hpp"
#include "domain/tracker/gate.hpp"

#include <variant>

/// What a tenant is told about its GitHub gates (contract tracker-api, 8).
namespace connectord {

struct change_gates;
struct gate_query;

/// PROJECT_NOT_FOUND for an unknown project.
struct create_gate {
  using family = change_gates;
  using reply = struct created_gate;
  static constexpr std::string_view audited_as = "gate.create";
  uuid project;  ///< id or project_uuid
  std::string repository;
  secret webhook_secret;
};
struct created_gate {
  tracker::gate row;
  secret webhook_secret;
};

struct delete_gate {
  using family = change_gates;
  using reply = struct deleted_gate;
  static constexpr std::string_view audited_as = "gate.delete";
  tracker::gate_id id;
};
struct deleted_gate {};

/// GATE_SIGNATURE_INVALID, and what tracker::read_delivery and report_of refuse. What is refused may come
/// again.
struct take_gate_delivery {
  using family = change_gates;
  using reply = struct taken_gate_delivery;
  static constexpr std::string_view audited_as{};
  tracker::gate gate;  ///< as it was found
  tracker::gate_delivery delivery;
};
struct taken_gate_delivery {
  bool duplicate = false;
  tracker::gate_finding finding{};  ///< unless it is a duplicate
  std::string event_type{};         ///< here and below: of one that passed or failed
  std::optional<tracker::activity_id> event_id{};
};

using gate_command = std::variant<create_gate, delete_gate, take_gate_delivery>;
using gate_outcome = std::variant<created_gate, deleted_gate, taken_gate_delivery>;

/// The mutation that they make together.
struct change_gates {
  using reply = gate_outcome;
  gate_command what;
  tracker::actor_ref by;
  timestamp now{};
};

// Reads.

struct list_gates {
  using family = gate_query;
  using answer = rows_page<tracker::gate>;
  keyset at;
};
/// NOT_FOUND.
struct get_gate {
  using family = gate_query;
  using answer = tracker::gate;
  tracker::gate_id id;
};

/// The row query that they make together.
struct gate_query {
  std::variant<list_gates, get_gate> what;
  tracker::policy rules{};
};

}  // namespace connectord
