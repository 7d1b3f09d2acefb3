#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <optional>
#include <string>

namespace connectord {

enum class job_type { full, incremental, webhook };
enum class job_status { queued, running, succeeded, failed };

inline constexpr int webhook_priority = 50, manual_priority = 40, incremental_priority = 30;

struct job_error {
  std::string type, message;
  timestamp at{};
  std::optional<std::int64_t> backoff_seconds;
};

struct job {
  job_id id;
  std::string provider;
  connection_id connection;
  std::optional<delivery_id> delivery;
  job_type type = job_type::incremental;
  job_status status = job_status::queued;
  std::int64_t priority = incremental_priority, attempts = 0;
  timestamp scheduled_at{}, created_at{};
  std::optional<timestamp> retry_after, started_at, finished_at;
  std::optional<job_error> error;
  std::int64_t signals_emitted = 0;
};

/// A job in the hands of a run.
struct claimed_job {
  job row;
  std::int64_t fence = 0;  ///< every write of the run carries it
  std::int64_t counted_failures = 0;
  std::optional<std::string> cursor;  ///< where an earlier run of this job, or its predecessor, stopped
};

}  // namespace connectord
