#pragma once

#include "actors/protocol/message.hpp"
#include "domain/connection.hpp"
#include "domain/job.hpp"
#include "domain/oauth/account.hpp"
#include "domain/oauth/callback.hpp"
#include "domain/oauth/refresh.hpp"
#include "domain/provider/draft_signal.hpp"
#include "domain/provider/tracker_issue.hpp"
#include "domain/sync_state.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Commands of a tenant that concern consent, tokens and sync. Some come from callers, most from the
/// tenant's own children and from the scheduler: all rows are written by the tenant alone.
namespace connectord {

namespace provider {
struct discovery;
}

struct stored_connection {
  connection row;
  bool created = false;
  std::optional<job_status> job{};  ///< what it has in the queue or running
};
struct nothing {};

// ---- consent

struct started_oauth {
  std::string authorize_url;
};
struct start_oauth {
  using reply = started_oauth;
  std::string provider;
  timestamp now{};
};

/// The user came back with a code and the state is spent. Runs in a child: two calls or more.
struct complete_oauth {
  using reply = stored_connection;
  oauth::state consent;
  oauth::grant given;
  timestamp now{};
};
/// What the child brought.
struct store_grant {
  using reply = stored_connection;
  std::string provider;
  oauth::token_set tokens;
  oauth::account account;
  timestamp now{};
};

// ---- tokens

/// Why tokens are asked for.
enum class refresh_cause {
  use,    ///< a call is about to be made: only if the token is spent
  sweep,  ///< it ends soon
  force,
};
/// New tokens are wanted. Runs in the connection's token keeper.
struct force_refresh {
  using reply = stored_connection;
  connection_id id;
  refresh_cause cause;  ///< force, or the scheduler's sweep
  timestamp now{};
  bool exchanged = false;  ///< the keeper is done; what is left is to tell of it
};

struct lent_token {
  secret access;
  std::int64_t epoch = 0;  ///< of the tokens; whoever gets a 401 with it names it
};
/// The intent is durable; this is the token to present.
struct refresh_begun {
  oauth::refresh_intent intent;
  secret presented;
  std::string region;  ///< of the connection's account; empty: there is none
  bool retaken = false, with_previous = false;
};
/// Somebody else is at it, or was quicker: ask again.
struct refresh_elsewhere {
  bool stored = false;     ///< other tokens are there by now
  std::int64_t epoch = 0;  ///< of the tokens that were there when it was asked
};
struct refresh_failed {
  error why;
  bool lasting = false;  ///< only a new consent helps
};
using refresh_step = std::variant<lent_token, refresh_begun, refresh_elsewhere, refresh_failed>;

struct begin_refresh {
  using reply = refresh_step;
  connection_id id;
  std::optional<std::int64_t> rejected;  ///< the provider refused the access token of this epoch
  refresh_cause cause = refresh_cause::use;
  std::optional<std::int64_t> joined;  ///< somebody was exchanging this epoch's: younger tokens will do
  timestamp asked{};                   ///< the last time that it was forced: tokens that came later will do
  timestamp now{};
};
struct end_refresh {
  using reply = refresh_step;
  refresh_begun begun;
  oauth::token_answer answer;
  timestamp now{};
};

// ---- sync

struct queued_sync {
  struct entry {
    job row;
    bool coalesced = false;
  };
  std::vector<entry> jobs;  ///< never empty
};
struct request_sync {
  using reply = queued_sync;
  std::string provider;
  std::optional<connection_id> connection;
  job_type mode = job_type::incremental;
  timestamp now{};
};

/// From the scheduler: queue what is due, take back what a dead run left.
struct schedule_due {
  using reply = nothing;
  timestamp now{};
};

/// The right to run one job. Given back when its last copy dies.
struct run_slot {
  std::shared_ptr<std::atomic<bool>> used;  ///< set when a run begins
};
/// With a job, its run begins; without one there was nothing to do.
struct claimed_run {
  std::optional<claimed_job> work;
};
/// From the scheduler: run the most urgent due job.
struct run_job {
  using reply = claimed_run;
  run_slot slot;
  timestamp now{};
};

/// A run, as its writes name it.
struct run_ticket {
  job_id job;
  connection_id connection;
  std::int64_t fence = 0;
};
struct page_stored {
  std::int64_t fresh = 0;  ///< signals that were new
};
/// One page: its signals and the checkpoint, together.
struct commit_page {
  using reply = page_stored;
  run_ticket by;
  std::vector<provider::draft_signal> signals;
  std::vector<provider::tracker_issue> issues;
  std::string cursor;
  std::int64_t token_epoch = 0;  ///< whose access token worked
  timestamp now{};
};
struct renew_run {
  using reply = nothing;
  run_ticket by;
  timestamp now{};
};

struct end_run {
  using reply = nothing;
  run_ticket by;
  run_report report;
  timestamp now{};
};

// ---- discovery

using shared_discovery = std::shared_ptr<const provider::discovery>;
/// What a tracker can be bound to, as the provider tells it now. Changes no row of its own, but takes a
/// token, which may have to be renewed. Runs in a child.
struct discover_resources {
  using reply = shared_discovery;
  connection_id id;
  bool afresh = false;  ///< an answer that is remembered will not do
};

}  // namespace connectord
