#pragma once

#include "domain/connection.hpp"
#include "domain/job.hpp"
#include "domain/tracker/names.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace connectord::storage {

struct jobs_counted {
  job_type type;
  job_status status;  ///< queued or running
  std::int64_t count;
};
struct connections_counted {
  std::string provider;
  connection_status status;
  std::int64_t count;
  std::optional<timestamp> first_expiry;  ///< of their access tokens
};
/// When the bindings of a tracker last had a snapshot; only those that had one count.
struct snapshots_counted {
  tracker::provider provider;
  timestamp oldest, late;  ///< `late`: nineteen of twenty are not older
};
struct drift_counted {
  tracker::provider provider;
  std::int64_t count;
};

/// What the store holds, of all tenants together.
struct census {
  std::int64_t received = 0;  ///< deliveries that wait; those of suspended tenants wait on purpose
  std::int64_t failed = 0, quarantined = 0;
  std::optional<timestamp> oldest_received;
  std::vector<jobs_counted> jobs;
  std::vector<connections_counted> connections;
  std::vector<snapshots_counted> snapshots;  ///< of bindings that take them
  std::vector<drift_counted> drift;          ///< open
};

/// A handful of statements that indexes answer; their cost grows with connections, bindings and what is open.
result<census> take_census(session& s);

}  // namespace connectord::storage
