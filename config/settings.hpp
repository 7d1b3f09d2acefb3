#pragma once

#include "base/crypto.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "config/parse.hpp"
#include "config/provider_facts.hpp"
#include "domain/tracker/model.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::config {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct provider_settings {
  std::string client_id;  ///< empty exactly when the secret is
  secret client_secret;
  // Absent: the definition decides.
  std::optional<std::vector<std::string>> scopes;
  std::optional<bool> pkce;
  std::optional<std::string> oauth_base, api_base;
  std::optional<seconds> rate_limit_base_seconds, rate_limit_max_seconds;
  std::optional<double> rate_limit_jitter_factor;
  // The provider's own settings by key (without POBLYSH_); defaults are filled in, unset ones absent.
  std::map<std::string, std::string> values;
  std::map<std::string, secret> secrets;

  bool configured() const { return !client_id.empty(); }
};

/// Every member carries the name of its key and is checked against its bounds; the table
/// (settings_table.cpp) holds defaults, bounds and meaning.
struct settings {
  std::string profile;
  endpoint api_bind_addr;
  std::string public_base_url;     ///< without `/` at its end
  std::string oauth_redirect_uri;  ///< may contain `{provider}`
  database_location database_url;
  int db_max_connections = 0;
  milliseconds db_acquire_timeout_ms{};
  log::level log_level = log::level::info;
  log::format log_format = log::format::json;
  std::vector<secret> operator_tokens;
  keyring crypto_keys;

  std::optional<std::vector<std::string>> providers_listed;  ///< POBLYSH_PROVIDERS, when set
  std::map<std::string, provider_settings> providers;        ///< every registered provider, by slug
  std::string providers_dir, config_file;                    ///< empty: none

  int webhook_rate_limit_per_minute = 0, webhook_rate_limit_burst_size = 0,
      webhook_rate_limit_global_per_minute = 0;
  std::size_t webhook_max_body_bytes = 0, max_body_bytes = 0;
  days webhook_dedupe_days{};
  hours webhook_secret_overlap_hours{};
  bool webhook_require_connection_secrets = false;

  std::vector<ip_network> trusted_proxies;
  host_list outbound_allow;
  seconds http_client_timeout_seconds{}, http_header_timeout_seconds{}, http_body_timeout_seconds{},
      http_idle_timeout_seconds{}, shutdown_timeout_seconds{};
  std::vector<std::string> cors_allowed_origins;  ///< a sole `*`: any
  bool metrics_public = false, tenant_auto_provision = false;
  seconds oauth_state_ttl_seconds{};
  hours idempotency_ttl_hours{};

  seconds sync_scheduler_tick_interval_seconds{}, sync_scheduler_default_interval_seconds{},
      sync_scheduler_max_overridden_interval_seconds{};
  double sync_scheduler_jitter_pct_min = 0, sync_scheduler_jitter_pct_max = 0;
  int sync_concurrency = 0, sync_tenant_concurrency = 0;
  seconds sync_lease_seconds{}, sync_max_run_seconds{};
  int sync_max_items_per_run = 0, sync_max_attempts = 0, sync_stall_runs = 0;

  seconds rate_limit_base_seconds{}, rate_limit_max_seconds{};
  double rate_limit_jitter_factor = 0;
  seconds token_refresh_tick_seconds{}, token_refresh_lead_time_seconds{};
  int token_refresh_concurrency = 0;
  double token_refresh_jitter_factor = 0;

  double mail_spam_threshold = 0;
  std::vector<std::string> mail_spam_allowlist, mail_spam_denylist;  ///< `user@host` or `@host`
  bool signal_engine_enabled = false;
  secret signal_webhook_token;                                                        ///< empty: none
  days retention_deliveries_days{}, retention_jobs_days{}, retention_signals_days{};  ///< signals: 0 keeps

  tracker::policy tracker;

  /// The profiles of developers and tests, in which plain http to loopback is fine.
  bool relaxed() const { return profile == "local" || profile == "test"; }
};

/// Names to values, as the process was given them.
using environment = std::map<std::string, std::string>;

struct reported {
  std::string key;    ///< with POBLYSH_
  std::string state;  ///< `set`, `unset`, or the value when it is no secret
};

struct loaded {
  std::optional<settings> value;      ///< present exactly when there is no problem
  std::vector<std::string> problems;  ///< one line each, naming its key, never a secret's value
  std::vector<std::string> warnings;
  std::vector<reported> report;  ///< for the start-up log
};

/// Sources, later wins: the YAML file of POBLYSH_CONFIG_FILE, `.env`, `.env.local`, `.env.<profile>`,
/// `.env.<profile>.local` in `working_folder`, the process environment, flags (by key without POBLYSH_).
loaded load_settings(const environment& process, const std::map<std::string, std::string>& flags,
                     const std::filesystem::path& working_folder,
                     const std::vector<provider_facts>& providers);

/// The value that `load_settings` would see for one key, unchecked: POBLYSH_PROVIDERS_DIR has to be
/// known before there are provider facts. Empty when unset.
std::string peek_setting(std::string_view key, const environment& process,
                         const std::map<std::string, std::string>& flags,
                         const std::filesystem::path& working_folder);

/// All keys, without POBLYSH_, second spellings included.
std::vector<std::string> setting_keys(const std::vector<provider_facts>& providers);

/// docs/configuration.md; providers add the settings of their own.
std::string settings_reference(const std::vector<provider_facts>& providers = {});

}  // namespace connectord::config
