#pragma once

#include "actors/protocol/outbound.hpp"
#include "actors/protocol/whereabouts.hpp"
#include "actors/protocol/work.hpp"
#include "base/crypto.hpp"
#include "base/metrics.hpp"
#include "domain/mail_spam.hpp"
#include "domain/provider/catalog.hpp"
#include "domain/provider/discovery.hpp"
#include "domain/provider/verify.hpp"
#include "domain/sync_state.hpp"
#include "domain/tracker/model.hpp"

#include <functional>
#include <map>
#include <memory>
#include <random>

namespace connectord {

struct webhook_policy {
  std::map<std::string, provider::proof_settings, std::less<>> proofs;  ///< by slug
  bool require_connection_secrets = false;
  std::chrono::hours secret_overlap{24};
  std::chrono::days dedupe{7};
  std::int64_t most_unrouted = 100'000;  ///< rows of one provider
};

/// From 0 to 1; for any thread.
inline double any_chance() {
  thread_local std::minstd_rand source{std::random_device{}()};
  return std::uniform_real_distribution{0.0, 1.0}(source);
}

struct refresh_policy {
  seconds tick{300}, lead{600};
  int concurrency = 4;
  double jitter = 0.1;
  seconds intent_lease{60};  ///< twice what a call may take
};

/// How long rows are kept; zero keeps them.
struct retention_policy {
  std::chrono::days deliveries{30}, jobs{30}, signals{0};
};

/// What every actor may need and none of them changes. Made once, before the tree.
struct services {
  provider::catalog catalog;
  metrics& meters;
  keyring keys;
  webhook_policy webhooks;
  retention_policy retention{};
  std::chrono::hours idempotency{24};  ///< how long answers are kept under their keys
  seconds longest_sync_interval{86400};
  std::size_t most_live_tenants = 10'000;
  seconds idle_before_passivation{900};
  std::map<std::string, oauth::client, std::less<>> clients{};  ///< by slug; only what is configured
  std::map<std::string, std::map<std::string, std::string>, std::less<>>
      provider_settings{};  ///< by slug, key
  seconds oauth_state_ttl{600};
  sync_policy sync{};
  refresh_policy refresh{};
  provider::discovery_policy discovery{};
  backoff_policy backoff{};
  std::map<std::string, backoff_policy, std::less<>> own_backoff{};  ///< by slug
  mail_spam_settings mail{};
  seconds call_patience{30};                    ///< for one call to a provider
  std::string node{"local"};                    ///< names this process in leases
  bool store_is_shared = false;                 ///< with processes that may claim the same tenants
  std::function<timestamp()> now = now_utc;     ///< the wall clock; tests bring their own
  std::function<double()> chance = any_chance;  ///< spreads retries and schedules; tests bring their own
  tracker::policy tracker{};
  /// Told after a COMMIT that may have added to a tenant's feed; for whoever shows feeds as they grow.
  std::function<void(const tenant_id&)> feed_grew = [](const tenant_id&) {};
  /// Told after a COMMIT that changed what a tenant's pages show and the feed does not tell of.
  std::function<void(const tenant_id&)> pages_changed = [](const tenant_id&) {};
  const whereabouts<outbound_actor>* outbound = nullptr;  ///< for whoever calls providers
  const whereabouts<ticker_actor>* ticker = nullptr;      ///< for whoever queues work

  const backoff_policy& backoff_of(std::string_view provider) const {
    const auto own = own_backoff.find(provider);
    return own == own_backoff.end() ? backoff : own->second;
  }
};
using services_ptr = std::shared_ptr<const services>;

}  // namespace connectord
