#pragma once

#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "domain/tracker/names.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The rows of the tracker, as storage keeps them and the wire shows them (contract tracker-api, 3).
namespace connectord::tracker {

using project_id = strong_id<struct project_tag>;
using binding_id = strong_id<struct binding_tag>;
using resource_id = strong_id<struct resource_mapping_tag>;
using link_id = strong_id<struct link_tag>;
using issue_id = strong_id<struct issue_tag>;
using snapshot_id = strong_id<struct snapshot_receipt_tag>;  ///< of a receipt
using run_id = strong_id<struct tracker_run_tag>;
using queue_id = strong_id<struct queue_tag>;
using drift_id = strong_id<struct drift_tag>;
using activity_id = strong_id<struct activity_tag>;
using gate_id = strong_id<struct gate_tag>;  ///< of a gate connector

/// A time of an external system, to the microsecond.
using external_time = std::chrono::sys_time<std::chrono::microseconds>;

/// The flag that gates the tracker; the only one there is.
inline constexpr std::string_view tracker_flag = "tracker_connectors";

struct feature_flag {
  std::string key;
  bool enabled = false;
  std::optional<timestamp> updated_at;  ///< absent while it has its default
};

struct project {
  project_id id;
  std::optional<uuid> project_uuid;  ///< unique in the tenant
  std::string slug;                  ///< unique in the tenant
  std::string name;
  timestamp created_at{}, updated_at{};
};

/// `WP` and digits.
bool is_wp_id(std::string_view text) noexcept;

/// Which work package: `mission` is empty for one without a mission.
struct wp_ref {
  std::string wp_id, mission;
  friend auto operator<=>(const wp_ref&, const wp_ref&) = default;
};

struct work_package {
  project_id project;
  wp_ref ref;
  std::optional<std::string> title;
  tracker::lane lane = tracker::lane::planned;
  std::optional<std::string> assignee;
  std::optional<int> priority;  ///< 1..4
  timestamp created_at{}, updated_at{};
  bool mission_closed = false;  ///< from the mission, not from the row
};

/// Who owns which field. Without an entry a field of split ownership is shared.
struct doctrine {
  doctrine_mode mode = doctrine_mode::external_authoritative;
  std::map<std::string, owner, std::less<>> field_owners;
  friend bool operator==(const doctrine&, const doctrine&) = default;
};

struct binding {
  binding_id id;
  std::string ref;  ///< `srm_` and 26 characters of Crockford's base32; unique over all tenants
  project_id project;
  tracker::provider provider{};
  std::string workspace, display_label;
  binding_state state = binding_state::discovered;
  binding_origin origin = binding_origin::snapshot;
  doctrine effective;
  doctrine_source source = doctrine_source::snapshot;
  std::optional<doctrine> reported;                        ///< of the last snapshot
  tracker::health health = tracker::health::disconnected;  ///< as last evaluated
  std::int64_t sequence = 0;
  std::optional<timestamp> last_snapshot_at;
  std::optional<snapshot_id> last_receipt;
  timestamp created_at{}, updated_at{};

  bool live() const { return state != binding_state::deleted; }
  bool evaluated() const { return state == binding_state::discovered || state == binding_state::active; }
};

/// What an external issue is called, within its binding.
struct identity {
  std::string system, workspace, id;
  friend auto operator<=>(const identity&, const identity&) = default;
};

struct resource {
  resource_id id;
  binding_id binding;
  tracker::provider provider{};
  std::string workspace, type, external_id;
  binding_state state = binding_state::discovered;
  timestamp created_at{}, updated_at{};
};

struct link {
  link_id id;
  binding_id binding;
  project_id project;
  wp_ref wp;
  identity target;
  std::optional<std::string> external_key, external_url;
  link_source source = link_source::snapshot;
  link_state state = link_state::unknown;
  timestamp claimed_at{};
  std::int64_t ordinal = 0;  ///< order of insertion within the binding
  /// The binding's evidence (the number of snapshots that had issues) when the target was last there; nothing
  /// while it is. `absent_count` is how far that is back.
  std::optional<std::int64_t> absent_since;
  int absent_count = 0;
  int drift_open = 0;
  timestamp created_at{}, updated_at{};

  bool in_latest_snapshot() const { return !absent_since; }
};

/// What a snapshot says of one issue.
struct issue_content {
  identity ref;
  std::optional<std::string> key, url;
  std::string title;
  std::optional<std::string> body;
  external_status status{};
  issue_type type{};
  std::optional<int> priority;  ///< any 32-bit integer; 1..4 are known
  std::vector<std::string> assignees, labels;
  std::optional<external_time> updated_at;
  friend bool operator==(const issue_content&, const issue_content&) = default;
};

struct issue {
  issue_id id;
  binding_id binding;
  issue_content content;
  tracker::presence presence = tracker::presence::present;
  timestamp first_seen_at{}, last_seen_at{};
  std::optional<snapshot_id> last_receipt;
};

struct drift_record {
  drift_id id;
  binding_id binding;
  project_id project;
  std::optional<link_id> link;
  drift_kind kind{};
  tracker::severity severity{};
  std::optional<std::string> field;
  std::optional<wp_ref> wp;
  std::optional<identity> external;
  std::optional<std::string> external_key, external_url;
  std::optional<std::string> local_value, external_value;
  std::optional<tracker::owner> owner;
  tracker::direction direction = tracker::direction::manual_review;
  drift_state state = drift_state::open;
  std::optional<tracker::resolution> resolution;
  timestamp opened_at{}, updated_at{};
  std::optional<timestamp> resolved_at;
  std::optional<snapshot_id> opened_by, resolved_by;
};

/// Who did it: `client` with the token's name, `operator`, `system`, or `webhook` with the provider's.
struct actor_ref {
  actor_kind kind = actor_kind::system;
  std::string name;
};

/// One row of the feed. `seq` is given when it is stored: strictly rising in a tenant, in commit order.
struct activity {
  activity_id id;
  std::int64_t seq = 0;
  std::string type;
  timestamp occurred_at{}, recorded_at{};
  std::optional<project_id> project;
  std::optional<std::string> project_slug;
  std::optional<wp_ref> wp;
  std::optional<binding_id> binding;
  actor_ref actor;
  std::string summary;             ///< plain text, at most 300 code points
  std::optional<std::string> url;  ///< a path of the dashboard
  std::string payload{"{}"};       ///< a JSON object, as text

  bool of_the_tracker() const { return std::string_view{type}.starts_with("tracker_"); }
};

/// Limits and times of a deployment (POBLYSH_TRACKER_*).
struct policy {
  bool flag_default = false;
  int max_issues = 10'000, max_mappings = 20'000;
  std::size_t max_body = 8 << 20;
  std::chrono::seconds stale_after{86'400}, disconnected_after{604'800}, sweep{60}, candidate_ttl{900},
      heartbeat{15};
  int degraded_after = 3, missing_after = 2, feed_burst = 50, bodies_kept = 5, queue_max = 1000;
  bool autocreate_projects = true;
  std::string abort_at;  ///< profile test only: where the process ends itself
};

}  // namespace connectord::tracker
