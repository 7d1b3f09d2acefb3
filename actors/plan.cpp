#include "actors/plan.hpp"

#include "actors/plan_parts.hpp"
#include "actors/tracker/facade.hpp"
#include "actors/tracker/gates.hpp"
#include "actors/tracker/projects.hpp"
#include "actors/tracker/tracker.hpp"
#include "base/log.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/grounded_signals.hpp"
#include "storage/job_queue.hpp"
#include "storage/signal_configs.hpp"

#include <array>

namespace connectord {
namespace {

/// 256 bits as base64; behind `whsec_` this is what the Standard Webhooks scheme expects.
std::string random_key() {
  digest256 key;
  random_bytes(key);
  return to_base64(bytes_of(key));
}

bool suspended(const tenant_state& state) { return state.row().status == tenant_status::suspended; }

plan store_connection(const tenant_id& t, connection row, bool created) {
  const auto id = row.id;
  plan p{changing(
      t, id,
      [t, row = std::move(row), created](storage::session& db) {
        return write_connection(db, t, row, created);
      },
      [created](const connection& now) {
        return outcome{stored_connection{now, created}};
      })};
  p.changes = true;
  p.object = id.str();
  return p;
}

decision plan_ingest(const services_ptr& s, const tenant_state& state, const ingest_webhook& d) {
  auto& meters = s->meters;
  const bool held = suspended(state);
  if (held && d.proven) return error{errc::tenant_suspended};
  proof_result proven;
  if (!d.proven) {
    const auto begun = std::chrono::steady_clock::now();
    auto checked = prove(*s, state, d);
    meters.signature_seconds({d.provider})
        .Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    if (!checked) {
      const error refusal = checked.error();
      count_failed_proof(meters, d.provider, refusal);
      return refusal;
    }
    meters.signature_success({d.provider}).Increment();
    proven = *checked;
  }
  auto examined = examine_delivery(*s, state, d, proven, held);
  if (!examined) return examined.error();
  if (examined->seen.challenge) return outcome{ingest_outcome{challenge_echo{*examined->seen.challenge}}};
  plan p;
  p.delivery = std::make_shared<const intake>(std::move(*examined));
  const auto& row = p.delivery->row;
  p.queues_work = p.delivery->seen.queues_sync;
  p.feeds = !p.delivery->seen.issues.empty();
  std::optional<connection> ended;
  if (p.delivery->seen.revokes_connection && row.connection && !held) {
    ended = revoked(*state.find(*row.connection), d.now);
    p.changes = true;
    p.object = ended->id.str();
  }
  p.work = [s, i = p.delivery, t = state.row().id, ended](storage::session& db) -> result<effect> {
    const auto taken = take_in(db, *s, t, std::array{i.get()});
    if (!taken) return taken.error();
    effect e{outcome{ingest_outcome{taken->front()}}};
    // A delivery that comes again says nothing about a connection that was made anew since.
    if (!ended || taken->front().deduplicated) return e;
    if (const auto written = write_connection(db, t, *ended, false); !written) return written.error();
    auto stands = reread(db, t, ended->id);
    if (!stands) return stands.error();
    e.rows.push_back(std::move(*stands));
    return e;
  };
  return p;
}

decision plan_create(const services_ptr& s, const tenant_state& state, const create_connection& c) {
  auto change = decide_connection(state, c.wanted, c.now);
  identify(*s, change.row);
  if (c.webhook_secret) {
    change.row.previous_webhook_secret.reset();
    change.row.webhook_secret =
        sealed_secret{sealed(*s, state.row().id, change.row, *c.webhook_secret), std::nullopt};
  }
  return store_connection(state.row().id, std::move(change.row), change.created);
}

decision plan_patch(const services_ptr& s, const tenant_state& state, const patch_connection& c) {
  auto row = decide_patch(state, c.id, c.patch, s->longest_sync_interval, c.now);
  if (!row) return row.error();
  if (row->usable()) identify(*s, *row);
  const auto before = s->sync.interval_of(read_sync(state.find(c.id)->metadata));
  if (row->next_run_at) *row->next_run_at += s->sync.interval_of(read_sync(row->metadata)) - before;
  auto p = store_connection(state.row().id, std::move(*row), false);
  p.queues_work = true;
  return p;
}

decision plan_delete(const tenant_state& state, const delete_connection& c) {
  const auto* row = state.find(c.id);
  if (row == nullptr) return error{errc::not_found};
  if (!row->usable()) return outcome{nothing{}};
  const auto t = state.row().id;
  plan p{changing(
      t, c.id,
      [t, ended = revoked(*row, c.now), now = c.now](storage::session& db) -> result<> {
        const auto cancelled = storage::cancel_jobs(db, t, ended.id, now);
        if (!cancelled) return cancelled.error();
        return write_connection(db, t, ended, false);
      },
      [](const connection&) { return outcome{nothing{}}; })};
  p.changes = true;
  p.moves_jobs = true;
  p.ended = *row;
  return p;
}

decision plan_rotation(const services_ptr& s, const tenant_state& state, const rotate_webhook_secret& c) {
  const auto* current = state.find(c.id);
  if (current == nullptr) return error{errc::not_found};
  if (!current->usable()) return error{errc::conflict, "The connection is revoked."}.with("field", "status");
  auto row = *current;
  const secret fresh{"whsec_" + random_key()};
  new_webhook_secret made{fresh, row.provider, std::nullopt};
  row.previous_webhook_secret = row.webhook_secret;
  if (row.previous_webhook_secret) {
    made.previous_valid_until = c.now + s->webhooks.secret_overlap;
    row.previous_webhook_secret->valid_until = made.previous_valid_until;
  }
  row.webhook_secret = sealed_secret{sealed(*s, state.row().id, row, fresh), std::nullopt};
  row.updated_at = c.now;
  const auto t = state.row().id;
  plan p{changing(
      t, c.id, [t, row](storage::session& db) { return write_connection(db, t, row, false); },
      [made](const connection&) { return outcome{made}; })};
  p.changes = true;
  return p;
}

decision plan_replay(const services_ptr& s, const tenant_state& state, const replay_delivery& c) {
  if (c.connection) {
    const auto* wanted = state.find(*c.connection);
    if (wanted == nullptr || !wanted->usable()) return error{errc::not_found};
  }
  const auto known = std::make_shared<const tenant_state>(state);
  plan p{[s, known, c](storage::session& db) -> result<effect> {
    const auto found = storage::find_delivery(db, known->row().id, c.id);
    if (!found) return found.error();
    if (!*found) return error{errc::not_found};
    const auto& row = **found;
    if (c.connection && known->find(*c.connection)->provider != row.provider) return error{errc::not_found};
    const auto done = settle(db, *s, *known, row, c.connection, c.now);
    if (!done) return done.error();
    return effect{outcome{replayed_delivery{row.id, row.receipt, done->status}}};
  }};
  p.feeds = true;
  return p;
}

/// Rows that no actor holds: the transaction is the whole of it.
decision plan_grounded(const tenant_id& t, const patch_grounded& c) {
  return plan{[t, c](storage::session& db) -> result<effect> {
    auto row = storage::find_grounded(db, t, c.id);
    if (!row) return row.error();
    if (!*row) return error{errc::not_found};
    (*row)->status = c.status;
    if (c.names_recommendation) (*row)->recommendation = c.recommendation;
    (*row)->updated_at = std::max(c.now, (*row)->updated_at + milliseconds{1});
    if (const auto stored = storage::update_grounded(db, t, **row); !stored) return stored.error();
    return effect{outcome{std::move(**row)}};
  }};
}

decision plan_grounded(const tenant_id& t, const delete_grounded& c) {
  return plan{[t, id = c.id](storage::session& db) -> result<effect> {
    const auto gone = storage::delete_grounded(db, t, id);
    if (!gone) return gone.error();
    return effect{outcome{nothing{}}};
  }};
}

decision plan_grounded(const tenant_id& t, const put_signal_config& c) {
  auto wanted = c.wanted;
  wanted.updated_at = c.now;
  plan p{[t, wanted, now = c.now](storage::session& db) -> result<effect> {
    const auto stored = storage::put_signal_config(db, t, wanted, now);
    if (!stored) return stored.error();
    return effect{outcome{wanted}};
  }};
  p.object = t.str();  // the tenant has one
  return p;
}

}  // namespace

void identify(const services& s, connection& c) {
  const auto& definition = *s.catalog.find(c.provider);
  c.identities = provider::identities_of(definition, c.external_id, parse_json_object(c.metadata).value());
  if (definition.webhook.connection_id) c.identities.push_back({"connection", c.id.str()});
}

std::string sealed(const services& s, const tenant_id& t, const connection& c, const secret& plain) {
  return s.keys.seal(plain.reveal(), secret_scope(t, c.provider, c.id));
}

result<> write_connection(storage::session& db, const tenant_id& t, connection row, bool created) {
  const auto stored =
      created ? storage::insert_connection(db, t, row) : storage::update_connection(db, t, row);
  if (!stored) return stored.error();
  if (!row.usable())
    if (const auto erased = storage::replace_tokens(db, t, row); !erased) return erased.error();
  return storage::replace_identities(db, t, row);
}

result<connection> reread(storage::session& db, const tenant_id& t, const connection_id& id) {
  auto row = storage::find_connection(db, t, id);
  if (!row) return row.error();
  if (!*row) return error{errc::not_found};
  return std::move(**row);
}

namespace {

/// A gate's delivery is proven first: nobody else learns how the tenant is. Offers answer reads. What was
/// begun before is brought to its end: tokens that came are stored, and a run goes back to the queue.
bool judges_suspension(const mutation& m) {
  if (std::holds_alternative<end_refresh>(m) || std::holds_alternative<end_run>(m)) return true;
  if (const auto* facade = std::get_if<change_facade>(&m)) return facade->only_offers();
  const auto* gates = std::get_if<change_gates>(&m);
  return gates != nullptr && std::holds_alternative<take_gate_delivery>(gates->what);
}

}  // namespace

decision decide(const services_ptr& s, const tenant_state& state, const mutation& m) {
  if (const auto* d = std::get_if<ingest_webhook>(&m)) return plan_ingest(s, state, *d);
  if (suspended(state) && !judges_suspension(m)) return error{errc::tenant_suspended};
  return std::visit(
      [&](const auto& c) -> decision {
        using command = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<command, create_connection>) return plan_create(s, state, c);
        if constexpr (std::is_same_v<command, patch_connection>) return plan_patch(s, state, c);
        if constexpr (std::is_same_v<command, delete_connection>) return plan_delete(state, c);
        if constexpr (std::is_same_v<command, rotate_webhook_secret>) return plan_rotation(s, state, c);
        if constexpr (std::is_same_v<command, replay_delivery>) return plan_replay(s, state, c);
        if constexpr (requires { plan_grounded(state.row().id, c); }) return plan_grounded(state.row().id, c);
        if constexpr (requires { plan_tracker(s, state, c); }) return plan_tracker(s, state, c);
        if constexpr (std::is_same_v<command, start_oauth>) return plan_start_oauth(s, state, c);
        if constexpr (std::is_same_v<command, store_grant>) return plan_grant(s, state, c);
        if constexpr (std::is_same_v<command, force_refresh>) return plan_refreshed(state, c);
        if constexpr (std::is_same_v<command, begin_refresh>) return plan_begin_refresh(s, state, c);
        if constexpr (std::is_same_v<command, end_refresh>) return plan_end_refresh(s, state, c);
        if constexpr (std::is_same_v<command, request_sync>) return plan_request_sync(s, state, c);
        if constexpr (std::is_same_v<command, schedule_due>) return plan_schedule(s, state, c);
        if constexpr (std::is_same_v<command, run_job>) return plan_run(s, state, c);
        if constexpr (std::is_same_v<command, commit_page>) return plan_page(s, state, c);
        if constexpr (std::is_same_v<command, renew_run>) return plan_renewal(s, state, c);
        if constexpr (std::is_same_v<command, end_run>) return plan_end_run(s, state, c);
        return error{errc::internal};
      },
      m);
}

}  // namespace connectord
