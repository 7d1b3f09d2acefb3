#pragma once

#include "actors/intake.hpp"

#include <functional>
#include <variant>

namespace connectord {

/// What a mutation comes to, decided against the state in memory: a refusal, an answer that needs
/// no write, or work for a transaction.
struct effect {
  outcome answer;
  std::vector<connection> rows{};  ///< as they stand now; memory takes them over after COMMIT
  std::size_t scheduled = 0;       ///< jobs that were queued because they were due
  std::int64_t reclaimed = 0;      ///< jobs that were taken back from a dead run
};
struct plan {
  /// Runs in the transaction, after the fence; may run twice, so it consumes nothing.
  std::function<result<effect>(storage::session&)> work;
  bool changes = false;               ///< connections, so that nothing may be decided beside it
  bool queues_work = false;           ///< for the scheduler to look at once it is committed
  bool feeds = false;                 ///< may have written to the feed: its readers are told
  bool shows = false;                 ///< changes what pages show and the feed does not tell of
  bool moves_jobs = false;            ///< what is queued or running afterwards is looked up
  std::string object{};               ///< id of the row that an audit row names
  std::optional<connection> ended{};  ///< was removed: the provider is told
  /// After COMMIT and before the answer.
  std::function<void(const outcome&)> committed{};
  /// The delivery that `work` takes in. Without a change, it may go in together with others instead.
  std::shared_ptr<const intake> delivery{};
};
using decision = std::variant<error, outcome, plan>;

/// What a plan came to.
struct ran_step {
  tenant_outcome outcome;
  std::vector<connection> rows{};
  std::optional<std::map<connection_id, job_status>> syncing{};
  std::size_t scheduled = 0;
  std::int64_t reclaimed = 0;
};

decision decide(const services_ptr& s, const tenant_state& state, const mutation& m);

/// Mutations that leave the state alone and may share a transaction.
inline bool can_share(const mutation& m) { return std::holds_alternative<ingest_webhook>(m); }

}  // namespace connectord
