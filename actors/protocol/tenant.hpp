#pragma once

#include "actors/protocol/facade.hpp"
#include "actors/protocol/gates.hpp"
#include "actors/protocol/message.hpp"
#include "actors/protocol/projects.hpp"
#include "actors/protocol/store_gate.hpp"
#include "actors/protocol/tenant_work.hpp"
#include "actors/protocol/tracker.hpp"
#include "domain/audit.hpp"
#include "domain/connection.hpp"
#include "domain/delivery.hpp"
#include "domain/grounded_signal.hpp"
#include "domain/provider/verify.hpp"
#include "domain/queries.hpp"
#include "domain/tenant_state.hpp"
#include "domain/traffic.hpp"

#include <map>
#include <variant>

namespace connectord {

// What each command answers. All of them are values: a refusal travels as an error instead.

struct accepted_delivery {
  delivery_id id;
  receipt_id receipt;
  bool deduplicated = false;
};
/// The provider asked for an echo; nothing was stored.
struct challenge_echo {
  std::string challenge;
};
using ingest_outcome = std::variant<accepted_delivery, challenge_echo>;

struct new_webhook_secret {
  secret value;
  std::string provider;
  std::optional<timestamp> previous_valid_until;
};

struct replayed_delivery {
  delivery_id id;
  receipt_id receipt;
  delivery_status status;
};

/// A request whose answer is kept under a key: the same key and body get the same answer again.
/// The answer is rendered inside the transaction that has the effect, so the two cannot part.
struct idempotency {
  std::string scope, key, body_sha256;
};
struct kept_answer {
  int status = 200;
  std::string body;
  std::string location;
};

// Commands, imperative. `now` is when the request was read.

struct ingest_webhook {
  using reply = ingest_outcome;
  std::string provider;
  bool proven = false;  ///< an operator sent it: no proof, and the tenant may be made
  header_list headers;
  std::string body;
  std::optional<connection_id> connection;        ///< X-Connection-Id
  std::shared_ptr<const provider::key_set> keys;  ///< only for proofs by key set
  timestamp now{};
};

struct create_connection {
  using reply = stored_connection;
  new_connection wanted;
  std::optional<secret> webhook_secret;
  timestamp now{};
};

struct patch_connection {
  using reply = stored_connection;
  connection_id id;
  connection_patch patch;
  timestamp now{};
};

struct delete_connection {
  using reply = nothing;
  connection_id id;
  timestamp now{};
};

struct rotate_webhook_secret {
  using reply = new_webhook_secret;
  connection_id id;
  timestamp now{};
};

struct replay_delivery {
  using reply = replayed_delivery;
  delivery_id id;
  std::optional<connection_id> connection;
  timestamp now{};
};

struct patch_grounded {
  using reply = grounded_signal;
  grounded_id id;
  grounded_status status;
  bool names_recommendation = false;
  std::optional<std::string> recommendation;
  timestamp now{};
};

struct delete_grounded {
  using reply = nothing;
  grounded_id id;
  timestamp now{};
};

/// Replaces the whole of it.
struct put_signal_config {
  using reply = signal_config;
  signal_config wanted;
  timestamp now{};
};

using mutation =
    std::variant<ingest_webhook, create_connection, patch_connection, delete_connection,
                 rotate_webhook_secret, replay_delivery, start_oauth, complete_oauth, store_grant,
                 force_refresh, begin_refresh, end_refresh, request_sync, schedule_due, run_job, commit_page,
                 renew_run, end_run, discover_resources, patch_grounded, delete_grounded, put_signal_config,
                 change_projects, change_tracker, change_gates, change_facade>;
using outcome = std::variant<ingest_outcome, stored_connection, nothing, new_webhook_secret,
                             replayed_delivery, kept_answer, started_oauth, refresh_step, queued_sync,
                             claimed_run, page_stored, shared_discovery, grounded_signal, signal_config,
                             project_outcome, tracker_outcome, gate_outcome, facade_outcome>;

/// Writes the answer of a command as it goes over the wire; called inside its transaction.
using renderer = std::function<kept_answer(const outcome&)>;

/// All mutations of a tenant. Answered after COMMIT.
struct tenant_command : message {
  tenant_command(request_meta m, mutation c) : meta(std::move(m)), change(std::move(c)) {}

  request_meta meta;
  mutation change;
  bool provision = false;  ///< an unknown tenant is made first
  std::optional<idempotency> key;
  renderer render;  ///< only with a key
};

struct tenant_outcome : message {
  explicit tenant_outcome(outcome v) : value(std::move(v)) {}
  outcome value;
  bool replayed = false;  ///< `value` is a kept_answer of an earlier request
};

// Reads.

struct read_connections : message {
  explicit read_connections(request_meta m) : meta(std::move(m)) {}
  request_meta meta;
};
struct connection_list : message {
  connection_list() = default;
  std::vector<connection> rows;                 ///< of every status, oldest first
  std::map<connection_id, job_status> syncing;  ///< those with a job: queued or running
};

struct list_signals {
  signal_filter filter;
  page at;
  signal_extra with = signal_extra::none;
};
struct list_deliveries {
  delivery_filter filter;
  page at;
};
struct list_jobs {
  job_filter filter;
  page at;
};
struct list_audit {
  audit_filter filter;
  page at;
};
/// The value of the answer is a day_of_traffic.
struct get_traffic {
  connection_id connection;
  timestamp until{};
};
struct get_signal {
  signal_id id;
};
struct get_delivery {
  delivery_id id;
};
struct get_job {
  job_id id;
};
struct list_grounded {
  grounded_filter filter;
  page at;
  std::int64_t offset = 0;  ///< only without a position
};
struct grounded_page {
  rows_page<grounded_signal> listed;
  std::int64_t total = 0;  ///< of the whole list
};
struct get_grounded {
  grounded_id id;
};
struct get_signal_config {};
struct ping {};
using row_query = std::variant<list_signals, list_deliveries, list_jobs, list_audit, get_traffic, get_signal,
                               get_delivery, get_job, list_grounded, get_grounded, get_signal_config,
                               project_query, tracker_query, gate_query, facade_query, ping>;

/// A delivery with the signals that it stands for.
struct delivery_detail {
  delivery row;
  std::vector<signal_id> signals;
};

/// Unbounded listings and single rows: admitted by the tenant, answered by the store. The value of
/// the answer is a rows_page<signal | delivery | job | audit_row>, a grounded_page, a signal_config, or a
/// row; of a family of the tracker, what the query says.
struct list_rows : message {
  list_rows(request_meta m, row_query q) : meta(std::move(m)), query(std::move(q)) {}
  request_meta meta;
  row_query query;
};

/// Finish what is in flight, write a snapshot, end. The directory holds back what comes meanwhile.
struct passivate : message {};

using tenant_actor = typed_actor<replies<tenant_command, tenant_outcome>,     // Waits its turn, then commits.
                                 replies<read_connections, connection_list>,  // From memory.
                                 replies<list_rows, db_answer>,               // Delegated to the store.
                                 accepts<passivate>>;

}  // namespace connectord
