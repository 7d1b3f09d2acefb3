#pragma once

#include "actors/protocol/message.hpp"
#include "domain/queries.hpp"
#include "domain/tracker/diff.hpp"
#include "domain/tracker/health.hpp"
#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a tenant is told about its bindings and what snapshots bring. Each command says which answer it gets
/// and, for the audit log, what it is called; each query says what its answer holds.
namespace connectord {

struct change_tracker;
struct tracker_query;

// ---- snapshots

/// The inflated bytes of a body.
using snapshot_bytes = std::shared_ptr<const std::string>;

/// A body that was read, with what its issues are compared by.
struct parsed_snapshot {
  std::string packed;  ///< the body as it came, compressed
  std::string raw_sha256;
  tracker::snapshot_body body;
  std::vector<tracker::content_mark> marks;  ///< of body.issues, one each
  std::string issues_digest;                 ///< of all of them
};

/// Reads a body, off the io thread and before any transaction.
struct read_body : message {
  read_body(snapshot_bytes b, std::string sha256) : bytes(std::move(b)), raw_sha256(std::move(sha256)) {}
  snapshot_bytes bytes;
  std::string raw_sha256;
};
struct body_read : message {
  using reading =
      std::variant<parsed_snapshot, tracker::refused_body, tracker::oversized_body, tracker::unreadable_body>;
  explicit body_read(std::shared_ptr<const reading> r) : value(std::move(r)) {}
  std::shared_ptr<const reading> value;
};
using snapshot_reader_actor = typed_actor<replies<read_body, body_read>>;  // One at a time.

/// A receipt, and whether it was there before.
struct snapshot_outcome {
  tracker::receipt receipt;
  bool replayed = false;
};
struct ingest_snapshot {
  using family = change_tracker;
  using reply = snapshot_outcome;
  static constexpr std::string_view audited_as{};  // receipts are its history
  std::string key;
  std::shared_ptr<const parsed_snapshot> snapshot;
  timestamp turn_by{};  ///< BUSY when its turn comes later
};
/// A refused body whose route is known: a sync run of the binding that it would have hit.
struct note_rejected {
  using family = change_tracker;
  using reply = std::monostate;
  static constexpr std::string_view audited_as{};
  tracker::snapshot_route route;
  std::string code, message;
};

// ---- bindings

struct new_resource {
  std::string type, id;
};
struct create_binding {
  using family = change_tracker;
  using reply = tracker::binding_view;
  static constexpr std::string_view audited_as = "tracker_binding.create";
  tracker::binding_id id = tracker::binding_id::make();
  uuid project;  ///< its id, or its project_uuid
  tracker::provider provider{};
  std::string workspace;
  std::optional<std::string> display_label;
  std::optional<tracker::doctrine> doctrine;
  std::vector<new_resource> resources;
};
struct patch_binding {
  using family = change_tracker;
  using reply = tracker::binding_view;
  static constexpr std::string_view audited_as = "tracker_binding.patch";
  tracker::binding_id id;
  std::optional<std::string> display_label;
  std::optional<tracker::binding_state> state;  ///< active or disabled
  std::optional<tracker::doctrine> doctrine;    ///< becomes manual
  bool follows_snapshots = false;               ///< back to what the last one reported
};
struct delete_binding {
  using family = change_tracker;
  using reply = std::monostate;
  static constexpr std::string_view audited_as = "tracker_binding.delete";
  tracker::binding_id id;
};

struct create_resource {
  using family = change_tracker;
  using reply = tracker::resource;
  static constexpr std::string_view audited_as = "tracker_resource.create";
  tracker::resource_id id = tracker::resource_id::make();
  tracker::binding_id binding;
  new_resource wanted;
};
struct patch_resource {
  using family = change_tracker;
  using reply = tracker::resource;
  static constexpr std::string_view audited_as = "tracker_resource.patch";
  tracker::resource_id id;
  tracker::binding_id binding;
  tracker::binding_state state{};  ///< active or disabled
};
struct delete_resource {
  using family = change_tracker;
  using reply = std::monostate;
  static constexpr std::string_view audited_as = "tracker_resource.delete";
  tracker::resource_id id;
  tracker::binding_id binding;
};

// ---- links

struct create_link {
  using family = change_tracker;
  using reply = tracker::link_view;
  static constexpr std::string_view audited_as = "tracker_mapping.create";
  tracker::link_id id = tracker::link_id::make();
  tracker::binding_id binding;
  tracker::wp_ref wp;
  std::optional<std::string> workspace;  ///< the binding's own when absent
  std::string external_id;
  std::optional<std::string> external_key, external_url;
};
struct patch_link {
  using family = change_tracker;
  using reply = tracker::link_view;
  static constexpr std::string_view audited_as = "tracker_mapping.patch";
  /// A member that was sent, be it null.
  using given = std::optional<std::optional<std::string>>;
  tracker::link_id id;
  given mission, external_key, external_url;
  std::optional<std::string> external_id;
};
struct delete_link {
  using family = change_tracker;
  using reply = std::monostate;
  static constexpr std::string_view audited_as = "tracker_mapping.delete";
  tracker::link_id id;
};

// ---- queue

struct queue_resolution {
  tracker::queue_item item;
  tracker::binding_view binding;
  tracker::receipt receipt;
};
struct resolve_queue_item {
  using family = change_tracker;
  using reply = queue_resolution;
  static constexpr std::string_view audited_as = "tracker_queue.resolve";
  tracker::queue_id id;
  uuid project;  ///< its id, or its project_uuid
  bool create_resource = true;
};
struct dismiss_queue_item {
  using family = change_tracker;
  using reply = tracker::queue_item;
  static constexpr std::string_view audited_as = "tracker_queue.dismiss";
  tracker::queue_id id;
};

/// From the sweep: bindings that have become older.
struct check_bindings {
  using family = change_tracker;
  using reply = std::monostate;
  static constexpr std::string_view audited_as{};
};

using tracker_command =
    std::variant<ingest_snapshot, note_rejected, create_binding, patch_binding, delete_binding,
                 create_resource, patch_resource, delete_resource, create_link, patch_link, delete_link,
                 resolve_queue_item, dismiss_queue_item, check_bindings>;
using tracker_outcome =
    std::variant<std::monostate, snapshot_outcome, tracker::binding_view, tracker::resource,
                 tracker::link_view, tracker::queue_item, queue_resolution>;

/// The mutation that they make together.
struct change_tracker {
  using reply = tracker_outcome;
  tracker_command what;
  tracker::actor_ref by;
  timestamp now{};
};

// ---- reads

/// Whether these bytes came before, under this key. Also hashes them, off the io thread.
struct find_seen {
  using family = tracker_query;
  struct answer {
    std::string raw_sha256;
    std::optional<tracker::receipt> receipt;
  };
  std::string key;
  snapshot_bytes bytes;
};
struct list_receipts {
  using family = tracker_query;
  using answer = rows_page<tracker::receipt>;
  tracker::receipt_filter filter;
  keyset at;
};
struct get_receipt {
  using family = tracker_query;
  using answer = tracker::receipt;
  tracker::snapshot_id id;
};

struct list_bindings {
  using family = tracker_query;
  using answer = rows_page<tracker::binding_view>;
  tracker::binding_filter filter;
  keyset at;
};
struct get_binding {
  using family = tracker_query;
  using answer = tracker::binding_view;
  tracker::binding_id id;
};
/// A binding with its health as it is now.
struct binding_health {
  using family = tracker_query;
  struct answer {
    tracker::binding_view binding;
    tracker::health_report report;
    std::optional<tracker::sync_run> last_run;
    timestamp checked_at{};
    std::int64_t disagreeing = 0;  ///< issues whose views show different statuses
  };
  tracker::binding_id id;
};
struct list_runs {
  using family = tracker_query;
  using answer = rows_page<tracker::sync_run>;
  tracker::binding_id binding;
  keyset at;
};
struct list_resources {
  using family = tracker_query;
  using answer = rows_page<tracker::resource>;
  tracker::binding_id binding;
  keyset at;
};

struct list_links {
  using family = tracker_query;
  using answer = rows_page<tracker::link_view>;
  tracker::link_filter filter;
  keyset at;
};
struct get_link {
  using family = tracker_query;
  using answer = tracker::link_view;
  tracker::link_id id;
};
struct list_drift {
  using family = tracker_query;
  using answer = rows_page<tracker::drift_record>;
  tracker::drift_filter filter;
  keyset at;
};
struct get_drift {
  using family = tracker_query;
  using answer = tracker::drift_record;
  tracker::drift_id id;
};
struct list_queue {
  using family = tracker_query;
  using answer = rows_page<tracker::queue_item>;
  tracker::queue_filter filter;
  keyset at;
};
struct get_queue_item {
  using family = tracker_query;
  using answer = tracker::queue_item;
  tracker::queue_id id;
};
struct list_issues {
  using family = tracker_query;
  using answer = rows_page<tracker::issue_view>;
  tracker::issue_filter filter;
  keyset at;
  bool with_body = false;
};
struct get_issue {
  using family = tracker_query;
  using answer = tracker::issue_view;
  tracker::issue_id id;
};

/// The row query that they make together.
struct tracker_query {
  std::variant<find_seen, list_receipts, get_receipt, list_bindings, get_binding, binding_health, list_runs,
               list_resources, list_links, get_link, list_drift, get_drift, list_queue, get_queue_item,
               list_issues, get_issue>
      what;
  tracker::policy rules{};
  timestamp now{};
};

}  // namespace connectord
