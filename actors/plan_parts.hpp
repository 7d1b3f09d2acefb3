#pragma once

#include "actors/plan.hpp"

/// Only for the plan_* sources and the claim of a tenant: what several kinds of mutation need.
namespace connectord {

/// Identities follow from the provider's definition; where deliveries name the connection itself, its
/// id is one of them.
void identify(const services& s, connection& c);
std::string sealed(const services& s, const tenant_id& t, const connection& c, const secret& plain);

/// The row without its tokens, and its identities. A revoked connection loses its tokens here.
result<> write_connection(storage::session& db, const tenant_id& t, connection row, bool created);
/// The connection as this transaction sees it: what memory takes over.
result<connection> reread(storage::session& db, const tenant_id& t, const connection_id& id);

/// Work that ends with the row as it stands; `answer` is made of that.
template <class Work, class Answer>
auto changing(const tenant_id& t, const connection_id& id, Work work, Answer answer) {
  return [t, id, work = std::move(work), answer = std::move(answer)](storage::session& db) -> result<effect> {
    if (const auto done = work(db); !done) return done.error();
    auto row = reread(db, t, id);
    if (!row) return row.error();
    auto said = answer(*row);
    return effect{std::move(said), {std::move(*row)}};
  };
}

// ---- consent and tokens
decision plan_start_oauth(const services_ptr& s, const tenant_state& state, const start_oauth& c);
decision plan_grant(const services_ptr& s, const tenant_state& state, const store_grant& c);
/// Of a refresh that is done: its row as it stands.
decision plan_refreshed(const tenant_state& state, const force_refresh& c);
decision plan_begin_refresh(const services_ptr& s, const tenant_state& state, const begin_refresh& c);
decision plan_end_refresh(const services_ptr& s, const tenant_state& state, const end_refresh& c);

/// What tells the provider that a connection is over; nothing when it has no way, or no token is readable.
std::optional<http_request> revocation_of(const services& s, const tenant_id& t, const connection& c);

// ---- sync
decision plan_request_sync(const services_ptr& s, const tenant_state& state, const request_sync& c);
/// Runs that died leave their jobs in the queue, or failed; a connection's next run is then as far away as
/// after any other failure.
struct taken_back {
  std::int64_t jobs = 0;
  std::vector<connection> rows;  ///< of connections whose job has failed
};
result<taken_back> take_back(storage::session& db, const services& s, const tenant_id& t,
                             std::string_view owner, timestamp now);
decision plan_schedule(const services_ptr& s, const tenant_state& state, const schedule_due& c);
decision plan_run(const services_ptr& s, const tenant_state& state, const run_job& c);
decision plan_page(const services_ptr& s, const tenant_state& state, const commit_page& c);
decision plan_renewal(const services_ptr& s, const tenant_state& state, const renew_run& c);
decision plan_end_run(const services_ptr& s, const tenant_state& state, const end_run& c);

}  // namespace connectord
