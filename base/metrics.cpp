#include "base/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace connectord {
namespace {

/// Seconds, from a tenth of a millisecond to a quarter of an hour.
const prometheus::Histogram::BucketBoundaries buckets{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                      0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5,
                                                      5,      10,      30,     60,    300,    900};
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
  const auto& bounds = std::string_view{name}.ends_with("_size") ? sizes : buckets;
  return {std::move(labels), [&family, &bounds](const prometheus::Labels& l) -> prometheus::Histogram& {
            return family.Add(l, bounds);
          }};
}

metrics::metrics()
    : http_requests(counter("http_requests_total", "Requests answered.", {"route", "method", "status"})),
      http_request_seconds(
          histogram("http_request_duration_seconds", "Head read to answer written.", {"route"})),
      http_inflight(gauge("http_inflight_requests", "Requests being answered.", {})),
      http_connections(gauge("http_connections", "Open client connections.", {})),
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
      actors_live(gauge("actors_live", "Living actors.", {"kind"})),
      actor_restarts(counter("actor_restarts_total", "Restarts after a crash.", {"kind"})),
      actor_mailbox_depth(gauge("actor_mailbox_depth", "Messages waiting, summed over the kind.", {"kind"})),
      tenants(gauge("connectors_tenants", "Tenants with an entry in the directory.", {"state"})),
      permits_refused(
          counter("connectors_permits_refused_total", "Requests refused at the door.", {"resource"})),
      quarantined(counter("connectors_quarantined_total", "Messages locked out after two deaths.", {"kind"})),
      snapshot_loads(counter("connectors_snapshot_load_total", "Snapshots met at activation.", {"outcome"})),
      store_queue_seconds(histogram("connectors_store_queue_seconds", "Wait for a storage worker.", {})),
      store_commit_seconds(histogram("connectors_store_commit_seconds", "One group, begin to commit.", {})),
      store_group_size(histogram("connectors_store_group_size", "Jobs that shared a commit.", {})),
      store_errors(counter("connectors_store_errors_total", "Storage failures.", {"reason"})),
      store_queue_depth(gauge("connectors_store_queue_depth", "Jobs waiting for a storage worker.", {})) {}

std::string metrics::exposition() const {
  return prometheus::TextSerializer{}.Serialize(registry_->Collect());
}

}  // namespace connectord
