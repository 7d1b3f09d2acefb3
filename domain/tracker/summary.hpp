#pragma once

#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"

/// What a project and a work package show of the tracker (contract tracker-api, 3.7).
namespace connectord::tracker {

struct binding_summary {
  binding_id id;
  std::string ref;
  tracker::provider provider{};
  std::string workspace;
  binding_state state = binding_state::discovered;
  tracker::health health = tracker::health::disconnected;
  std::optional<timestamp> last_snapshot_at;
};

struct project_summary {
  tracker::health health = tracker::health::not_bound;
  bool queued = false;  ///< a snapshot of the project waits for a binding
  std::optional<timestamp> last_snapshot_at;
  std::int64_t issues = 0, mappings = 0, drift_open = 0;
  drift_by_kind drift_open_by_kind;
  std::vector<binding_summary> bindings;  ///< live ones, oldest first
};

/// A project from further away: its work packages by how they are mapped, and how its drift has gone.
struct project_survey {
  std::map<mapping, std::int64_t> work_packages;
  std::vector<std::int64_t> drift_open;  ///< at the end of each UTC day, oldest first; the last one is now
};

struct work_package_summary {
  std::optional<link_state> state;  ///< of its first link; none: not mapped
  std::vector<link_view> links;
  std::vector<drift_record> drift;  ///< open
};

}  // namespace connectord::tracker
