#pragma once

#include "domain/job.hpp"
#include "storage/codec.hpp"

/// Only for the sources of this folder: a job as its columns.
namespace connectord::storage {

#define JOB_COLUMNS                                                                               \
  "id, provider, connection_id, delivery_id, job_type, status, priority, attempts, scheduled_at," \
  " created_at, retry_after, started_at, finished_at, error, signals_emitted"

inline job read_job(const row& r) {
  return {.id = read_id<job_id>(r, 0),
          .provider = r.str(1),
          .connection = read_id<connection_id>(r, 2),
          .delivery = maybe_id<delivery_id>(r, 3),
          .type = read_name<job_type>(r, 4),
          .status = read_name<job_status>(r, 5),
          .priority = r.integer(6),
          .attempts = r.integer(7),
          .scheduled_at = r.time(8),
          .created_at = r.time(9),
          .retry_after = r.maybe_time(10),
          .started_at = r.maybe_time(11),
          .finished_at = r.maybe_time(12),
          .error = r.is_null(13) ? std::nullopt : std::optional{decode_error(r.text(13))},
          .signals_emitted = r.integer(14)};
}

inline std::optional<std::string> error_text(const job& j) {
  return j.error ? std::optional{encode_error(*j.error)} : std::nullopt;
}

}  // namespace connectord::storage
