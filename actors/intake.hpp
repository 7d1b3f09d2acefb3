#pragma once

#include "actors/protocol/tenant.hpp"
#include "actors/services.hpp"
#include "domain/job.hpp"
#include "domain/provider/examine.hpp"
#include "domain/signal.hpp"
#include "domain/tenant_state.hpp"
#include "storage/session.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

/// From a delivery to its rows: who proved it, whom it belongs to, what it means. The tenant decides
/// with its state in memory, the inbox with rows that it has just read; both write the same way.
namespace connectord {

/// What may be stored of a delivery's headers.
header_list without_credentials(const services& s, const header_list& all);

/// How a delivery was proven.
struct proof_result {
  const connection* by = nullptr;  ///< the connection whose own secret it was; else the app's
};
/// INVALID_SIGNATURE with a reason, or UNAUTHORIZED when there is nothing to prove it with.
result<proof_result> prove(const services& s, const tenant_state& state, const ingest_webhook& d);

/// With the app-wide secret alone: all that can be said before a tenant is known.
result<> prove_for_app(const services& s, const ingest_webhook& d);

void count_failed_proof(metrics& m, const std::string& provider, const error& refusal);

/// The job of a connection's next run, due now.
job incremental_job(const connection& c, std::int64_t priority, timestamp now);

/// A delivery that is decided but not yet written.
struct intake {
  delivery row;                ///< with its final status
  provider::examination seen;  ///< its signals are in `signals`
  std::optional<job> work;     ///< only of a delivery that is processed at once; so are its signals
  std::vector<signal> signals;
  std::optional<job> sync;  ///< the event only says that there is something to fetch
  /// Taken by the tenant's only connection although the payload names another one: when that one
  /// belongs to another tenant, the delivery is unmatched.
  bool by_default = false;
};

/// Reads the delivery and finds its connection. `proven` names the connection already, if one did.
/// `held` keeps it as `received`: the tenant is suspended or cannot process now. Refuses what
/// X-Connection-Id gets wrong, and a delivery that the app-wide secret proves for a connection
/// with a secret of its own.
result<intake> examine_delivery(const services& s, const tenant_state& state, const ingest_webhook& d,
                                const proof_result& proven, bool held);
/// The connection that a stored or fresh delivery resolves to.
const connection* connection_for(const tenant_state& state, std::string_view provider,
                                 const provider::examination& seen, bool& by_default);

/// Part of a transaction: dedupe keys, deliveries, jobs and signals of one tenant, in as few
/// statements as they fit into. One answer a delivery, in order. May run twice.
result<std::vector<accepted_delivery>> take_in(storage::session& db, const services& s, const tenant_id& t,
                                               std::span<const intake* const> all);

/// Once committed.
void count_stored(metrics& m, const intake& i, const accepted_delivery& a);

/// Processes a delivery that is stored already (received, unmatched, or to be replayed). Signals
/// that are there are linked again, not stored again.
struct settled {
  delivery_status status = delivery_status::received;
  std::optional<connection> ended;  ///< by the event; its row is written
};
result<settled> settle(storage::session& db, const services& s, const tenant_state& state,
                       const delivery& stored, std::optional<connection_id> wanted, timestamp now);

}  // namespace connectord
