#pragma once

#include "actors/protocol/outbound.hpp"
#include "actors/protocol/whereabouts.hpp"
#include "base/crypto.hpp"
#include "base/metrics.hpp"
#include "domain/provider/catalog.hpp"
#include "domain/provider/verify.hpp"

#include <functional>
#include <map>
#include <memory>

namespace connectord {

struct webhook_policy {
  std::map<std::string, provider::proof_settings, std::less<>> proofs;  ///< by slug
  bool require_connection_secrets = false;
  std::chrono::hours secret_overlap{24};
  std::chrono::days dedupe{7};
  std::int64_t most_unrouted = 100'000;  ///< rows of one provider
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
  std::function<timestamp()> now = now_utc;               ///< the wall clock; tests bring their own
  const whereabouts<outbound_actor>* outbound = nullptr;  ///< for whoever calls providers
};
using services_ptr = std::shared_ptr<const services>;

}  // namespace connectord
