#pragma once

#include "domain/queries.hpp"
#include "domain/tracker/model.hpp"

#include <variant>

/// What a tenant is told about its flags and projects. Each command says which answer it gets and, for the
/// audit log, what it is called; each query says what its answer holds.
namespace connectord {

struct change_projects;
struct project_query;

struct put_flag {
  using family = change_projects;
  using reply = tracker::feature_flag;
  static constexpr std::string_view audited_as = "flag.put";
  bool enabled = false;
};

using project_command = std::variant<put_flag>;
using project_outcome = std::variant<tracker::feature_flag>;

/// The mutation that they make together.
struct change_projects {
  using reply = project_outcome;
  project_command what;
  tracker::actor_ref by;
  timestamp now{};
};

// Reads.

struct get_flag {
  using family = project_query;
  using answer = tracker::feature_flag;
};

/// The row query that they make together.
struct project_query {
  std::variant<get_flag> what;
  tracker::policy rules{};
};

}  // namespace connectord
