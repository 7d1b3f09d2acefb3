#pragma once

#include "actors/audit.hpp"
#include "actors/plan.hpp"
#include "actors/tenant.hpp"

/// The transactions of a tenant actor, as functions that run on a storage worker.
namespace connectord {

/// Takes epoch + 1, so that older incarnations can no longer write, and loads the rows: from the
/// snapshot when it has their revision, else one by one. Nothing when there is no such tenant.
/// `newborn`: the first claim of an incarnation, so that jobs which this process was running for the tenant
/// are a dead incarnation's, and go back to the queue at once. Another node's wait for their lease.
result<std::optional<claimed_tenant>> claim_tenant_rows(storage::session& db, const services& s,
                                                        const tenant_id& id, bool provision, bool newborn,
                                                        timestamp now);

/// A plan with what its command brought along.
struct step {
  plan todo;
  std::optional<idempotency> key;  ///< under which the work is done and the answer kept
  renderer render;
  audit_trail trail;
};
/// One a step. Deliveries that leave the state alone go in together.
result<std::vector<ran_step>> run_steps(storage::session& db, const services& s, const tenant_id& t,
                                        std::span<const step> steps, timestamp now);

/// Settles up to `most` deliveries that were stored while nobody could process them, oldest first.
/// One that makes its handler throw is quarantined.
struct caught_up {
  std::int64_t settled = 0;
  std::vector<connection> rows{};          ///< that deliveries ended
  std::optional<std::int64_t> revision{};  ///< when there are any
};
result<caught_up> settle_received(storage::session& db, const services& s, const tenant_state& state,
                                  std::int64_t epoch, int most);

/// The connections as the rows have them, oldest first. Nothing while `epoch` is the tenant's: then the
/// memory of whoever claimed it says the same.
result<std::optional<connection_list>> connections_of_others(storage::session& db, const tenant_id& t,
                                                             std::int64_t epoch);

/// What answers a list_rows.
db_function row_reader(const tenant_id& t, const row_query& q);

}  // namespace connectord
