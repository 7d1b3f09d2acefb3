#pragma once

#include "actors/protocol/store_gate.hpp"
#include "actors/protocol/tenant.hpp"
#include "domain/dashboard.hpp"
#include "domain/queries.hpp"
#include "domain/tenant.hpp"

#include <variant>

/// The tenant directory as a table: rows and credentials that exist before any tenant actor does.
namespace connectord {

struct create_tenant {
  tenant row;
  std::optional<idempotency> key;
  std::function<kept_answer(const tenant&)> render;  ///< only with a key
  std::chrono::hours kept_for{24};
};
struct patch_tenant {
  tenant_id id;
  std::optional<std::string> name;
  bool names_slug = false;
  std::optional<std::string> slug;
  std::optional<std::string> metadata;
  timestamp now{};
};
struct delete_tenant {
  tenant_id id;
  timestamp now{};
};
struct get_tenant {
  tenant_id id;
};
struct list_tenants {
  tenant_filter filter;
  page at;
};
/// Suspends or resumes; durable. The tenant's actors end after their current turn.
struct set_tenant_status {
  tenant_id id;
  tenant_status status;
  timestamp now{};
};
struct restart_tenant {
  tenant_id id;
  timestamp now{};
};
/// The work that waits for one tenant each.
struct tenant_workload {
  tenant row;
  std::int64_t connections = 0, queued_jobs = 0, running_jobs = 0, unprocessed_deliveries = 0;
};
struct list_workloads {
  page at;
};
struct get_workload {
  tenant_id id;
};
struct create_token {
  tenant_token row;
  std::string secret_sha256;  ///< hex
};
struct list_tokens {
  tenant_id tenant;
};
struct revoke_token {
  tenant_id tenant;
  token_id id;
  timestamp now{};
};
/// Who a bearer token belongs to; UNAUTHORIZED when unknown, expired or revoked.
struct find_token {
  std::string secret_sha256;
  timestamp now{};
};

/// Whose request it is; UNAUTHORIZED for an unknown token, TENANT_NOT_FOUND for an unknown id or slug.
struct find_team {
  team_key named;
  bool tracker_default = false;  ///< of the flag, where none is stored
};

/// Whose gate it is; NOT_FOUND.
struct find_gate {
  tracker::gate_id id;
};

/// Notes when a token was last used.
struct touch_token {
  tenant_id tenant;
  token_id id;
  timestamp now{};
};
/// A consent comes back: of several callers one gets a valid state, and its row.
struct spend_state {
  std::string sha256;  ///< hex
  std::string provider;
  timestamp now{};
};
struct spent_state {
  oauth::state_verdict verdict = oauth::state_verdict::unknown;
  std::optional<oauth::state> row;  ///< present exactly when it is valid
};
/// Secrets of the dashboard travel as the hex SHA-256 of their text.
struct open_door {
  dashboard_door row;
  std::string secret_sha256;
  timestamp now{};
};
/// Of several callers one gets the session; NOT_FOUND for the others.
struct enter_door {
  std::string secret_sha256, session_sha256;
  timestamp now{};
};
struct entered {
  dashboard_session session;
  std::string return_path;
};
struct open_session {
  dashboard_session row;
  std::string secret_sha256;
};
/// UNAUTHORIZED once it has ended.
struct find_session {
  std::string secret_sha256;
  bool tracker_default = false;  ///< of the flag, where none is stored
  timestamp now{};
};
/// A session, and the team whose pages it shows.
struct known_session {
  dashboard_session session;
  team_standing team;
};
/// Notes that it is in use: it ends when nobody has done so for a while.
struct touch_session {
  std::string secret_sha256;
  timestamp now{};
};
struct close_session {
  std::string secret_sha256;
};
/// Whether the store answers, and has the schema that this binary knows.
struct check_store {};
struct store_health {
  bool migrated = false;
};

using registry_request =
    std::variant<check_store, create_tenant, patch_tenant, delete_tenant, get_tenant, list_tenants,
                 set_tenant_status, restart_tenant, list_workloads, get_workload, create_token, list_tokens,
                 revoke_token, find_token, find_team, find_gate, touch_token, spend_state, open_door,
                 enter_door, open_session, find_session, touch_session, close_session>;

struct registry_command : message {
  registry_command(request_meta m, registry_request r) : meta(std::move(m)), request(std::move(r)) {}
  request_meta meta;
  registry_request request;
};

/// `created` answers create_tenant: a new row, or the answer kept under its key.
struct created_tenant {
  tenant row;
  std::optional<kept_answer> kept;
};
struct changed_tenant {
  bool changed = false;
};

/// The answer's value: store_health, created_tenant, tenant, changed_tenant, rows_page<tenant |
/// tenant_workload>, tenant_workload, std::vector<tenant_token>, tenant_token, team_standing, tracker::gate,
/// spent_state, entered, known_session, or nothing.
using registry_actor = typed_actor<replies<registry_command, db_answer>>;

}  // namespace connectord
