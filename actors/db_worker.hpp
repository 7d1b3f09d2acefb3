#pragma once

#include "actors/protocol/store_gate.hpp"
#include "actors/spawn.hpp"
#include "storage/session.hpp"

#include <variant>
#include <vector>

namespace connectord {

/// Jobs that share one transaction (writes), or a single read.
struct run_group : message {
  run_group(access_mode m, std::vector<std::shared_ptr<db_function>> j) : mode(m), jobs(std::move(j)) {}
  access_mode mode;
  std::vector<std::shared_ptr<db_function>> jobs;
};

/// One outcome a job, in order: its value, its refusal, or the text of its exception.
using job_outcome = std::variant<job_value, error, std::string>;
struct group_done : message {
  explicit group_done(std::vector<job_outcome> o)
      : outcomes(std::make_shared<std::vector<job_outcome>>(std::move(o))) {}
  std::shared_ptr<std::vector<job_outcome>> outcomes;
};

using db_worker_actor = typed_actor<replies<run_group, group_done>>;

/// A thread of its own with one storage session, opened on first use and again after it was lost.
db_worker_actor spawn_db_worker(cradle where, std::string id, std::shared_ptr<storage::store> store);

/// Runs a group in one transaction. At first without savepoints; only when a job refuses or throws,
/// the whole group is rolled back and run again with one savepoint a job. Job functions may
/// therefore run twice and must not consume what they captured.
std::vector<job_outcome> run_writes(storage::session& s,
                                    const std::vector<std::shared_ptr<db_function>>& jobs);

}  // namespace connectord
