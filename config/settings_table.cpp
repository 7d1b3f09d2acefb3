#include "config/settings_table.hpp"

#include "config/rows.hpp"

#include <algorithm>

namespace connectord::config {
namespace {

using list = std::vector<setting>;

constexpr std::int64_t day_seconds = 86400;

bool is_profile(std::string_view text) {
  constexpr auto alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return text.size() <= 32 && !text.empty() && text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool add_key(settings& s, std::string id, std::string_view base64) {
  constexpr auto alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-";
  if (id.empty() || id.size() > 16 || id.find_first_not_of(alphabet) != std::string::npos) return false;
  secret bytes{from_base64(base64).value_or("")};
  if (bytes.reveal().size() != 32 || s.crypto_keys.holds(id)) return false;
  auto keys = s.crypto_keys.keys();
  keys.push_back({std::move(id), std::move(bytes)});
  s.crypto_keys = keyring{std::move(keys)};
  return true;
}

bool assign_crypto_keys(settings& s, std::string_view text) {
  const auto entries = split(text, ",");
  return !entries.empty() && std::all_of(entries.begin(), entries.end(), [&s](const std::string& entry) {
    const auto colon = entry.find(':');
    return colon != std::string::npos &&
           add_key(s, entry.substr(0, colon), std::string_view{entry}.substr(colon + 1));
  });
}

bool assign_crypto_key(settings& s, std::string_view text) {
  constexpr auto own_id = "k1";
  if (!s.crypto_keys.holds(own_id)) return add_key(s, own_id, text);
  settings scratch;  // not used, but a value that does not parse is an error all the same
  return add_key(scratch, own_id, text);
}

bool assign_operator_tokens(settings& s, std::string_view text) {
  for (auto& token : split(text, ",")) s.operator_tokens.emplace_back(std::move(token));
  return !s.operator_tokens.empty();
}

bool assign_operator_token(settings& s, std::string_view text) {
  if (text.empty()) return false;
  if (s.operator_tokens.empty()) s.operator_tokens.emplace_back(std::string{text});
  return true;
}

bool assign_providers(settings& s, std::string_view text) {
  s.providers_listed = split(text, ",");
  return !s.providers_listed->empty();
}

bool assign_cors(settings& s, std::string_view text) {
  s.cors_allowed_origins = split(text, ",");
  if (s.cors_allowed_origins == std::vector<std::string>{"*"}) return true;
  return std::all_of(s.cors_allowed_origins.begin(), s.cors_allowed_origins.end(), [](std::string& origin) {
    const auto url = parse_url(origin);
    const bool ok =
        url && !url->userinfo && url->rest.empty() && (url->scheme == "https" || url->scheme == "http");
    origin = lower(origin);
    return ok;
  });
}

bool assign_public_base_url(settings& s, std::string_view text) {
  if (text.ends_with('/')) text.remove_suffix(1);
  s.public_base_url = text;
  return is_safe_url(text, s.relaxed()) && text.find('?') == std::string_view::npos;
}

list process_settings() {
  return {
      {"PROFILE", "local", "1 to 32 characters of a-z, 0-9 and -",
       "Name of the deployment. `local` and `test` are the relaxed ones: plain http to loopback, migrations "
       "at start.",
       [](settings& s, std::string_view text) { return is_profile(s.profile = text); }},
      {"CONFIG_FILE", "", "the path of a readable file",
       "Optional YAML file, one mapping of lower-case keys (`api_bind_addr: …`); every other source wins "
       "over it. "
       "Read from flags, environment, `.env` and `.env.local`.",
       text_into(&settings::config_file)},
      {"API_BIND_ADDR",
       "0.0.0.0:8080",
       "ip:port or [v6]:port",
       "Where the API listens; port 0 asks the system for one.",
       into(&settings::api_bind_addr, parse_endpoint),
       "",
       false,
       false,
       {{"local", "127.0.0.1:8080"}}},
      {"PUBLIC_BASE_URL",
       "",
       "an https URL without query (http only to loopback in local and test)",
       "URL under which the outside reaches the service; required outside local and test.",
       assign_public_base_url,
       "",
       false,
       false,
       {{"local", "http://localhost:8080"}, {"test", "http://localhost:8080"}}},
      {"OAUTH_REDIRECT_URI", "", "an https URL without fragment (http only to loopback in local and test)",
       "Redirect URI of OAuth, may contain `{provider}`; unset: "
       "`<PUBLIC_BASE_URL>/connect/{provider}/callback`.",
       [](settings& s, std::string_view text) {
         s.oauth_redirect_uri = text;
         return is_safe_url(text, s.relaxed());
       }},
      choice("LOG_LEVEL", &settings::log_level, "info",
             {{"trace", log::level::trace},
              {"debug", log::level::debug},
              {"info", log::level::info},
              {"warn", log::level::warn},
              {"error", log::level::error}},
             "Least level that is logged."),
      choice("LOG_FORMAT", &settings::log_format, "json",
             {{"json", log::format::json}, {"pretty", log::format::pretty}},
             "One JSON object a line, or text for people."),
      whole("SHUTDOWN_TIMEOUT_SECONDS", &settings::shutdown_timeout_seconds, 30, 1, 600,
            "Time for requests and jobs in flight after SIGTERM."),
  };
}

list store_settings() {
  return {
      {"DATABASE_URL", "sqlite://data/connectors.db",
       "sqlite:///absolute/path.db, sqlite://relative/path.db or postgresql://…",
       "The store. Never shown: it may hold a password.", into(&settings::database_url, parse_database), "",
       true},
      whole("DB_MAX_CONNECTIONS", &settings::db_max_connections, 10, 1, 200, "Size of the connection pool."),
      whole("DB_ACQUIRE_TIMEOUT_MS", &settings::db_acquire_timeout_ms, 5000, 100, 60000,
            "Longest wait for a connection of the pool."),
      whole("RETENTION_DELIVERIES_DAYS", &settings::retention_deliveries_days, 30, 7, 3650,
            "Age at which webhook deliveries are deleted."),
      whole("RETENTION_JOBS_DAYS", &settings::retention_jobs_days, 30, 1, 3650,
            "Age at which ended jobs are deleted."),
      whole("RETENTION_SIGNALS_DAYS", &settings::retention_signals_days, 0, 0, 3650,
            "Age at which signals are deleted; 0 keeps them."),
  };
}

list secret_settings() {
  return {
      {"OPERATOR_TOKENS", "", "a comma list with at least one token",
       "Operator bearer tokens; at least 16 characters each outside local and test. Required, or "
       "OPERATOR_TOKEN.",
       assign_operator_tokens, "", true},
      {"OPERATOR_TOKEN", "", "a token", "One operator token; looked at only while OPERATOR_TOKENS is unset.",
       assign_operator_token, "", true},
      {"CRYPTO_KEYS", "",
       "a comma list of id:base64; ids of 1 to 16 of a-z, 0-9 and -, each once; 32 bytes each",
       "Key ring for stored tokens: the first key is primary, all decrypt. Required, or CRYPTO_KEY.",
       assign_crypto_keys, "", true},
      {"CRYPTO_KEY", "", "32 bytes in standard, padded base64",
       "One key with id `k1`; appended to CRYPTO_KEYS unless `k1` is listed there.", assign_crypto_key, "",
       true},
  };
}

list http_settings() {
  return {
      whole("MAX_BODY_BYTES", &settings::max_body_bytes, 1048576, 1024, 26214400, "Largest request body."),
      whole("HTTP_HEADER_TIMEOUT_SECONDS", &settings::http_header_timeout_seconds, 10, 1, 600,
            "Time for a request's head to arrive."),
      whole("HTTP_BODY_TIMEOUT_SECONDS", &settings::http_body_timeout_seconds, 30, 1, 600,
            "Time for a request's body to arrive."),
      whole("HTTP_IDLE_TIMEOUT_SECONDS", &settings::http_idle_timeout_seconds, 60, 1, 600,
            "Time that a connection may stay open between requests."),
      {"CORS_ALLOWED_ORIGINS", "*", "* or a comma list of origins (scheme://host[:port])",
       "Origins that browsers may call from; `*` is any. May be empty: none.", assign_cors, "", false, true},
      flag("METRICS_PUBLIC", &settings::metrics_public, false, "Serve /metrics without a token."),
      flag("TENANT_AUTO_PROVISION", &settings::tenant_auto_provision, true,
           "A mutating operator call creates the tenant that it names."),
      whole("IDEMPOTENCY_TTL_HOURS", &settings::idempotency_ttl_hours, 24, 1, 168,
            "How long an answer is kept for its Idempotency-Key."),
      {"TRUSTED_PROXIES", "", "a comma list of addresses and CIDR networks",
       "Peers whose X-Forwarded-For is believed. May be empty.",
       into(&settings::trusted_proxies, parse_networks), "", false, true},
  };
}

list outbound_settings() {
  return {
      whole("HTTP_CLIENT_TIMEOUT_SECONDS", &settings::http_client_timeout_seconds, 30, 1, 300,
            "Total time of one call to a provider."),
      {"OUTBOUND_ALLOW", "", "a comma list of hosts, addresses and CIDR networks",
       "Private destinations that outgoing calls may reach all the same. May be empty.",
       into(&settings::outbound_allow, parse_hosts), "", false, true},
      whole("RATE_LIMIT_BASE_SECONDS", &settings::rate_limit_base_seconds, 5, 1, 3600,
            "First backoff after a failed or limited call."),
      whole("RATE_LIMIT_MAX_SECONDS", &settings::rate_limit_max_seconds, 900, 1, day_seconds,
            "Longest computed backoff; not below the base."),
      number("RATE_LIMIT_JITTER_FACTOR", &settings::rate_limit_jitter_factor, "0.1", 0, 1,
             "Share of the backoff that is added at random."),
      whole("OAUTH_STATE_TTL_SECONDS", &settings::oauth_state_ttl_seconds, 600, 1, 3600,
            "How long a started authorization may take."),
      whole("TOKEN_REFRESH_TICK_SECONDS", &settings::token_refresh_tick_seconds, 300, 60, no_limit,
            "Pause between two sweeps for expiring tokens."),
      whole("TOKEN_REFRESH_LEAD_TIME_SECONDS", &settings::token_refresh_lead_time_seconds, 600, 60,
            day_seconds, "How long before expiry a token is refreshed."),
      whole("TOKEN_REFRESH_CONCURRENCY", &settings::token_refresh_concurrency, 4, 1, 20,
            "Refresh calls at a time."),
      number("TOKEN_REFRESH_JITTER_FACTOR", &settings::token_refresh_jitter_factor, "0.1", 0, 1,
             "Share of the lead time over which refreshes are spread."),
  };
}

list webhook_settings() {
  return {
      whole("WEBHOOK_RATE_LIMIT_PER_MINUTE", &settings::webhook_rate_limit_per_minute, 300, 1, 10000000,
            "Requests in 60 s per provider, tenant and client address."),
      whole("WEBHOOK_RATE_LIMIT_BURST_SIZE", &settings::webhook_rate_limit_burst_size, 50, 1, 10000000,
            "Requests in any second per provider, tenant and client address."),
      whole("WEBHOOK_RATE_LIMIT_GLOBAL_PER_MINUTE", &settings::webhook_rate_limit_global_per_minute, 1000000,
            1, 10000000, "Requests in 60 s overall."),
      whole("WEBHOOK_MAX_BODY_BYTES", &settings::webhook_max_body_bytes, 1048576, 1024, 26214400,
            "Largest webhook body."),
      whole("WEBHOOK_DEDUPE_DAYS", &settings::webhook_dedupe_days, 7, 7, 365,
            "How long a delivery's id is remembered against repeats."),
      whole("WEBHOOK_SECRET_OVERLAP_HOURS", &settings::webhook_secret_overlap_hours, 24, 0, 720,
            "How long a connection's previous webhook secret stays valid."),
      flag("WEBHOOK_REQUIRE_CONNECTION_SECRETS", &settings::webhook_require_connection_secrets, false,
           "Accept no app-wide webhook secret, only those of connections."),
  };
}

list sync_settings() {
  return {
      whole("SYNC_SCHEDULER_TICK_INTERVAL_SECONDS", &settings::sync_scheduler_tick_interval_seconds, 60, 10,
            300, "Pause between two looks for due connections."),
      whole("SYNC_SCHEDULER_DEFAULT_INTERVAL_SECONDS", &settings::sync_scheduler_default_interval_seconds,
            900, 60, 604800, "Pause between two syncs; not above the longest override."),
      whole("SYNC_SCHEDULER_MAX_OVERRIDDEN_INTERVAL_SECONDS",
            &settings::sync_scheduler_max_overridden_interval_seconds, day_seconds, 60, 604800,
            "Longest interval that a connection may ask for."),
      number("SYNC_SCHEDULER_JITTER_PCT_MIN", &settings::sync_scheduler_jitter_pct_min, "0.0", 0, 1,
             "Least share of the interval that is added at random."),
      number("SYNC_SCHEDULER_JITTER_PCT_MAX", &settings::sync_scheduler_jitter_pct_max, "0.2", 0, 1,
             "Largest share of the interval that is added at random; not below the least."),
      whole("SYNC_CONCURRENCY", &settings::sync_concurrency, 32, 1, 1024, "Jobs that run at a time."),
      whole("SYNC_TENANT_CONCURRENCY", &settings::sync_tenant_concurrency, 4, 1, 1024,
            "Jobs of one tenant that run at a time."),
      whole("SYNC_LEASE_SECONDS", &settings::sync_lease_seconds, 60, 2, 3600,
            "Lease of a running job; renewed every third of it."),
      whole("SYNC_MAX_RUN_SECONDS", &settings::sync_max_run_seconds, 300, 5, 3600,
            "A run that is longer stops at a page edge and queues its rest."),
      whole("SYNC_MAX_ITEMS_PER_RUN", &settings::sync_max_items_per_run, 5000, 100, 100000,
            "A run with more items stops at a page edge and queues its rest."),
      whole("SYNC_MAX_ATTEMPTS", &settings::sync_max_attempts, 10, 1, 100,
            "Counted failures after which a job fails."),
      whole("SYNC_STALL_RUNS", &settings::sync_stall_runs, 3, 1, 100,
            "Runs without progress after which a connection is stalled."),
  };
}

list signal_settings() {
  return {
      number("MAIL_SPAM_THRESHOLD", &settings::mail_spam_threshold, "0.8", 0, 1,
             "Score from which a mail is spam."),
      {"MAIL_SPAM_ALLOWLIST", "", "a comma list of user@host, @host or host",
       "Senders that are never spam. May be empty.", into(&settings::mail_spam_allowlist, parse_mail_list),
       "", false, true},
      {"MAIL_SPAM_DENYLIST", "", "a comma list of user@host, @host or host",
       "Senders that are always spam; wins over the allow list. May be empty.",
       into(&settings::mail_spam_denylist, parse_mail_list), "", false, true},
      flag("SIGNAL_ENGINE_ENABLED", &settings::signal_engine_enabled, true,
           "Score signals and ground the strong ones."),
      {"SIGNAL_WEBHOOK_TOKEN", "", "a token",
       "Bearer token of outgoing signal notifications, and the key of their Standard Webhooks signature: its "
       "bytes, or behind whsec_ the base64 of them.",
       [](settings& s, std::string_view text) {
         s.signal_webhook_token = secret{std::string{text}};
         return true;
       },
       "", true},
  };
}

list registry_settings() {
  return {
      {"PROVIDERS", "", "a comma list with at least one provider slug",
       "Providers to register; unset: all. Outside local and test every listed OAuth provider needs "
       "credentials.",
       assign_providers},
      {"PROVIDERS_DIR", "", "the path of a folder",
       "Folder of further provider definitions; one with the slug of a built-in definition replaces it.",
       text_into(&settings::providers_dir)},
  };
}

}  // namespace

const std::vector<setting>& generic_settings() {
  static const list table = [] {
    list all;
    const auto add = [&all](std::string group, list rows) {
      for (auto& row : rows) {
        row.group = group;
        all.push_back(std::move(row));
      }
    };
    add("Process", process_settings());
    add("Store", store_settings());
    add("Secrets", secret_settings());
    add("HTTP server", http_settings());
    add("Calls to providers", outbound_settings());
    add("Webhooks", webhook_settings());
    add("Sync", sync_settings());
    add("Mail and signals", signal_settings());
    add("Tracker", tracker_settings());
    add("Providers", registry_settings());
    return all;
  }();
  return table;
}

}  // namespace connectord::config
