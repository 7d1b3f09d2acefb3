#include "http/app.hpp"

#include "http/problem.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

namespace connectord::web {

result<> serving(const app& a) {
  if (a.migrated) return {};
  return error{errc::service_unavailable, "The store waits for its migrations."}.retry_in(5);
}

namespace {

/// Whoever has no credential of its own came with a webhook's proof.
std::string caller_of(const request& r) {
  if (!r.who) return "webhook";
  if (!r.who->session_of.empty()) return "session:" + r.who->session_of;
  return r.who->token ? "token:" + r.who->token->str() : "operator";
}

}  // namespace

result<request_meta> admitted(app& a, const request& r, const tenant_id& t, std::uint64_t fingerprint) {
  if (const auto ok = serving(a); !ok) return ok.error();
  auto right = a.permits.take(t);
  if (!right) {
    a.meters.permits_refused({"tenant"}).Increment();
    return error{errc::rate_limited}.retry_in(1);
  }
  return request_meta{r.trace_id, r.deadline, fingerprint, std::move(*right), caller_of(r)};
}

request_meta unlimited(const request& r) { return {r.trace_id, r.deadline, 0, {}, caller_of(r)}; }

asio::awaitable<result<tenant_outcome>> command(app& a, request& r, const tenant_id& t, tenant_command c) {
  const to_tenant m{t, std::move(c)};
  co_return co_await ask(a.via, a.directory.get(), m, r.deadline);
}

error unless_late(const request& r, error e) {
  if (e.code() != errc::service_unavailable || std::chrono::steady_clock::now() < r.deadline) return e;
  return error{errc::commit_in_doubt};
}

asio::awaitable<result<db_answer>> rows(app& a, request& r, row_query q) {
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return meta.error();
  const rows_of_tenant m{r.tenant(), list_rows{std::move(*meta), std::move(q)}};
  co_return co_await ask(a.via, a.directory.get(), m, r.deadline);
}

asio::awaitable<result<connection_list>> connections(app& a, request& r) {
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return meta.error();
  const connections_of_tenant m{r.tenant(), read_connections{std::move(*meta)}};
  auto answer = co_await ask(a.via, a.directory.get(), m, r.deadline);
  if (answer) co_return std::move(*answer);
  if (answer.error().code() == errc::tenant_not_found) co_return connection_list{};
  co_return answer.error();
}

void write_connection(json_writer& w, const app& a, const stored_connection& c) {
  const auto* definition = a.catalog.find(c.row.provider);
  write(w, c.row, c.job, a.facts.default_sync_interval, definition != nullptr && definition->sync);
}

namespace {

constexpr seconds token_patience{5}, last_use_resolution{60};

asio::awaitable<result<db_answer>> ask_of_itself(app& a, registry_request what) {
  const request_meta meta{{}, std::chrono::steady_clock::now() + token_patience, 0, {}};
  const registry_command m{meta, std::move(what)};
  co_return co_await ask(a.via, a.registry.get(), m, meta.deadline);
}

/// The last use is coarse, and nobody waits for it to be written.
bool stale_use(const tenant_token& t, timestamp now) {
  return !t.revoked_at && (!t.last_used_at || now - *t.last_used_at > last_use_resolution);
}

asio::awaitable<void> note_use(app& a, touch_token use) { co_await ask_of_itself(a, std::move(use)); }

}  // namespace

asio::awaitable<result<tenant_token>> find_bearer(app& a, std::string sha256_hex) {
  if (const auto ok = serving(a); !ok) co_return ok.error();
  const auto now = now_utc();
  auto row = co_await ask_of_itself(a, find_token{std::move(sha256_hex), now});
  if (!row) co_return row.error();
  auto token = row->get<tenant_token>();
  if (stale_use(token, now))
    asio::co_spawn(co_await asio::this_coro::executor, note_use(a, touch_token{token.tenant, token.id, now}),
                   asio::detached);
  co_return token;
}

asio::awaitable<result<team_standing>> find_named_team(app& a, team_key named) {
  if (const auto ok = serving(a); !ok) co_return ok.error();
  const auto now = now_utc();
  auto answer = co_await ask_of_itself(a, find_team{std::move(named), a.facts.tracker.flag_default});
  if (!answer) co_return answer.error();
  auto found = answer->get<team_standing>();
  if (found.token && stale_use(*found.token, now))
    asio::co_spawn(co_await asio::this_coro::executor,
                   note_use(a, touch_token{found.token->tenant, found.token->id, now}), asio::detached);
  co_return found;
}

cursor_scope cursor_scope_of(const request& r, std::string_view filters) {
  const bool tenantless = !r.who || !r.who->tenant;
  return {r.route->path, tenantless ? std::string_view{} : r.who->tenant->text(), filters};
}

page page_of(app& a, const request& r, query_reader& q, std::string_view filters) {
  page p;
  p.limit = q.limit();
  const auto cursor = q.text("cursor");
  if (!cursor) return p;
  const auto at = a.cursors.decode(*cursor, cursor_scope_of(r, filters));
  const auto* pair = at ? at->if_array() : nullptr;
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_int64() || !(*pair)[1].is_string())
    q.refuse("cursor", "is not a cursor of this list");
  else
    p.after = position{(*pair)[0].as_int64(), std::string{(*pair)[1].as_string()}};
  return p;
}

std::optional<std::string> next_cursor(app& a, const request& r, std::string_view filters,
                                       const std::optional<position>& last) {
  if (!last) return std::nullopt;
  return a.cursors.encode(json::array{last->sort, json::string{last->id}}, cursor_scope_of(r, filters));
}

std::optional<std::string> provider_of(app& a, query_reader& q) {
  auto slug = q.text("provider");
  if (slug && a.catalog.find(*slug) == nullptr) q.refuse("provider", "is not a known provider");
  return slug;
}

result<std::optional<idempotency>> idempotency_of(const request& r, const json::object& body) {
  const auto sent = r.header("idempotency-key");
  if (!sent) return std::optional<idempotency>{};
  auto key = *sent;
  const bool quoted = key.size() >= 2 && key.front() == '"' && key.back() == '"';
  if (quoted) key = key.substr(1, key.size() - 2);
  const bool visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 127 && c != '"'; });
  if (key.empty() || key.size() > 255 || !visible || r.head.count("idempotency-key") > 1)
    return invalid("Idempotency-Key", "must be 1 to 255 visible characters");
  const auto caller = r.who->tenant ? r.who->tenant->str() : std::string{"operator"};
  return std::optional{
      idempotency{caller + " " + std::string{text_of(r.method)} + " " + std::string{r.head.target},
                  std::string{key}, to_hex(bytes_of(sha256(canonical_json(body))))}};
}

response refuse(const error& e, const request& r) { return problem(e, r); }

std::vector<route> all_routes(app* a) {
  std::vector<route> table;
  add_service_routes(table, a);
  add_connection_routes(table, a);
  add_discovery_routes(table, a);
  add_webhook_routes(table, a);
  add_delivery_routes(table, a);
  add_oauth_routes(table, a);
  add_sync_routes(table, a);
  add_signal_routes(table, a);
  add_grounded_routes(table, a);
  add_tenant_routes(table, a);
  add_ops_routes(table, a);
  add_flag_routes(table, a);
  add_dashboard_door_routes(table, a);
  add_dashboard_connector_routes(table, a);
  add_dashboard_connection_routes(table, a);
  add_dashboard_binding_routes(table, a);
  add_dashboard_queue_routes(table, a);
  add_dashboard_bind_routes(table, a);
  add_dashboard_discovery_routes(table, a);
  add_dashboard_project_routes(table, a);
  add_dashboard_work_package_routes(table, a);
  add_dashboard_activity_routes(table, a);
  add_dashboard_event_routes(table, a);
  add_snapshot_routes(table, a);
  add_binding_routes(table, a);
  add_link_routes(table, a);
  add_queue_routes(table, a);
  add_project_routes(table, a);
  add_activity_routes(table, a);
  add_event_routes(table, a);
  add_gate_routes(table, a);
  add_facade_routes(table, a);
  add_facade_bind_routes(table, a);
  return table;
}

}  // namespace connectord::web
