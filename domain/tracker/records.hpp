#pragma once

#include "domain/tracker/model.hpp"
#include "domain/tracker/sighting.hpp"
#include "domain/tracker/snapshot_body.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// What ingestion leaves behind beside the rows of model.hpp, and rows with what is shown around them
/// (contract tracker-api, 3 and 4.5).
namespace connectord::tracker {

/// A project, as other rows show it.
struct project_ref {
  project_id id;
  std::optional<uuid> project_uuid;
  std::string slug;
};

/// What an applied snapshot came to; of one that waits, all but the first four are 0.
struct ingest_counts {
  int issues = 0, issues_ignored = 0, mappings = 0, mappings_ignored = 0;
  int issues_created = 0, issues_updated = 0, issues_unchanged = 0, issues_skipped_older = 0;
  int links_created = 0, links_updated = 0, links_unchanged = 0;
  int drift_opened = 0, drift_resolved = 0, drift_open = 0;
};

struct receipt {
  snapshot_id id;
  receipt_state state = receipt_state::applied;
  std::string scope, key, body_digest;
  std::string raw_sha256;  ///< of the bytes as they came: whoever sends them again is answered unread
  int revision = 1;        ///< above 1: the key was used before, with another body
  timestamp received_at{};
  std::optional<timestamp> applied_at;
  std::optional<std::int64_t> sequence;
  tracker::provider provider{};
  std::string workspace;
  std::optional<project_ref> project;  ///< the binding's, as it is now
  std::optional<binding_id> binding;
  std::optional<std::string> binding_ref;
  bool binding_created = false;
  tracker::matched_by matched = tracker::matched_by::none;
  bool fallback_used = false;
  std::string counts, warnings, effects;  ///< JSON, as shown
};

struct sync_run {
  run_id id;
  binding_id binding;
  std::optional<snapshot_id> receipt;
  run_trigger cause = run_trigger::snapshot;
  run_status status = run_status::succeeded;
  timestamp started_at{}, finished_at{};
  std::string counts{"{}"};  ///< JSON, as shown
  std::optional<std::string> error_code, error_message;
};

/// A snapshot without a place to land.
struct queue_item {
  queue_id id;
  snapshot_id receipt;
  std::string scope;
  snapshot_route route;
  int issue_count = 0, mapping_count = 0;
  queue_reason reason{};
  queue_state state = queue_state::pending;
  timestamp received_at{};
  std::optional<timestamp> resolved_at;
};

using drift_by_kind = std::map<drift_kind, std::int64_t>;
inline std::int64_t total_of(const drift_by_kind& open) {
  std::int64_t sum = 0;
  for (const auto& [kind, n] : open) sum += n;
  return sum;
}

/// What a binding counts for itself. An absence is a distance between two values of `evidence`, so that what
/// stays away, or stays, costs no write.
struct binding_tally {
  std::int64_t evidence = 0;  ///< snapshots that had issues
  std::optional<timestamp> evidence_at;
  std::optional<snapshot_id> evidence_receipt;
  int failures = 0;  ///< newest sync runs in a row that were refused
  std::int64_t next_ordinal = 0;
  std::int64_t issues = 0, issues_absent = 0, links = 0;
  drift_by_kind drift_open;
  /// Of the last list of issues (digest_of in diff.hpp), while the stored ones are exactly what it said.
  std::optional<std::string> issues_digest;
};

/// A binding with everything that is stored of it.
struct stored_binding : binding {
  binding_tally tally;
};

struct binding_view {
  stored_binding row;
  project_ref project;
  std::vector<resource> resources;
};

/// A link with the issue that it means, if that was ever seen.
struct link_view {
  tracker::link link;
  struct target {
    issue_id id;
    std::optional<std::string> key, url;
    std::string title;
    external_status status{};
    std::optional<external_time> updated_at;
    tracker::presence presence{};
  };
  std::optional<target> issue;
};

struct issue_view {
  tracker::issue issue;
  std::optional<std::vector<sighting>> views;  ///< of a single issue; lists do without
  struct linked {
    link_id id;
    wp_ref wp;
  };
  std::vector<linked> links;
};

}  // namespace connectord::tracker
