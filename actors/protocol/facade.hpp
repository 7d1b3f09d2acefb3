#pragma once

#include "domain/tracker/bind.hpp"
#include "domain/tracker/facade.hpp"
#include "domain/tracker/origin.hpp"
#include "domain/tracker/queries.hpp"

#include <variant>

/// What a tenant is asked through the facade (contract tracker-api, 7). Routing refuses with
/// UNKNOWN_BINDING_REF, MAPPING_DISABLED, PROJECT_MISMATCH or PROJECT_NOT_FOUND.
namespace connectord {

struct change_facade;
struct facade_query;

/// Something to bind, with the token that binds it once. The token is a secret of whoever asked.
struct offered {
  tracker::attachable what;
  std::string token;
};

/// NO_INSTALLATION without anything of the provider.
struct offer_resources {
  using family = change_facade;
  using reply = struct offered_resources;
  static constexpr std::string_view audited_as{};
  tracker::provider provider{};
};
struct offered_resources {
  std::string installation;
  std::vector<offered> entries;
};

struct propose_binding {
  using family = change_facade;
  using reply = struct proposed_binding;
  static constexpr std::string_view audited_as{};
  tracker::provider provider{};
  tracker::project_identity who;
};
struct proposed_binding {
  std::optional<tracker::binding_view> bound;  ///< the project's only one: nothing is offered
  std::optional<offered> exact;
  struct ranked : offered {
    tracker::confidence confidence{};
    std::string_view reason;
  };
  std::vector<ranked> candidates;           ///< best first
  std::optional<std::string> project_slug;  ///< of the project, if it is known here
};

/// INVALID_CANDIDATE_TOKEN; ALREADY_BOUND for a resource that is active for another project.
struct confirm_binding {
  using family = change_facade;
  using reply = tracker::binding_view;
  static constexpr std::string_view audited_as = "tracker_binding.confirm";
  tracker::provider provider{};
  tracker::project_identity who;
  std::string token_sha256;  ///< hex
};

/// ORIGIN_CONFLICT when the mission has another origin.
struct bind_origin {
  using family = change_facade;
  using reply = struct bound_origin;
  static constexpr std::string_view audited_as = "mission_origin.bind";
  tracker::facade_route route;
  tracker::mission_origin wanted;  ///< without id, project and time
};
struct bound_origin {
  tracker::mission_origin row;
  bool created = false;
  tracker::routed at;
};

using facade_command = std::variant<offer_resources, propose_binding, confirm_binding, bind_origin>;
using facade_outcome = std::variant<offered_resources, proposed_binding, tracker::binding_view, bound_origin>;

/// The mutation that they make together.
struct change_facade {
  using reply = facade_outcome;
  facade_command what;
  tracker::actor_ref by;
  timestamp now{};

  /// Offers are answers to reads: they only leave tokens behind.
  bool only_offers() const {
    return std::holds_alternative<offer_resources>(what) || std::holds_alternative<propose_binding>(what);
  }
};

// Reads.

struct binding_standing {
  tracker::binding_view view;
  std::string project_name;
  tracker::health health{};  ///< as it is now
};

struct read_status {
  using family = facade_query;
  using answer = struct facade_status;
  tracker::facade_route route;
  timestamp now{};
};
struct facade_status {
  tracker::routed at;
  std::vector<binding_standing> bindings;  ///< of `at`, with their health
  bool queued = false;                     ///< something waits for the project
  std::int64_t resources = 0;              ///< of the provider, bound or not; only where no route was named
};

struct read_links {
  using family = facade_query;
  using answer = struct routed_links;
  tracker::facade_route route;
};
struct routed_links {
  tracker::routed at;
  std::vector<tracker::link_view> links;
};

struct pull_issues {
  using family = facade_query;
  using answer = struct pulled_issues;
  tracker::facade_route route;
  tracker::issue_filter filter;
  std::optional<tracker::issue_id> after;
  int limit = 100;
};
/// NO_MAPPING without a binding.
struct pulled_issues {
  tracker::routed at;
  std::vector<tracker::issue> issues;
  bool more = false;
};

/// Issues of whatever the route leads to, newest first. With a `key` that names any, only those.
struct search_issues {
  using family = facade_query;
  using answer = struct found_issues;
  tracker::facade_route route;
  std::optional<std::string> key, text;
  int limit = 20;
};
struct found_issues {
  tracker::routed at;
  std::vector<tracker::issue> issues;
  bool exact = false;  ///< they are what `key` names
};

struct validate_binding {
  using family = facade_query;
  using answer = struct binding_verdict;
  tracker::provider provider{};
  std::string binding_ref;
  uuid project_uuid;
};
struct binding_verdict {
  tracker::validity validity{};
  std::optional<tracker::binding_view> view;  ///< only of a valid one
};

/// The row query that they make together.
struct facade_query {
  std::variant<read_status, read_links, pull_issues, search_issues, validate_binding> what;
  tracker::policy rules{};
};

}  // namespace connectord
