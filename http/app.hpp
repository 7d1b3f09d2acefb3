#pragma once

#include "actors/protocol/directory.hpp"
#include "actors/protocol/inbox.hpp"
#include "actors/protocol/ops.hpp"
#include "actors/protocol/registry.hpp"
#include "actors/protocol/whereabouts.hpp"
#include "actors/protocol/work.hpp"
#include "base/ip_network.hpp"
#include "base/metrics.hpp"
#include "domain/provider/catalog.hpp"
#include "http/ask.hpp"
#include "http/auth.hpp"
#include "http/cursor.hpp"
#include "http/feed_bells.hpp"
#include "http/limiter.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "http/router.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace connectord::web {

class key_sets;

/// What a deployment says about one provider.
struct provider_facts {
  bool configured = false, webhook_secret_configured = false;
  std::vector<std::string> scopes;
  std::size_t webhook_body_limit = 0;  ///< bytes
  std::string key_set_url;             ///< empty unless deliveries are proven by its keys
};

struct retry_policy {
  std::int64_t base_seconds = 5, max_seconds = 900;
  double jitter = 0.1;
};

/// Settings that show on the wire.
struct app_facts {
  std::string profile, database, public_base_url;
  bool metrics_public = false, auto_provision = true;
  std::size_t webhook_body_limit = 1 << 20;
  std::int64_t default_sync_interval = 900;
  std::chrono::hours idempotency{24};
  seconds oauth_patience{120};  ///< for requests that wait for a provider
  std::map<std::string, provider_facts, std::less<>> providers;
  retry_policy retries;
  std::map<std::string, retry_policy> retry_overrides;
  std::vector<ip_network> trusted_proxies;
  rate_limiter::limits webhook_limits;
  int permits_per_tenant = 512;
  tracker::policy tracker;
};

/// What the routes work with: facts, and the doors to the actors.
struct app {
  app_facts facts;
  const provider::catalog& catalog;
  metrics& meters;
  std::function<void()> measure;  ///< brings gauges up to date before a scrape
  bridge_ptr via;
  const whereabouts<directory_actor>& directory;
  const whereabouts<registry_actor>& registry;
  const whereabouts<inbox_actor>& inbox;
  const whereabouts<ops_actor>& ops;
  const whereabouts<ticker_actor>& scheduler;
  const whereabouts<snapshot_reader_actor>& snapshots;
  cursor_codec cursors;
  rate_limiter limiter;
  rate_limiter logins{{.per_minute = 20, .burst = 10}};   ///< by client
  rate_limiter gates{{.per_minute = 300, .burst = 300}};  ///< by gate
  permit_pool<tenant_id> permits;
  const authenticator* auth = nullptr;
  feed_bells* bells = nullptr;  ///< for streams of the feed
  key_sets* keys = nullptr;     ///< for proofs by key set
  std::function<bool()> draining = [] { return false; };
  const router* routes = nullptr;
  std::string openapi;                                                         ///< the document, made once
  bool migrated = true;                                                        ///< as /readyz saw it last
  const std::map<std::string, oauth::client, std::less<>>* clients = nullptr;  ///< by slug
};

/// SERVICE_UNAVAILABLE until the store has the schema of this binary.
result<> serving(const app& a);
/// What travels with a command. RATE_LIMITED when the tenant has too many in flight.
result<request_meta> admitted(app& a, const request& r, const tenant_id& t, std::uint64_t fingerprint = 0);
request_meta unlimited(const request& r);

/// A mutation of a tenant; the alternative of `outcome` that its command promises, or a kept answer.
asio::awaitable<result<tenant_outcome>> command(app& a, request& r, const tenant_id& t, tenant_command c);

template <class Command>
asio::awaitable<result<typename Command::reply>> command(app& a, request& r, Command what) {
  const auto t = r.tenant();
  auto meta = admitted(a, r, t);
  if (!meta) co_return meta.error();
  tenant_command c{std::move(*meta), mutation{std::move(what)}};
  c.provision = r.who->is_operator && a.facts.auto_provision;
  auto answered = co_await command(a, r, t, std::move(c));
  if (!answered) co_return answered.error();
  co_return std::get<typename Command::reply>(std::move(answered->value));
}

/// Once the deadline has passed nobody knows whether a command will still be committed.
error unless_late(const request& r, error e);

/// Rows of a tenant; TENANT_NOT_FOUND when it is unknown.
asio::awaitable<result<db_answer>> rows(app& a, request& r, row_query q);
/// The same for lists: an unknown tenant has none. The page is the store's own: nothing is copied.
template <class Row>
using shared_page = std::shared_ptr<const rows_page<Row>>;
template <class Row>
asio::awaitable<result<shared_page<Row>>> list(app& a, request& r, row_query q) {
  auto answer = co_await rows(a, r, std::move(q));
  if (answer) co_return answer->value.template share<rows_page<Row>>();
  if (answer.error().code() == errc::tenant_not_found) co_return std::make_shared<const rows_page<Row>>();
  co_return answer.error();
}
/// The same for one row: of an unknown tenant it is NOT_FOUND.
template <class Row>
asio::awaitable<result<Row>> row(app& a, request& r, row_query q) {
  auto answer = co_await rows(a, r, std::move(q));
  if (answer) co_return answer->template get<Row>();
  if (answer.error().code() == errc::tenant_not_found) co_return error{errc::not_found};
  co_return answer.error();
}
asio::awaitable<result<connection_list>> connections(app& a, request& r);
/// A connection as callers see it.
void write_connection(json_writer& w, const app& a, const stored_connection& c);

template <class T>
asio::awaitable<result<T>> ask_registry(app& a, request& r, registry_request what) {
  if (const auto ok = serving(a); !ok && !std::holds_alternative<check_store>(what)) co_return ok.error();
  const registry_command m{unlimited(r), std::move(what)};
  auto answer = co_await ask(a.via, a.registry.get(), m, r.deadline);
  if (!answer) co_return answer.error();
  if constexpr (std::is_same_v<T, nothing>)
    co_return nothing{};
  else
    co_return answer->template get<T>();
}

/// The row of a tenant token by the SHA-256 of its text, in hex.
asio::awaitable<result<tenant_token>> find_bearer(app& a, std::string sha256_hex);
/// The team that a token, an id or a slug names.
asio::awaitable<result<team_standing>> find_named_team(app& a, team_key named);

// ---- parameters

/// VALIDATION_FAILED with `details[name]` for what is no UUID.
template <class Id>
result<Id> path_id(const request& r, std::string_view name) {
  const auto id = Id::parse(r.param(name));
  if (!id) return invalid(name, "must be a UUID");
  return *id;
}

/// Where a page starts. `filters` is what the cursor is bound to beside route and tenant.
class query_reader;
page page_of(app& a, const request& r, query_reader& q, std::string_view filters);
std::optional<std::string> next_cursor(app& a, const request& r, std::string_view filters,
                                       const std::optional<position>& last);
/// What a cursor of this request is good for.
cursor_scope cursor_scope_of(const request& r, std::string_view filters);
std::optional<std::string> provider_of(app& a, query_reader& q);
/// The value of the header Idempotency-Key, quoted or bare, bound to caller, route and body.
result<std::optional<idempotency>> idempotency_of(const request& r, const json::object& body);

/// An error as the answer that the server writes.
response refuse(const error& e, const request& r);

// ---- the table

std::vector<route> all_routes(app* a);
void add_service_routes(std::vector<route>& table, app* a);
void add_tenant_routes(std::vector<route>& table, app* a);
void add_connection_routes(std::vector<route>& table, app* a);
void add_discovery_routes(std::vector<route>& table, app* a);
void add_webhook_routes(std::vector<route>& table, app* a);
void add_delivery_routes(std::vector<route>& table, app* a);
void add_signal_routes(std::vector<route>& table, app* a);
void add_grounded_routes(std::vector<route>& table, app* a);
void add_oauth_routes(std::vector<route>& table, app* a);
void add_sync_routes(std::vector<route>& table, app* a);
void add_ops_routes(std::vector<route>& table, app* a);
void add_flag_routes(std::vector<route>& table, app* a);
void add_dashboard_door_routes(std::vector<route>& table, app* a);
void add_dashboard_connector_routes(std::vector<route>& table, app* a);
void add_dashboard_connection_routes(std::vector<route>& table, app* a);
void add_dashboard_binding_routes(std::vector<route>& table, app* a);
void add_dashboard_queue_routes(std::vector<route>& table, app* a);
void add_dashboard_bind_routes(std::vector<route>& table, app* a);
void add_dashboard_discovery_routes(std::vector<route>& table, app* a);
void add_dashboard_project_routes(std::vector<route>& table, app* a);
void add_dashboard_work_package_routes(std::vector<route>& table, app* a);
void add_dashboard_activity_routes(std::vector<route>& table, app* a);
void add_dashboard_event_routes(std::vector<route>& table, app* a);
void add_snapshot_routes(std::vector<route>& table, app* a);
void add_binding_routes(std::vector<route>& table, app* a);
void add_link_routes(std::vector<route>& table, app* a);
void add_queue_routes(std::vector<route>& table, app* a);
void add_project_routes(std::vector<route>& table, app* a);
void add_activity_routes(std::vector<route>& table, app* a);
void add_event_routes(std::vector<route>& table, app* a);
void add_gate_routes(std::vector<route>& table, app* a);
void add_facade_routes(std::vector<route>& table, app* a);
void add_facade_bind_routes(std::vector<route>& table, app* a);

inline constexpr std::string_view service_version = CONNECTORD_VERSION;

}  // namespace connectord::web
