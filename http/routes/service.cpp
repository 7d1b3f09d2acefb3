#include "http/app.hpp"
#include "http/docs.hpp"
#include "http/openapi.hpp"
#include "http/query.hpp"

/// What the service says about itself: health, documentation, metrics, providers, settings.
namespace connectord::web {
namespace {

asio::awaitable<response> root(app&, request&) {
  std::string body;
  json_writer{body}.open().member("service", "poblysh-connectors").member("version", service_version).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> health(app&, request&) {
  std::string body;
  json_writer{body}
      .open()
      .member("status", "ok")
      .member("service", "connectors")
      .member("version", service_version)
      .close();
  co_return response::json(200, std::move(body));
}

/// The scheduler answers, and no due job has waited for too long while none was claimed.
asio::awaitable<bool> workers_run(app& a) {
  constexpr seconds patience{2};
  constexpr std::chrono::minutes longest_wait{5};
  const read_backlog question;
  const auto answer =
      co_await ask(a.via, a.scheduler.get(), question, std::chrono::steady_clock::now() + patience);
  if (!answer) co_return false;
  co_return !answer->waiting_since || now_utc() - *answer->waiting_since <= longest_wait;
}

asio::awaitable<response> readiness(app& a, request& r) {
  const auto store = co_await ask_registry<store_health>(a, r, check_store{});
  const bool migrated = store && store->migrated;
  if (store) a.migrated = migrated;
  const bool working = !a.draining() && co_await workers_run(a);
  const auto word = [](bool ok) { return ok ? "ok" : "error"; };
  if (store && migrated && working) {
    std::string body;
    json_writer w{body};
    w.open()
        .member("status", "ready")
        .key("checks")
        .open()
        .member("database", "ok")
        .member("migrations", "ok");
    w.member("workers", "ok").close().close();
    co_return response::json(200, std::move(body));
  }
  json::object checks{
      {"database", word(store.has_value())}, {"migrations", word(migrated)}, {"workers", word(working)}};
  co_return refuse(error{errc::service_unavailable}.with("checks", std::move(checks)).retry_in(1), r);
}

asio::awaitable<response> document(app& a, request&) { co_return response::json(200, a.openapi); }
asio::awaitable<response> docs(app&, request&) { co_return docs_page(); }
asio::awaitable<response> docs_part(app&, request& r) {
  auto part = docs_asset(r.param("asset"));
  co_return part ? std::move(*part) : refuse(part.error(), r);
}

asio::awaitable<response> exposition(app& a, request& r) {
  const bool open = a.facts.metrics_public || (r.who && r.who->is_operator);
  if (!open) {
    const auto who = co_await a.auth->admit(operators_only, r);
    if (!who) co_return refuse(who.error(), r);
  }
  a.measure();
  co_return response::text("text/plain; version=0.0.4; charset=utf-8", a.meters.exposition());
}

void write_provider(json_writer& w, const app& a, const provider::definition& d) {
  const auto facts = a.facts.providers.find(d.slug);
  const bool known = facts != a.facts.providers.end();
  w.open().member("name", d.slug).member("display_name", d.display_name);
  w.member("auth_type", d.auth == provider::auth_type::oauth2 ? "oauth2" : "webhook")
      .key("scopes")
      .open_array();
  for (const auto& s : known ? facts->second.scopes : d.default_scopes) w.value(std::string_view{s});
  w.close_array().member("webhooks", d.webhooks).member("sync", d.sync.has_value());
  w.member("configured", known && facts->second.configured).close();
}

asio::awaitable<response> providers(app& a, request& r) {
  query_reader q{r.query};
  const auto at = page_of(a, r, q, "");
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto& all = a.catalog.all();
  auto i = at.after ? static_cast<std::size_t>(at.after->sort) : 0;
  const auto end = std::min(all.size(), i + static_cast<std::size_t>(at.limit));
  std::string body;
  json_writer w{body};
  w.open().key("providers").open_array();
  for (; i < end; ++i) write_provider(w, a, all[i]);
  w.close_array();
  const auto more =
      end < all.size() ? std::optional{position{static_cast<std::int64_t>(end), ""}} : std::nullopt;
  w.member("next_cursor", next_cursor(a, r, "", more)).close();
  co_return response::json(200, std::move(body));
}

void write_policy(json_writer& w, const retry_policy& p) {
  w.member("BASE_SECONDS", p.base_seconds)
      .member("MAX_SECONDS", p.max_seconds)
      .member("JITTER_FACTOR", p.jitter);
}

void write_policies(json_writer& w, const app_facts& f) {
  w.open();
  write_policy(w, f.retries);
  if (!f.retry_overrides.empty()) {
    w.key("PROVIDER_OVERRIDES").open();
    for (const auto& [slug, policy] : f.retry_overrides) {
      w.key(slug).open();
      write_policy(w, policy);
      w.close();
    }
    w.close();
  }
  w.close();
}

asio::awaitable<response> retry_policy_view(app& a, request&) {
  std::string body;
  json_writer w{body};
  write_policies(w, a.facts);
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> summary(app& a, request&) {
  std::string body;
  json_writer w{body};
  w.open()
      .member("profile", a.facts.profile)
      .member("version", service_version)
      .member("database", a.facts.database);
  w.key("providers").open_array();
  for (const auto& d : a.catalog.all()) {
    const auto facts = a.facts.providers.find(d.slug);
    const bool known = facts != a.facts.providers.end();
    w.open().member("name", d.slug).member("configured", known && facts->second.configured);
    w.member("webhook_secret_configured", known && facts->second.webhook_secret_configured).close();
  }
  w.close_array().key("rate_limit_policy");
  write_policies(w, a.facts);
  w.key("endpoints")
      .open()
      .member("swagger_ui", "/docs")
      .member("openapi_spec", "/openapi.json")
      .close()
      .close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> pong(app&, request& r) {
  std::string body;
  json_writer{body}.open().member("message", "pong").member("tenant_id", r.tenant().text()).close();
  co_return response::json(200, std::move(body));
}

}  // namespace

void add_service_routes(std::vector<route>& table, app* a) {
  const auto get = [&](std::string_view path, std::string_view id, std::string_view summary_text, access who,
                       answer ok, asio::awaitable<response> (*f)(app&, request&),
                       std::vector<int> errors = {}) {
    route r{verb::get, path, id, "service", summary_text, who, {ok}, std::move(errors)};
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  get("/", "getRoot", "Name and version", open_to_all, {200, "ServiceInfo", "The service"}, root);
  get("/healthz", "getHealth", "The process answers", open_to_all, {200, "Health", "Alive"}, health);
  get("/livez", "getLiveness", "The process answers", open_to_all, {200, "Health", "Alive"}, health);
  get("/readyz", "getReadiness", "The service can work", open_to_all, {200, "Readiness", "Ready"}, readiness,
      {503});
  get("/openapi.json", "getOpenapi", "This document", open_to_all, {200, "OpenApi", "OpenAPI 3.1"}, document);
  get("/docs", "getDocs", "Viewer for this document", open_to_all, {200, "", "A page", "text/html"}, docs);
  get("/docs/{asset}", "getDocsAsset", "Parts of the viewer", open_to_all,
      {200, "", "A file", "text/javascript"}, docs_part, {404});
  for (const auto type : {"text/css", "text/plain"})
    table.back().answers.push_back({200, "", "A file", type});
  get("/metrics", "getMetrics", "Prometheus metrics; an operator token unless they are public", by_proof,
      {200, "", "Text format 0.0.4", "text/plain"}, exposition, {401, 403});
  get("/config/rate-limit-policy", "getRateLimitPolicy", "Live backoff values", operators_only,
      {200, "RateLimitPolicy", "Values in force"}, retry_policy_view);
  get("/config/summary", "getConfigSummary", "Settings in force, without secrets", operators_only,
      {200, "ConfigSummary", "Summary"}, summary);
  get("/protected/ping", "getPing", "Checks a credential and its tenant", any_tenant,
      {200, "Pong", "Both are fine"}, pong);
  get("/providers", "listProviders", "Provider catalog", open_to_all, {200, "ProviderList", "By name"},
      providers, {400});
  table.back().parameters = {
      {"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"},
      {"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"}};
}

}  // namespace connectord::web
