#pragma once

#include "domain/queries.hpp"
#include "domain/tracker/model.hpp"

#include <optional>
#include <string>
#include <vector>

/// What a listing of the tracker may be asked for. Every member that has values narrows: a row has one of
/// them. Values are checked at the rim. What belongs to a deleted binding is in no list.
namespace connectord::tracker {

using any_of = std::vector<std::string>;

struct binding_filter {
  any_of ids, projects, providers, workspaces, states, healths;
};
struct link_filter {
  any_of bindings, projects, wp_ids, missions, states, external_ids;
};
struct issue_filter {
  any_of bindings, projects, providers, workspaces, statuses, types, presences;
  any_of assignees, labels;          ///< one of the issue's is one of these
  std::optional<bool> linked;        ///< at least one link means it
  std::optional<std::string> q;      ///< part of title or key, in any letter case
  std::optional<std::string> named;  ///< key or id, in any letter case
  std::optional<std::string> text;   ///< part of key, title or body, in any letter case
  std::optional<external_time> updated_since;
};
struct drift_filter {
  any_of bindings, projects, kinds, states, wp_ids, severities, links;
};
struct receipt_filter {
  any_of bindings, states, keys;
};
struct queue_filter {
  any_of states, providers;
};
/// How a work package stands to its project's trackers. Its first link decides.
enum class mapping : std::uint8_t { mapped, not_mapped, ambiguous };
template <>
struct words<mapping> {
  static constexpr auto all = std::to_array<std::string_view>({"mapped", "not_mapped", "ambiguous"});
};

struct work_package_filter {
  std::vector<lane> lanes;
  std::vector<std::string> missions;
  std::optional<tracker::mapping> mapping;
};

struct activity_filter {
  std::vector<uuid> projects;  ///< ids or project_uuids
  std::vector<std::string> wp_ids, types;
  std::vector<binding_id> bindings;
  any_of providers;                          ///< of the rows' bindings
  std::optional<std::int64_t> since, until;  ///< `seq`, inclusive
  std::optional<timestamp> from, to;         ///< `recorded_at`, inclusive
  std::optional<std::string> text;           ///< part of the summary, the actor's name or the kind's words
  bool with_tracker = true;                  ///< false hides what the flag gates
};

/// What a list of projects begins with: a name, or where somebody has to look first (worst health, fewest
/// mapped, most drift, oldest snapshot). Ties are in the order of slugs, byte by byte.
enum class project_order : std::uint8_t { name, health, mapped, drift, snapshot };
template <>
struct words<project_order> {
  static constexpr auto all =
      std::to_array<std::string_view>({"name", "health", "mapped", "drift", "snapshot"});
};

}  // namespace connectord::tracker
