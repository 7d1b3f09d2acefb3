#pragma once

#include "base/time.hpp"
#include "domain/backoff.hpp"
#include "domain/job.hpp"
#include "domain/limit_left.hpp"
#include "domain/schedule.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

/// What is kept of a connection's sync between runs, and what the end of a run means (contract, 8.3).
namespace connectord {

/// What the provider last said of its limit.
struct told_limit {
  limit_left calls;
  timestamp at{};

  friend bool operator==(const told_limit&, const told_limit&) = default;
};

/// Member `sync` of a connection's metadata.
struct sync_record {
  std::optional<seconds> interval;
  std::optional<std::string> cursor;  ///< a JSON object, as text
  std::optional<timestamp> last_success_at;
  std::optional<std::string> last_error;
  std::int64_t runs_without_progress = 0;
  bool stalled = false;
  std::optional<told_limit> limit;

  friend bool operator==(const sync_record&, const sync_record&) = default;
};
sync_record read_sync(std::string_view metadata);
/// `metadata` with this record.
std::string with_sync(std::string_view metadata, const sync_record& r);

struct sync_policy {
  seconds default_interval{900}, longest_interval{86400};
  double jitter_least = 0, jitter_most = 0.2;  ///< share of the interval
  int concurrency = 32, tenant_concurrency = 4;
  seconds tick{60}, lease{60}, longest_run{300};
  std::size_t items_per_run = 5000;
  int most_attempts = 10, stall_runs = 3;

  /// A connection's own interval counts while it is within bounds; they may have changed since it was set.
  seconds interval_of(const sync_record& r) const {
    const auto own = r.interval ? own_interval(r.interval->count(), longest_interval) : std::nullopt;
    return own.value_or(default_interval);
  }
};

enum class run_end {
  complete,
  continued,     ///< at its limit: a follow-up goes on from the cursor
  released,      ///< asked to stop: back to the queue, nothing counted
  unauthorized,  ///< refused twice, or the tokens are gone
  rate_limited,
  transient,
  permanent,
};
constexpr std::string_view name_of(run_end e) {
  constexpr std::array names{"succeeded",    "succeeded", "released", "unauthorized",
                             "rate_limited", "transient", "permanent"};
  return names[static_cast<std::size_t>(e)];
}

struct run_report {
  run_end how = run_end::complete;
  std::optional<std::string> cursor;  ///< of the last page; absent: none was committed
  bool without_progress = false;      ///< the provider returned something, and the checkpoint is where it was
  std::optional<seconds> hint;        ///< pause that the provider asks for
  std::string message;                ///< of a failure; nothing of the provider's own text
  std::optional<told_limit> limit{};  ///< absent: no answer told one
};

struct run_verdict {
  job_status status = job_status::succeeded;  ///< queued: it is tried again
  std::int64_t counted_failures = 0;
  std::optional<timestamp> retry_after;
  std::optional<job_error> error;
  sync_record record;
  bool follow_up = false;          ///< another run goes on from the cursor at once
  bool connection_failed = false;  ///< its status becomes `error`
};
/// `counted_failures` is the job's so far; `random` from 0 to 1 goes into the backoff.
run_verdict judge_run(const run_report& r, const sync_record& before, std::int64_t counted_failures,
                      const sync_policy& policy, const backoff_policy& backoff, double random, timestamp now);

}  // namespace connectord
