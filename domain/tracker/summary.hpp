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
  std::vector<health_reason> reasons;  ///< for that health, and whatever else speaks against it
  std::optional<timestamp> last_snapshot_at;
};

struct project_summary {
  tracker::health health = tracker::health::not_bound;
  bool queued = false;  ///< a snapshot of the project waits for a binding
  std::optional<timestamp> last_snapshot_at;
  std::int64_t issues = 0, mappings = 0, drift_open = 0;
  drift_by_kind drift_open_by_kind;
  std::vector<binding_summary> bindings;  ///< live ones, oldest first

  bool bound() const { return !bindings.empty(); }
};

/// How many work packages a project has, and how many of them are mapped. Kept where that changes.
struct project_tally {
  std::int64_t work_packages = 0, mapped = 0, ambiguous = 0;

  std::int64_t not_mapped() const { return work_packages - mapped - ambiguous; }
  std::int64_t count(mapping m) const;
  /// Of all of them, rounded down; nothing where there are none.
  std::optional<std::int64_t> mapped_percent() const;
};

/// A project's place in a list of that order; lower ones come first. By name it is the same for all. Where
/// nothing is bound there is nothing to look at: such projects come last.
std::int64_t place_in(project_order order, const project_tally& tally, const project_summary& tracker);

struct work_package_summary {
  std::optional<link_state> state;  ///< of its first link; none: not mapped
  std::vector<link_view> links;
  std::vector<drift_record> drift;  ///< open
};

}  // namespace connectord::tracker
