#include "base/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace connectord {
namespace {

const prometheus::Histogram::BucketBoundaries durations{duration_bounds.begin(), duration_bounds.end()};
const prometheus::Histogram::BucketBoundaries sizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

}  // namespace

counters metrics::counter(const char* name, const char* help, std::vector<std::string> labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
  return {std::move(labels),
          [&family](const prometheus::Labels& l) -> prometheus::Counter& { return family.Add(l); }};
}

gauges metrics::gauge(const char* name, const char* help, std::vector<std::string> labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
  return {std::move(labels),
          [&family](const prometheus::Labels& l) -> prometheus::Gauge& { return family.Add(l); }};
}

histograms metrics::histogram(const char* name, const char* help, std::vector<std::string> labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_);
  const auto& bounds = std::string_view{name}.ends_with("_size") ? sizes : durations;
  return {std::move(labels), [&family, &bounds](const prometheus::Labels& l) -> prometheus::Histogram& {
            return family.Add(l, bounds);
          }};
}

metrics::metrics()
    : build_info(gauge("connectors_build_info", "What runs; always 1.", {"version", "commit", "backend"})),
      http_requests(counter("http_requests_total", "Requests answered.", {"route", "method", "status"})),
      http_request_seconds(
          histogram("http_request_duration_seconds", "Head read to answer written.", {"route"})),
      http_inflight(gauge("http_inflight_requests", "Requests being answered.", {})),
      http_connections(gauge("http_connections", "Open client connections.", {})),
      http_rejected(counter("connectors_http_rejected_total", "Requests refused before any work was done.",
                            {"reason"})),
      idempotency_replays(counter("connectors_idempotency_replays_total",
                                  "Keys that came again: answered as before, or with another body.",
                                  {"result"})),
      signature_success(counter("signature_verification_success_total", "Proofs that held.", {"provider"})),
      signature_failure(counter("signature_verification_failure_total", "Proofs that failed, by reason.",
                                {"provider", "outcome"})),
      signature_replay_reject(counter("signature_verification_replay_reject_total",
                                      "Proofs outside their time window.", {"provider"})),
      signature_seconds(
          histogram("signature_verification_latency_seconds", "Time to check a proof.", {"provider"})),
      webhook_deliveries(
          counter("webhook_deliveries_total", "Deliveries stored, by status.", {"provider", "status"})),
      webhook_duplicates(counter("webhook_duplicates_total", "Deliveries seen before.", {"provider"})),
      webhook_unmatched(counter("webhook_unmatched_total", "Deliveries without a connection.", {"provider"})),
      webhook_rate_limited(
          counter("webhook_rate_limited_total", "Deliveries refused by the limiter.", {"provider"})),
      webhook_unmapped(
          counter("webhook_events_unmapped_total", "Understood events without a mapping.", {"provider"})),
      webhook_unrouted_dropped(counter("webhook_unrouted_dropped_total",
                                       "Unrouted deliveries dropped at the cap, oldest first.",
                                       {"provider"})),
      signals_stored(counter("signals_stored_total", "Signals stored.", {"provider", "kind"})),
      signals_suppressed(
          counter("signals_suppressed_total", "Signals that were there already.", {"provider"})),
      accept_to_signal(histogram("accept_to_signal_seconds", "Delivery read to signal durable.", {})),
      signals_grounded(counter("signals_grounded_total", "Signals that began a grounded one.", {"provider"})),
      notifications(
          counter("signal_notifications_total", "Notifications after their last attempt.", {"outcome"})),
      sync_scheduled(
          counter("sync_scheduler_jobs_scheduled_total", "Jobs queued because they were due.", {})),
      sync_scheduler_jitter(
          histogram("sync_scheduler_jitter_seconds", "Chance added to the time of a scheduled job.", {})),
      sync_backlog(gauge("sync_scheduler_backlog_gauge", "Jobs that are due and not running.", {})),
      jobs_oldest_age(gauge("connectors_jobs_oldest_available_age_seconds",
                            "How long the oldest job that may run has been due.", {})),
      sync_tick_ms(histogram("sync_scheduler_tick_duration_ms", "One look for due work.", {})),
      sync_jobs(counter("sync_jobs_total", "Runs, by how they ended.", {"provider", "outcome"})),
      sync_job_seconds(histogram("sync_job_duration_seconds", "One run, claim to end.", {"provider"})),
      sync_reclaimed(counter("sync_jobs_reclaimed_total", "Jobs taken back from runs that died.", {})),
      sync_stalled(gauge("sync_stalled_connections", "Connections whose runs make no progress.", {})),
      rate_limited(counter("rate_limited_total", "Runs that a provider's limit ended.", {"provider"})),
      rate_limited_backoff(
          histogram("rate_limited_backoff_seconds", "Pauses that providers asked for.", {"provider"})),
      refresh_attempts(counter("token_refresh_attempt_total", "Refresh calls.", {"provider"})),
      refresh_successes(
          counter("token_refresh_success_total", "Refresh calls that gave tokens.", {"provider"})),
      refresh_failures(
          counter("token_refresh_failure_total", "Refresh calls that failed.", {"provider", "class"})),
      refresh_seconds(histogram("token_refresh_latency_seconds", "One refresh call.", {"provider"})),
      connections_expiring(
          gauge("connections_expiring_soon", "Active connections whose tokens end soon.", {})),
      provider_requests(counter("connectors_provider_requests_total", "Calls to providers, by what came.",
                                {"provider", "result"})),
      provider_request_seconds(histogram("connectors_provider_request_duration_seconds",
                                         "One call, sent to answered.", {"provider", "result"})),
      provider_breaker_open(gauge("connectors_provider_breaker_open",
                                  "Callers of the provider's hosts who are held back after failures.",
                                  {"provider"})),
      provider_limit_left(gauge("connectors_provider_ratelimit_remaining_ratio",
                                "What the latest answer said is left of a limit.", {"provider"})),
      tracker_snapshots(counter("connectors_tracker_snapshots_total", "Snapshots that came in, by outcome.",
                                {"provider", "result"})),
      census_timestamp(gauge("connectors_census_timestamp_seconds",
                             "When the store was last counted in full, in Unix time.", {})),
      inbox_items(gauge("connectors_inbox_items", "Deliveries that wait or have failed.", {"state"})),
      inbox_oldest_age(
          gauge("connectors_inbox_oldest_age_seconds", "Age of the oldest delivery that waits.", {})),
      jobs(gauge("connectors_jobs", "Sync jobs that have not ended.", {"type", "state"})),
      connections(gauge("connectors_connections", "Connections of all tenants.", {"provider", "status"})),
      token_expiry(gauge("connectors_token_expiry_seconds",
                         "Time left to the first token of an active connection that ends.", {"provider"})),
      tracker_snapshot_age(gauge("connectors_tracker_snapshot_age_seconds",
                                 "Age of the last snapshots of live bindings.", {"provider", "stat"})),
      tracker_drift(gauge("connectors_tracker_drift_fields", "Open drift of bindings.", {"provider"})),
      tokens_by_key(gauge("connectors_tokens_by_key", "Sealed values in the store, by their key.", {"kid"})),
      encryptions(
          counter("connectors_crypto_encryptions_total", "Values that this process sealed.", {"kid"})),
      actors_live(gauge("actors_live", "Living actors.", {"kind"})),
      actor_restarts(counter("actor_restarts_total", "Restarts after a crash.", {"kind"})),
      actor_mailbox_depth(gauge("actor_mailbox_depth", "Messages waiting, summed over the kind.", {"kind"})),
      actor_turns(histogram("connectors_actor_turn_duration_seconds",
                            "One turn of an actor on its thread: up to fifty messages.", {"kind"})),
      tenants(gauge("connectors_tenants", "Tenants with an entry in the directory.", {"state"})),
      permits_refused(
          counter("connectors_permits_refused_total", "Requests refused at the door.", {"resource"})),
      quarantined(counter("connectors_quarantined_total", "Messages locked out after two deaths.", {"kind"})),
      snapshot_loads(counter("connectors_snapshot_load_total", "Snapshots met at activation.", {"outcome"})),
      db_wait_seconds(histogram("connectors_db_wait_seconds", "Wait for a storage worker.", {})),
      db_commit_seconds(histogram("connectors_db_commit_seconds", "One group, begin to commit.", {})),
      db_group_size(histogram("connectors_db_group_size", "Jobs that shared a commit.", {})),
      db_errors(counter("connectors_db_errors_total", "Storage failures.", {"reason"})),
      db_queue_depth(gauge("connectors_db_queue_depth", "Jobs waiting for a storage worker.", {})),
      db_pool_in_use(gauge("connectors_db_pool_in_use", "Storage workers at work.", {"mode"})),
      db_wal_bytes(gauge("connectors_db_wal_bytes", "Size of SQLite's log beside the database.", {})),
      db_free_bytes(gauge("connectors_db_free_bytes", "Space left on the disk of the SQLite database.", {})) {
}

std::string metrics::exposition() const {
  return prometheus::TextSerializer{}.Serialize(registry_->Collect());
}

}  // namespace connectord
