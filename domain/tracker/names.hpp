#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The words of the tracker: each enumeration with its names as they stand on the wire and in columns
/// (contract tracker-api, 3.1).
namespace connectord::tracker {

/// Specialised once per enumeration, in the order of its members.
template <class E>
struct words;

template <class E>
constexpr std::string_view name_of(E value) {
  return words<E>::all[static_cast<std::size_t>(value)];
}
template <class E>
constexpr std::optional<std::string_view> name_of(const std::optional<E>& value) {
  return value ? std::optional{name_of(*value)} : std::nullopt;
}
/// Nothing for what is no member's name.
template <class E>
constexpr std::optional<E> parse(std::string_view name) {
  const auto& all = words<E>::all;
  const auto found = std::find(all.begin(), all.end(), name);
  if (found == all.end()) return std::nullopt;
  return static_cast<E>(found - all.begin());
}

#define CONNECTORD_WORDS(E, ...)                                                \
  template <>                                                                   \
  struct words<E> {                                                             \
    static constexpr auto all = std::to_array<std::string_view>({__VA_ARGS__}); \
  };

enum class provider : std::uint8_t { jira, linear, azure_devops, github, gitlab, beads, fp };
CONNECTORD_WORDS(provider, "jira", "linear", "azure_devops", "github", "gitlab", "beads", "fp")

enum class external_status : std::uint8_t { todo, in_progress, in_review, blocked, done, canceled };
CONNECTORD_WORDS(external_status, "todo", "in_progress", "in_review", "blocked", "done", "canceled")

enum class issue_type : std::uint8_t { epic, story, task, bug, chore, subtask };
CONNECTORD_WORDS(issue_type, "epic", "story", "task", "bug", "chore", "subtask")

enum class lane : std::uint8_t {
  planned,
  claimed,
  in_progress,
  for_review,
  in_review,
  approved,
  blocked,
  done,
  canceled
};
CONNECTORD_WORDS(lane, "planned", "claimed", "in_progress", "for_review", "in_review", "approved", "blocked",
                 "done", "canceled")

enum class doctrine_mode : std::uint8_t { external_authoritative, spec_kitty_authoritative, split_ownership };
CONNECTORD_WORDS(doctrine_mode, "external_authoritative", "spec_kitty_authoritative", "split_ownership")

enum class owner : std::uint8_t { external, local, shared };
CONNECTORD_WORDS(owner, "external", "local", "shared")

enum class doctrine_source : std::uint8_t { snapshot, manual };
CONNECTORD_WORDS(doctrine_source, "snapshot", "manual")

enum class binding_state : std::uint8_t { discovered, active, disabled, deleted };
CONNECTORD_WORDS(binding_state, "discovered", "active", "disabled", "deleted")

enum class binding_origin : std::uint8_t { snapshot, api, queue, bind_confirm };
CONNECTORD_WORDS(binding_origin, "snapshot", "api", "queue", "bind_confirm")

enum class link_source : std::uint8_t { snapshot, manual };
CONNECTORD_WORDS(link_source, "snapshot", "manual")

/// Derived, first match in the order contested, orphan, ambiguous, missing, unknown, linked (3.4).
enum class link_state : std::uint8_t { linked, unknown, missing, contested, orphan, ambiguous };
CONNECTORD_WORDS(link_state, "linked", "unknown", "missing", "contested", "orphan", "ambiguous")

enum class presence : std::uint8_t { present, absent };
CONNECTORD_WORDS(presence, "present", "absent")

enum class receipt_state : std::uint8_t { applied, queued, superseded, discarded };
CONNECTORD_WORDS(receipt_state, "applied", "queued", "superseded", "discarded")

enum class run_trigger : std::uint8_t { snapshot, manual_mapping };
CONNECTORD_WORDS(run_trigger, "snapshot", "manual_mapping")

enum class run_status : std::uint8_t { succeeded, rejected, failed };
CONNECTORD_WORDS(run_status, "succeeded", "rejected", "failed")

enum class queue_reason : std::uint8_t {
  no_project,
  unknown_project,
  invalid_project_uuid,
  ambiguous_workspace,
  binding_disabled,
  binding_deleted
};
CONNECTORD_WORDS(queue_reason, "no_project", "unknown_project", "invalid_project_uuid", "ambiguous_workspace",
                 "binding_disabled", "binding_deleted")

enum class queue_state : std::uint8_t { pending, resolved, dismissed, superseded };
CONNECTORD_WORDS(queue_state, "pending", "resolved", "dismissed", "superseded")

/// What found the binding of a snapshot (4.4).
enum class matched_by : std::uint8_t { resource, project, workspace, manual, none };
CONNECTORD_WORDS(matched_by, "resource", "project", "workspace", "manual", "none")

enum class drift_kind : std::uint8_t {
  duplicate_claim,
  orphan_link,
  ambiguous_mapping,
  missing_external,
  status_mismatch,
  title_mismatch,
  assignee_mismatch,
  priority_mismatch,
  unmapped_value,
  stale_snapshot
};
CONNECTORD_WORDS(drift_kind, "duplicate_claim", "orphan_link", "ambiguous_mapping", "missing_external",
                 "status_mismatch", "title_mismatch", "assignee_mismatch", "priority_mismatch",
                 "unmapped_value", "stale_snapshot")

enum class severity : std::uint8_t { info, warning };
CONNECTORD_WORDS(severity, "info", "warning")

enum class drift_state : std::uint8_t { open, resolved };
CONNECTORD_WORDS(drift_state, "open", "resolved")

enum class resolution : std::uint8_t { reconciled, superseded, link_removed, binding_removed };
CONNECTORD_WORDS(resolution, "reconciled", "superseded", "link_removed", "binding_removed")

enum class direction : std::uint8_t { spec_kitty_behind, external_behind, manual_review, none };
CONNECTORD_WORDS(direction, "spec_kitty_behind", "external_behind", "manual_review", "none")

/// Worst first; not_bound is a project's only.
enum class health : std::uint8_t { disconnected, degraded, stale, drifting, healthy, not_bound };
CONNECTORD_WORDS(health, "disconnected", "degraded", "stale", "drifting", "healthy", "not_bound")

/// Why a binding is not healthy, in the order of the verdicts.
enum class health_reason : std::uint8_t {
  disabled,
  never_synced,
  disconnected_age,
  consecutive_failures,
  stale_age,
  open_drift
};
CONNECTORD_WORDS(health_reason, "disabled", "never_synced", "disconnected_age", "consecutive_failures",
                 "stale_age", "open_drift")

/// What is wrong with a member of a body (4.2).
enum class field_code : std::uint8_t {
  required,
  invalid_type,
  unsupported_value,
  invalid_time,
  too_long,
  incomplete_pair,
  duplicate_issue,
  duplicate_mapping
};
CONNECTORD_WORDS(field_code, "required", "invalid_type", "unsupported_value", "invalid_time", "too_long",
                 "incomplete_pair", "duplicate_issue", "duplicate_mapping")

enum class actor_kind : std::uint8_t { client, operator_, system, webhook };
CONNECTORD_WORDS(actor_kind, "client", "operator", "system", "webhook")

/// How an issue is seen: in a client's snapshot, in the provider's answers, in its deliveries.
enum class view : std::uint8_t { snapshot, poll, webhook };
CONNECTORD_WORDS(view, "snapshot", "poll", "webhook")

#undef CONNECTORD_WORDS

}  // namespace connectord::tracker
