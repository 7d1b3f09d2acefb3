#pragma once

#include "actors/protocol/tenant_work.hpp"
#include "domain/ids.hpp"

/// A tenant's children, and the scheduler that wakes tenants.
namespace connectord {

/// Exchange the code and ask who consented.
struct begin_flow : message {
  explicit begin_flow(complete_oauth c) : what(std::move(c)) {}
  complete_oauth what;
};
struct flow_granted : message {
  explicit flow_granted(store_grant g) : grant(std::move(g)) {}
  store_grant grant;
};
using oauth_flow_actor = typed_actor<replies<begin_flow, flow_granted>>;  // One consent; ends with it.

/// A token that can be used now. All who ask while a refresh is under way share it.
struct fresh_token : message {
  explicit fresh_token(refresh_cause c, std::optional<std::int64_t> r = {}, timestamp a = timestamp::max())
      : cause(c), rejected(r), asked(a) {}
  refresh_cause cause;
  std::optional<std::int64_t> rejected;
  timestamp asked;  ///< when it was forced
};
struct token_lent : message {
  explicit token_lent(lent_token t) : token(std::move(t)) {}
  lent_token token;
};
using token_keeper_actor = typed_actor<replies<fresh_token, token_lent>>;  // One a connection.

/// Back to the queue at once; what is committed stays.
struct stop_run : message {};
using sync_run_actor = typed_actor<accepts<stop_run>>;  // One a running job; ends with it.

/// A tenant has committed a job, or has room again.
struct work_queued : message {
  work_queued() = default;
  explicit work_queued(tenant_id t) : tenant(t) {}
  std::optional<tenant_id> tenant;  ///< absent: the rows tell who
};
struct read_backlog : message {};
struct backlog : message {
  explicit backlog(std::optional<timestamp> t) : waiting_since(t) {}
  std::optional<timestamp> waiting_since;  ///< a job is due since then, and none was claimed
};
/// Finds due work and wakes its tenants; runs nothing.
using ticker_actor = typed_actor<accepts<work_queued>, replies<read_backlog, backlog>>;

}  // namespace connectord
