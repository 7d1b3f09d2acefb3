#include "http/app.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

/// The operators' view: the supervision tree, tenants and their health, deliveries that nobody owns.
namespace connectord::web {
namespace {

asio::awaitable<response> actors(app& a, request& r) {
  query_reader q{r.query};
  read_tree m;
  m.tenant = q.id_of<tenant_id>("tenant");
  m.kind = q.one_of("kind", {"system", "http", "scheduler", "tenant", "connection", "sync", "refresh",
                             "inbox", "engine", "notifier"});
  const auto bound = q.bound_to({"tenant", "kind"});
  const auto at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  m.limit = at.limit;
  if (at.after) m.after = at.after->id;
  const auto tree = co_await ask(a.via, a.ops.get(), m, r.deadline);
  if (!tree) co_return refuse(tree.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("actors").open_array();
  for (const auto& v : tree->rows) write(w, v);
  w.close_array();
  const auto last = tree->more ? std::optional{position{0, tree->rows.back().id}} : std::nullopt;
  w.member("next_cursor", next_cursor(a, r, bound, last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<result<std::vector<tenant_health>>> health_of(app& a, request& r,
                                                              std::vector<tenant_id> ids) {
  const describe_tenants m{std::move(ids)};
  auto answer = co_await ask(a.via, a.directory.get(), m, r.deadline);
  if (!answer) co_return answer.error();
  co_return std::move(answer->rows);
}

asio::awaitable<response> tenants(app& a, request& r) {
  query_reader q{r.query};
  const auto at = page_of(a, r, q, "");
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto page = co_await ask_registry<rows_page<tenant_workload>>(a, r, list_workloads{at});
  if (!page) co_return refuse(page.error(), r);
  std::vector<tenant_id> ids;
  for (const auto& w : page->rows) ids.push_back(w.row.id);
  const auto health = co_await health_of(a, r, std::move(ids));
  if (!health) co_return refuse(health.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("tenants").open_array();
  for (std::size_t i = 0; i < page->rows.size(); ++i) write(w, page->rows[i], (*health)[i]);
  w.close_array();
  std::optional<position> last;
  if (page->more)
    last = position{to_millis(page->rows.back().row.created_at), page->rows.back().row.id.str()};
  w.member("next_cursor", next_cursor(a, r, "", last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> steer(app& a, request& r, registry_request what, tenant_id id) {
  const auto changed = co_await ask_registry<changed_tenant>(a, r, std::move(what));
  if (!changed) co_return refuse(changed.error(), r);
  const auto now = co_await ask_registry<tenant_workload>(a, r, get_workload{id});
  if (!now) co_return refuse(now.error(), r);
  const auto health = co_await health_of(a, r, std::vector<tenant_id>{id});
  if (!health) co_return refuse(health.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("tenant");
  write(w, *now, health->front());
  w.member("changed", changed->changed).close();
  co_return response::json(200, std::move(body));
}

/// An id that is no UUID names no tenant either.
result<tenant_id> named(const request& r) {
  const auto id = tenant_id::parse(r.param("id"));
  if (!id) return error{errc::tenant_not_found}.with("tenant_id", json::string{r.param("id").substr(0, 64)});
  return *id;
}

asio::awaitable<response> suspend(app& a, request& r) {
  const auto id = named(r);
  if (!id) co_return refuse(id.error(), r);
  co_return co_await steer(a, r, set_tenant_status{*id, tenant_status::suspended, r.received_at}, *id);
}
asio::awaitable<response> resume(app& a, request& r) {
  const auto id = named(r);
  if (!id) co_return refuse(id.error(), r);
  co_return co_await steer(a, r, set_tenant_status{*id, tenant_status::active, r.received_at}, *id);
}
asio::awaitable<response> restart(app& a, request& r) {
  const auto id = named(r);
  if (!id) co_return refuse(id.error(), r);
  co_return co_await steer(a, r, restart_tenant{*id, r.received_at}, *id);
}

asio::awaitable<response> unrouted(app& a, request& r) {
  if (const auto ok = serving(a); !ok) co_return refuse(ok.error(), r);
  query_reader q{r.query};
  unrouted_filter f{provider_of(a, q), q.time("received_after")};
  const auto bound = q.bound_to({"provider", "received_after"});
  const auto at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const list_unrouted m{unlimited(r), std::move(f), at};
  const auto answer = co_await ask(a.via, a.inbox.get(), m, r.deadline);
  if (!answer) co_return refuse(answer.error(), r);
  const auto& page = answer->get<rows_page<unrouted_delivery>>();
  std::string body;
  json_writer w{body};
  w.open().key("unrouted").open_array();
  for (const auto& u : page.rows) write(w, u);
  w.close_array();
  std::optional<position> last;
  if (page.more) last = position{to_millis(page.rows.back().received_at), page.rows.back().id.str()};
  w.member("next_cursor", next_cursor(a, r, bound, last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> route_again(app& a, request& r) {
  if (const auto ok = serving(a); !ok) co_return refuse(ok.error(), r);
  const auto id = path_id<unrouted_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const reroute_delivery m{unlimited(r), *id, r.received_at};
  const auto done = co_await ask(a.via, a.inbox.get(), m, r.deadline);
  if (!done) co_return refuse(done.error(), r);
  std::string body;
  json_writer{body}.open().member("deliveries", done->deliveries).close();
  co_return response::json(200, std::move(body));
}

}  // namespace

void add_ops_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text, answer ok,
                       std::vector<int> errors, asio::awaitable<response> (*f)(app&, request&),
                       std::vector<parameter> parameters = {}) {
    route r{m, path, id, "operations", text, operators_only, {ok}, std::move(errors), std::move(parameters)};
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  const parameter limit{"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"};
  const parameter cursor{"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"};
  add(verb::get, "/ops/actors", "listActors", "The live supervision tree",
      {200, "ActorList", "A page, by id"}, {400}, actors,
      {{"tenant", R"({"type":"string","format":"uuid"})", "Tenant"},
       {"kind", R"({"type":"string"})", "Kind"},
       limit,
       cursor});
  add(verb::get, "/ops/tenants", "listOpsTenants", "Tenants with state and workload",
      {200, "OpsTenantList", "A page, oldest first"}, {400}, tenants, {limit, cursor});
  add(verb::post, "/ops/tenants/{id}/suspend", "suspendTenant", "Stop a tenant's actors; durable",
      {200, "OpsTenantChange", "Suspended"}, {404}, suspend);
  add(verb::post, "/ops/tenants/{id}/resume", "resumeTenant",
      "Let a suspended or unavailable tenant run again", {200, "OpsTenantChange", "Active"}, {404}, resume);
  add(verb::post, "/ops/tenants/{id}/restart", "restartTenant",
      "Replace a tenant's actors without losing work", {200, "OpsTenantChange", "Restarted"}, {404}, restart);
  add(verb::get, "/ops/unrouted", "listUnrouted", "App-level deliveries that no connection answers to",
      {200, "UnroutedList", "A page, newest first"}, {400}, unrouted,
      {{"provider", R"({"type":"string"})", "Slug"},
       {"received_after", R"({"type":"string","format":"date-time"})", "Inclusive"},
       limit,
       cursor});
  add(verb::post, "/ops/unrouted/{id}/route", "routeUnrouted", "Try an unrouted delivery again",
      {200, "Rerouted", "How many connections took it"}, {400, 404}, route_again);
}

}  // namespace connectord::web
