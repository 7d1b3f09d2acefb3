#include "serve.hpp"

#include "actors/census.hpp"
#include "actors/directory.hpp"
#include "actors/engine.hpp"
#include "actors/inbox.hpp"
#include "actors/janitor.hpp"
#include "actors/notifier.hpp"
#include "actors/ops.hpp"
#include "actors/outbound.hpp"
#include "actors/registry.hpp"
#include "actors/store_gate.hpp"
#include "actors/supervise.hpp"
#include "actors/ticker.hpp"
#include "actors/tracker/snapshot_reader.hpp"
#include "actors/tracker/sweep.hpp"
#include "base/log.hpp"
#include "base/service_manager.hpp"
#include "build_commit.hpp"
#include "commands.hpp"
#include "config/command_line.hpp"
#include "config/oauth_client.hpp"
#include "http/app.hpp"
#include "http/key_sets.hpp"
#include "http/openapi.hpp"
#include "http/outbound.hpp"
#include "http/server.hpp"
#include "storage/job_queue.hpp"
#include "storage/migrate.hpp"
#include "storage/refresh_intents.hpp"

#include <malloc.h>
#include <cstdlib>
#include <iostream>

namespace connectord {
namespace {

using namespace std::chrono_literals;

caf::actor_system_config& tuned(caf::actor_system_config& config) {
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{1});  // the tree runs on the io thread; see io_unit
  config.set("scheduler.max-throughput", std::size_t{50});
  return config;
}

std::vector<std::string> listed(const std::string& text) { return config::split(text, ","); }

/// The proofs that one provider's settings allow.
provider::proof_settings proofs_of(const provider::definition& d, const config::provider_settings& s) {
  provider::proof_settings out;
  const auto value = [&](const std::string& key) {
    const auto found = s.values.find(key);
    return found == s.values.end() ? std::string{} : found->second;
  };
  const auto& w = d.webhook;
  if (const auto found = s.secrets.find(w.secret_key); found != s.secrets.end())
    out.app_secret = found->second;
  out.variant = value(w.variant_key);
  if (const auto tolerance = config::parse_integer(value(w.tolerance_key)))
    out.tolerance = seconds{*tolerance};
  out.audience = value(w.audience_key);
  out.issuers = listed(value(w.issuers_key));
  out.subject_email = value(w.subject_email_key);
  return out;
}

/// Names this process in leases. Nobody else listens at this address while it lives, so a lease in its name
/// that it did not take is a dead predecessor's.
std::string node_name(const config::settings& s) {
  if (s.api_bind_addr.port == 0) return uuid::make().str();
  return asio::ip::host_name() + "/" + s.api_bind_addr.host + ":" + std::to_string(s.api_bind_addr.port);
}

sync_policy sync_policy_for(const config::settings& s) {
  sync_policy p;
  p.default_interval = s.sync_scheduler_default_interval_seconds;
  p.longest_interval = s.sync_scheduler_max_overridden_interval_seconds;
  p.jitter_least = s.sync_scheduler_jitter_pct_min;
  p.jitter_most = s.sync_scheduler_jitter_pct_max;
  p.concurrency = s.sync_concurrency;
  p.tenant_concurrency = s.sync_tenant_concurrency;
  p.tick = s.sync_scheduler_tick_interval_seconds;
  p.lease = s.sync_lease_seconds;
  p.longest_run = s.sync_max_run_seconds;
  p.items_per_run = static_cast<std::size_t>(s.sync_max_items_per_run);
  p.most_attempts = s.sync_max_attempts;
  p.stall_runs = s.sync_stall_runs;
  return p;
}

services_ptr services_for(const config::settings& s, const provider::catalog& catalog, metrics& meters,
                          const whereabouts<outbound_actor>& outbound,
                          const whereabouts<ticker_actor>& scheduler, web::feed_bells bells) {
  auto made = std::make_shared<services>(services{catalog, meters, s.crypto_keys, {}});
  made->outbound = &outbound;
  made->ticker = &scheduler;
  for (const auto& d : catalog.all())
    if (d.webhooks) made->webhooks.proofs.emplace(d.slug, proofs_of(d, s.providers.at(d.slug)));
  made->webhooks.require_connection_secrets = s.webhook_require_connection_secrets;
  made->webhooks.secret_overlap = s.webhook_secret_overlap_hours;
  made->webhooks.dedupe = s.webhook_dedupe_days;
  made->longest_sync_interval = s.sync_scheduler_max_overridden_interval_seconds;
  made->idempotency = s.idempotency_ttl_hours;
  made->oauth_state_ttl = s.oauth_state_ttl_seconds;
  made->call_patience = s.http_client_timeout_seconds;
  made->node = node_name(s);
  made->store_is_shared = s.database_url.kind != config::database_location::engine::sqlite;
  made->sync = sync_policy_for(s);
  made->refresh = {s.token_refresh_tick_seconds, s.token_refresh_lead_time_seconds,
                   s.token_refresh_concurrency, s.token_refresh_jitter_factor,
                   2 * s.http_client_timeout_seconds};
  made->backoff = {s.rate_limit_base_seconds, s.rate_limit_max_seconds, s.rate_limit_jitter_factor};
  made->mail = {s.mail_spam_threshold, s.mail_spam_allowlist, s.mail_spam_denylist};
  for (const auto& d : catalog.all()) {
    const auto& own = s.providers.at(d.slug);
    if (auto client = config::oauth_client_of(s, d)) made->clients.emplace(d.slug, std::move(*client));
    made->provider_settings.emplace(d.slug, own.values);
    made->own_backoff.emplace(
        d.slug, backoff_policy{own.rate_limit_base_seconds.value_or(s.rate_limit_base_seconds),
                               own.rate_limit_max_seconds.value_or(s.rate_limit_max_seconds),
                               own.rate_limit_jitter_factor.value_or(s.rate_limit_jitter_factor)});
  }
  made->tracker = s.tracker;
  made->feed_grew = [bells](const tenant_id& t) mutable { bells.ring(t); };
  made->pages_changed = [bells](const tenant_id& t) mutable { bells.ring_pages(t); };
  made->retention = {s.retention_deliveries_days, s.retention_jobs_days, s.retention_signals_days};
  return made;
}

/// `url` at another origin.
std::string rebased(const std::string& url, const std::optional<std::string>& origin) {
  return origin ? *origin + std::string{config::parse_url(url)->rest} : url;
}

web::provider_facts facts_of(const provider::definition& d, const config::provider_settings& s) {
  web::provider_facts f;
  f.configured = s.configured() || d.auth == provider::auth_type::webhook;
  f.webhook_secret_configured = s.secrets.contains(d.webhook.secret_key);
  f.scopes = s.scopes.value_or(d.default_scopes);
  const auto limit = s.values.find(d.webhook.body_limit_kb_key);
  if (limit != s.values.end())
    f.webhook_body_limit = static_cast<std::size_t>(*config::parse_integer(limit->second)) * 1024;
  // Deliveries without an audience to check are refused whatever their keys: then nothing is fetched.
  if (d.proven_by(provider::proof_scheme::jwt_jwks) && s.values.contains(d.webhook.audience_key))
    f.key_set_url = rebased(*d.oauth->jwks_url, s.oauth_base);
  return f;
}

web::app_facts facts_for(const config::settings& s, const provider::catalog& catalog) {
  web::app_facts f;
  f.profile = s.profile;
  f.database = s.database_url.kind == config::database_location::engine::sqlite ? "sqlite" : "postgresql";
  f.public_base_url = s.public_base_url;
  f.metrics_public = s.metrics_public;
  f.auto_provision = s.tenant_auto_provision;
  f.webhook_body_limit = s.webhook_max_body_bytes;
  f.default_sync_interval = s.sync_scheduler_default_interval_seconds.count();
  f.idempotency = s.idempotency_ttl_hours;
  f.oauth_patience = 4 * s.http_client_timeout_seconds;
  f.retries = {s.rate_limit_base_seconds.count(), s.rate_limit_max_seconds.count(),
               s.rate_limit_jitter_factor};
  for (const auto& d : catalog.all()) {
    const auto& own = s.providers.at(d.slug);
    f.providers.emplace(d.slug, facts_of(d, own));
    if (own.rate_limit_base_seconds || own.rate_limit_max_seconds || own.rate_limit_jitter_factor)
      f.retry_overrides[d.slug] = {own.rate_limit_base_seconds.value_or(s.rate_limit_base_seconds).count(),
                                   own.rate_limit_max_seconds.value_or(s.rate_limit_max_seconds).count(),
                                   own.rate_limit_jitter_factor.value_or(s.rate_limit_jitter_factor)};
  }
  f.tracker = s.tracker;
  f.trusted_proxies = s.trusted_proxies;
  f.webhook_limits = {static_cast<std::uint32_t>(s.webhook_rate_limit_per_minute),
                      static_cast<std::uint32_t>(s.webhook_rate_limit_burst_size),
                      static_cast<std::uint32_t>(s.webhook_rate_limit_global_per_minute)};
  return f;
}

web::server_settings limits_for(const config::settings& s) {
  web::server_settings l;
  l.header_timeout = s.http_header_timeout_seconds;
  l.body_timeout = s.http_body_timeout_seconds;
  l.idle_timeout = s.http_idle_timeout_seconds;
  l.body_limit = s.max_body_bytes;
  l.cors_origins = s.cors_allowed_origins;
  return l;
}

web::outbound_settings outbound_for(const config::settings& s) {
  web::outbound_settings o;
  o.allowed_hosts = s.outbound_allow.hosts;
  o.allowed_networks = s.outbound_allow.networks;
  o.relaxed = s.relaxed();
  o.total_timeout = s.http_client_timeout_seconds;
  return o;
}

/// The keys of a set's URL, fetched on the service's own account.
asio::awaitable<http_response> fetch(const bridge_ptr& via, const whereabouts<outbound_actor>& outbound,
                                     std::string url, steady_time deadline) {
  http_request get;
  get.url = std::move(url);
  const send_request wanted{std::nullopt, {}, std::move(get), deadline};
  auto answered = co_await ask(via, outbound.get(), wanted, deadline);
  http_response out;
  if (answered)
    out = std::move(answered->response);
  else
    out.failure = call_failure::network_error;
  co_return out;
}

/// Where the rest of the process finds the children of the root.
struct doors {
  whereabouts<store_gate_actor> store;
  whereabouts<outbound_actor> outbound;
  whereabouts<inbox_actor> inbox;
  whereabouts<directory_actor> directory;
  whereabouts<registry_actor> registry;
  whereabouts<ops_actor> ops;
  whereabouts<ticker_actor> scheduler;
  whereabouts<snapshot_reader_actor> snapshots;

  void close() {
    snapshots.clear();
    scheduler.clear();
    ops.clear();
    registry.clear();
    directory.clear();
    inbox.clear();
    outbound.clear();
    store.clear();
  }
};

/// The whole supervision tree, oldest first: a crash ends and restarts everything below it. Tenants
/// are the directory's children, storage workers the gate's.
std::vector<child_spec> tree(doors& d, const services_ptr& s, const store_plan& plan, const transport& out) {
  std::vector<child_spec> children;
  children.push_back({"ops", [&d](auto* root) { return d.ops.set(spawn_ops(root)); }});
  children.push_back({"store", [&d, plan](auto* root) {
                        return d.store.set(spawn<store_gate>(root, {"system/store", "system", {}, {}}, plan));
                      }});
  children.push_back(
      {"outbound", [&d, out](auto* root) { return d.outbound.set(spawn_outbound(root, {out})); }});
  children.push_back(
      {"inbox", [&d, s](auto* root) { return d.inbox.set(spawn_inbox(root, s, d.store.get())); }});
  children.push_back({"directory", [&d, s](auto* root) {
                        return d.directory.set(spawn_directory(root, s, d.store.get(), d.inbox.get()));
                      }});
  children.push_back({"registry", [&d](auto* root) {
                        return d.registry.set(
                            spawn_registry(root, d.store.get(), d.directory.get(), &d.scheduler));
                      }});
  children.push_back({"scheduler", [&d, s](auto* root) {
                        return d.scheduler.set(spawn_ticker(root, s, d.store.get(), d.directory.get()));
                      }});
  children.push_back(
      {"snapshot reader", [&d, s](auto* root) { return d.snapshots.set(spawn_snapshot_reader(root, s)); }});
  children.push_back({"tracker sweep", [&d, s](auto* root) {
                        return caf::actor_cast<caf::strong_actor_ptr>(
                            spawn_tracker_sweep(root, s, d.store.get(), d.directory.get()));
                      }});
  children.push_back({"janitor", [&d, s](auto* root) {
                        return caf::actor_cast<caf::strong_actor_ptr>(spawn_janitor(root, s, d.store.get()));
                      }});
  children.push_back({"census", [&d, s](auto* root) {
                        return caf::actor_cast<caf::strong_actor_ptr>(spawn_census(root, s, d.store.get()));
                      }});
  return children;
}

/// The youngest of the tree: nothing depends on them.
void add_signal_engine(std::vector<child_spec>& children, doors& d, const services_ptr& s,
                       const secret& token) {
  children.push_back({"engine", [&d, s](auto* root) {
                        return caf::actor_cast<caf::strong_actor_ptr>(spawn_engine(root, s, d.store.get()));
                      }});
  children.push_back({"notifier", [&d, s, token](auto* root) {
                        return caf::actor_cast<caf::strong_actor_ptr>(
                            spawn_notifier(root, s, d.store.get(), d.outbound.get(), token));
                      }});
}

[[noreturn]] void give_up() {
  log::error("root.gave_up");
  log::flush();
  std::_Exit(70);  // the init system starts the process again
}

asio::awaitable<void> pause(milliseconds t) {
  asio::steady_timer timer{co_await asio::this_coro::executor, t};
  co_await timer.async_wait(asio::use_awaitable);
}

/// Doors first, then requests in flight, then tenants by handshake, then the tree, youngest first.
asio::awaitable<void> shut_down(web::server& web, doors& d, const bridge_ptr& via, supervisor_actor& root,
                                caf::actor_system& system, asio::io_context& io, seconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  const auto late = [until] { return std::chrono::steady_clock::now() > until; };
  web.stop();
  while (web.open_connections() > 0 && !late()) co_await pause(10ms);
  const drain farewell;
  const auto drained = co_await ask(via, d.directory.get(), farewell, until);
  if (!drained) log::warn("drain.incomplete");
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  root = nullptr;
  d.close();
  while (system.registry().running() > 0 && !late()) co_await pause(5ms);
  if (system.registry().running() > 0) {
    log::error("drain.timed_out");
    log::flush();
    std::_Exit(exit_failure);
  }
  io.stop();
}

/// What a dead process was running goes on at once. An embedded file has no other writers at all.
bool bury_predecessor(storage::session& db, const config::settings& s) {
  const auto now = now_utc();
  if (db.kind() == storage::dialect::postgresql) {
    const auto name = node_name(s);
    return storage::expire_job_leases(db, name, now).has_value();
  }
  return storage::expire_job_leases(db, {}, now) && storage::expire_refresh_leases(db, now);
}

/// Migrated where the profile allows it, and fitting the key ring; else the exit code.
struct prepared_store {
  std::shared_ptr<storage::store> store;
  bool migrated = false;
};
std::variant<prepared_store, int> prepare_store(const config::settings& s) {
  auto store = open_store(s, true);
  if (!store) {
    const bool taken = store.error().code() == errc::conflict;
    log::error(taken ? "store.in_use" : "store.unreachable", {{"error", store.error().message()}});
    return exit_failure;
  }
  const auto db = (*store)->open();
  if (!db) return exit_failure;
  if (s.relaxed()) {
    const auto applied = storage::migrate_up(**db, now_utc());
    if (!applied) {
      log::error("store.migration_failed", {{"error", applied.error().message()}});
      return exit_failure;
    }
  }
  const auto state = storage::state(**db);
  if (!state) return exit_failure;
  if (!state->pending.empty()) {
    log::warn("store.migrations_pending", {{"hint", "run: connectord migrate up"}});
    return prepared_store{std::move(*store), false};
  }
  const auto problems = check_keys(**db, s.crypto_keys);
  if (!problems) return exit_failure;
  for (const auto& p : *problems) std::cerr << p << '\n';
  if (!problems->empty()) return config::exit_configuration;
  if (!bury_predecessor(**db, s)) return exit_failure;
  return prepared_store{std::move(*store), true};
}

store_plan plan_for(const config::settings& s, std::shared_ptr<storage::store> store) {
  const bool embedded = store->kind() == storage::dialect::sqlite;
  // SQLite has one writer; on PostgreSQL two groups may commit side by side.
  const int writers = embedded || s.db_max_connections < 4 ? 1 : 2;
  return {std::move(store), writers, std::clamp(s.db_max_connections - writers, 1, 2)};
}

void announce(const asio::ip::tcp::endpoint& at) {
  log::announce("listening", {{"address", at.address().to_string()}, {"port", at.port()}});
  tell_service_manager("READY=1");
}

/// What there is before the tree, and outlives it.
struct ground {
  metrics& meters;
  observatory& sky;
  doors& d;
  asio::io_context& io;
  caf::actor_system& system;
  const bridge_ptr& via;
  const transport& out;
};

/// What nobody counts into the metrics as it happens; for each scrape.
void measure(const ground& g, const storage::store& store, const keyring& keys) {
  g.sky.measure();
  if (const auto file = store.space()) {
    g.meters.db_wal_bytes({}).Set(static_cast<double>(file->log));
    g.meters.db_free_bytes({}).Set(static_cast<double>(file->free));
  }
  for (const auto& k : keys.keys()) {
    auto& shown = g.meters.encryptions({k.id});
    shown.Increment(static_cast<double>(*k.seals) - shown.Value());
  }
}

/// The tree and the way in to it, until a signal has drained both.
void stand(const ground& g, const config::settings& settings, const provider::catalog& catalog,
           const prepared_store& store) {
  const auto& [meters, sky, d, io, system, via, out] = g;
  web::feed_bells bells{io, now_utc()};
  const auto shared = services_for(settings, catalog, meters, d.outbound, d.scheduler, bells);
  auto children = tree(d, shared, plan_for(settings, store.store), out);
  if (settings.signal_engine_enabled) add_signal_engine(children, d, shared, settings.signal_webhook_token);
  auto root = spawn<supervisor>({system, sky}, {"system", "system", {}, {}}, std::move(children),
                                restart_policy{.most = 3}, std::function<void()>{give_up});
  sky.admit({"http", "http", "system", {}})->born();

  web::app app{.facts = facts_for(settings, shared->catalog),
               .catalog = shared->catalog,
               .meters = meters,
               .measure = [&] { measure(g, *store.store, shared->keys); },
               .via = via,
               .directory = d.directory,
               .registry = d.registry,
               .inbox = d.inbox,
               .ops = d.ops,
               .scheduler = d.scheduler,
               .snapshots = d.snapshots,
               .cursors = web::cursor_codec{settings.crypto_keys},
               .limiter = web::rate_limiter{facts_for(settings, shared->catalog).webhook_limits},
               .permits = permit_pool<tenant_id>{512}};
  app.migrated = store.migrated;
  app.clients = &shared->clients;
  meters.build_info({web::service_version, build_commit, app.facts.database}).Set(1);
  web::key_sets keys{io, [&via, &d](std::string url, steady_time deadline) {
                       return fetch(via, d.outbound, std::move(url), deadline);
                     }};
  app.keys = &keys;
  app.bells = &bells;
  const web::router routes{web::all_routes(&app)};
  app.openapi = web::openapi_document(routes, web::service_version);
  const web::authenticator auth{
      settings.operator_tokens,
      [&app](std::string digest) { return web::find_bearer(app, std::move(digest)); },
      [&app](team_key named) { return web::find_named_team(app, std::move(named)); }};
  app.auth = &auth;
  web::server web{io, routes, auth, meters, limits_for(settings)};
  app.draining = [&web] { return web.stopping(); };

  const auto bound =
      web.listen({asio::ip::make_address(settings.api_bind_addr.host), settings.api_bind_addr.port});
  if (!bound) {
    log::error("server.cannot_listen", {{"error", bound.error().message()}});
    log::flush();
    std::_Exit(exit_failure);  // nothing was promised to anyone yet
  }
  asio::signal_set signals{io, SIGTERM, SIGINT};
  signals.async_wait([&](boost::system::error_code, int) {
    log::info("service.draining", {{"connections", web.open_connections()}});
    tell_service_manager("STOPPING=1");
    signals.async_wait([](boost::system::error_code failure, int) {
      if (!failure) std::_Exit(exit_failure);
    });
    asio::co_spawn(io, shut_down(web, d, via, root, system, io, settings.shutdown_timeout_seconds),
                   asio::detached);
  });
  announce(*bound);
  ::malloc_trim(0);  // definitions and settings were read with much that is free again
  io.run();
}

}  // namespace

std::string openapi_document_of(const provider::catalog&) {
  return web::openapi_document(web::router{web::all_routes(nullptr)}, web::service_version);
}

int serve(const config::settings& settings, provider::catalog catalog) {
  auto prepared = prepare_store(settings);
  if (const int* code = std::get_if<int>(&prepared)) return *code;

  metrics meters;
  observatory sky{meters};
  doors d;
  asio::io_context io{1};  // outlives whatever posts to it
  web::outbound_client client{io, outbound_for(settings)};
  const transport out = [&client](http_request r, steady_time deadline, auto answered) {
    client.start(std::move(r), deadline, std::move(answered));
  };
  caf::actor_system_config config;
  caf::actor_system system{tuned(config)};
  io_unit home{system, io};
  home.bind_to_this_thread();
  sky.set_home(&home);
  const bridge_ptr via{system, home, io};
  try {
    stand({meters, sky, d, io, system, via, out}, settings, catalog, std::get<prepared_store>(prepared));
  } catch (const std::exception& e) {
    log::error("service.failed", {{"error", e.what()}});
    log::flush();
    std::_Exit(exit_failure);  // the actor system would wait for its actors, and they for this thread
  }
  home.close();
  via->close();
  system.await_all_actors_done();
  log::info("service.ended");
  return 0;
}

}  // namespace connectord
