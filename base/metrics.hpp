#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace connectord {

/// One metric and its children by label values, in the order of the declared label names. Children
/// are made on first use; label sets are bounded and never name a tenant, a URL or an id.
template <class Metric>
class labelled {
 public:
  using make_child = std::function<Metric&(const prometheus::Labels&)>;

  labelled(std::vector<std::string> names, make_child make)
      : names_(std::move(names)), make_(std::move(make)) {}

  Metric& operator()(std::initializer_list<std::string_view> values);
  /// Of gauges: before all of them are measured anew, so that what is gone does not stay.
  void set_all(double value);

 private:
  std::vector<std::string> names_;
  make_child make_;
  std::mutex mutex_;
  std::unordered_map<std::string, Metric*> children_;
};

using counters = labelled<prometheus::Counter>;
using gauges = labelled<prometheus::Gauge>;
using histograms = labelled<prometheus::Histogram>;

/// Where the buckets of durations end: seconds, from a tenth of a millisecond to a quarter of an hour.
inline constexpr std::array duration_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                            0.025,  0.05,    0.1,    0.25,  0.5,    1.0,   2.5,
                                            5.0,    10.0,    30.0,   60.0,  300.0,  900.0};

/// Every metric of the process, declared once. Nobody makes metrics anywhere else.
class metrics {
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  counters counter(const char* name, const char* help, std::vector<std::string> labels);
  gauges gauge(const char* name, const char* help, std::vector<std::string> labels);
  histograms histogram(const char* name, const char* help, std::vector<std::string> labels);

 public:
  metrics();

  /// Prometheus text format 0.0.4.
  std::string exposition() const;

  gauges build_info;  ///< {version, commit, backend}: 1

  counters http_requests;           ///< {route, method, status}
  histograms http_request_seconds;  ///< {route}
  gauges http_inflight;             ///< {}
  gauges http_connections;          ///< {}
  counters http_rejected;           ///< {reason}: rejection_of()
  counters idempotency_replays;     ///< {result}: replayed, mismatch

  counters signature_success;         ///< {provider}
  counters signature_failure;         ///< {provider, outcome}
  counters signature_replay_reject;   ///< {provider}
  histograms signature_seconds;       ///< {provider}
  counters webhook_deliveries;        ///< {provider, status}
  counters webhook_duplicates;        ///< {provider}
  counters webhook_unmatched;         ///< {provider}
  counters webhook_rate_limited;      ///< {provider}
  counters webhook_unmapped;          ///< {provider}
  counters webhook_unrouted_dropped;  ///< {provider}

  counters signals_stored;      ///< {provider, kind}
  counters signals_suppressed;  ///< {provider}
  histograms accept_to_signal;  ///< {}
  counters signals_grounded;    ///< {provider}
  counters notifications;       ///< {outcome}: delivered, failed

  counters sync_scheduled;           ///< {}
  histograms sync_scheduler_jitter;  ///< {}
  gauges sync_backlog;               ///< {}
  gauges jobs_oldest_age;            ///< {}: seconds
  histograms sync_tick_ms;           ///< {}
  counters sync_jobs;                ///< {provider, outcome}
  histograms sync_job_seconds;       ///< {provider}
  counters sync_reclaimed;           ///< {}
  gauges sync_stalled;               ///< {}
  counters rate_limited;             ///< {provider}
  histograms rate_limited_backoff;   ///< {provider}
  counters refresh_attempts;         ///< {provider}
  counters refresh_successes;        ///< {provider}
  counters refresh_failures;         ///< {provider, class}
  histograms refresh_seconds;        ///< {provider}
  gauges connections_expiring;       ///< {}

  counters provider_requests;           ///< {provider, result}
  histograms provider_request_seconds;  ///< {provider, result}
  gauges provider_breaker_open;         ///< {provider}
  gauges provider_limit_left;           ///< {provider}: 0 to 1

  counters tracker_snapshots;  ///< {provider, result}

  gauges census_timestamp;      ///< {}: Unix seconds; of what follows up to tokens_by_key
  gauges inbox_items;           ///< {state}
  gauges inbox_oldest_age;      ///< {}: seconds
  gauges jobs;                  ///< {type, state}
  gauges connections;           ///< {provider, status}
  gauges token_expiry;          ///< {provider}: seconds
  gauges tracker_snapshot_age;  ///< {provider, stat}: seconds; max, p95
  gauges tracker_drift;         ///< {provider}
  gauges tokens_by_key;         ///< {kid}
  counters encryptions;         ///< {kid}

  gauges actors_live;          ///< {kind}
  counters actor_restarts;     ///< {kind}
  gauges actor_mailbox_depth;  ///< {kind}
  histograms actor_turns;      ///< {kind}: seconds
  gauges tenants;              ///< {state}: idle, running, passivating, restarting, unavailable
  counters permits_refused;    ///< {resource}
  counters quarantined;        ///< {kind}
  counters snapshot_loads;     ///< {outcome}: used, stale, corrupt, missing

  histograms db_wait_seconds;    ///< {}
  histograms db_commit_seconds;  ///< {}
  histograms db_group_size;      ///< {}
  counters db_errors;            ///< {reason}
  gauges db_queue_depth;         ///< {}
  gauges db_pool_in_use;         ///< {mode}: read, write
  gauges db_wal_bytes;           ///< {}
  gauges db_free_bytes;          ///< {}
};

template <class Metric>
Metric& labelled<Metric>::operator()(std::initializer_list<std::string_view> values) {
  std::string key;
  for (const auto v : values) (key += v) += '\0';
  const std::lock_guard lock{mutex_};
  auto& child = children_[key];
  if (child == nullptr) {
    prometheus::Labels labels;
    auto value = values.begin();
    for (const auto& name : names_) labels.emplace(name, std::string{*value++});
    child = &make_(labels);
  }
  return *child;
}

template <class Metric>
void labelled<Metric>::set_all(double value) {
  const std::lock_guard lock{mutex_};
  for (const auto& [key, child] : children_) child->Set(value);
}

}  // namespace connectord
