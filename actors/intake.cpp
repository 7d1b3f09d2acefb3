#include "actors/intake.hpp"

#include "actors/plan_parts.hpp"
#include "actors/tracker/observe.hpp"

#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/job_queue.hpp"
#include "storage/jobs.hpp"
#include "storage/signals.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <map>

namespace connectord {
namespace {

/// Credentials and proofs stay out of the store.
constexpr std::array dropped_headers{
    std::string_view{"authorization"},   std::string_view{"proxy-authorization"},
    std::string_view{"cookie"},          std::string_view{"set-cookie"},
    std::string_view{"x-api-key"},       std::string_view{"x-auth-token"},
    std::string_view{"x-csrf-token"},    std::string_view{"x-xsrf-token"},
    std::string_view{"x-webhook-secret"}};

provider::webhook_request view_of(const ingest_webhook& d) { return {d.headers, d.body, d.now}; }

const provider::proof_settings& proofs_of(const services& s, std::string_view slug) {
  static const provider::proof_settings none;
  const auto found = s.webhooks.proofs.find(slug);
  return found == s.webhooks.proofs.end() ? none : found->second;
}

/// Tries a connection's secrets, the current one first; the previous one while its overlap lasts.
result<> prove_with(const services& s, const tenant_id& tenant, const connection& c,
                    const ingest_webhook& d) {
  const auto& definition = *s.catalog.find(d.provider);
  const auto scope = secret_scope(tenant, c.provider, c.id);
  result<> last = error{errc::invalid_signature};
  for (const auto* sealed : {&c.webhook_secret, &c.previous_webhook_secret}) {
    if (!*sealed || ((*sealed)->valid_until && *(*sealed)->valid_until < d.now)) continue;
    const auto opened = s.keys.open((*sealed)->ciphertext, scope);
    if (!opened) continue;
    last = provider::verify(definition, proofs_of(s, d.provider), opened->reveal(), view_of(d), d.keys.get());
    if (last) return last;
  }
  return last;
}

delivery describe(const services& s, const ingest_webhook& d, const provider::examination& seen) {
  delivery row;
  row.id = delivery_id::make();
  row.receipt = receipt_id::make();
  row.provider = d.provider;
  row.dedupe_id = seen.dedupe_id;
  row.event_type = seen.event_type;
  row.provider_delivery_id = seen.provider_delivery_id;
  row.headers = without_credentials(s, d.headers);
  row.body = d.body;
  row.body_sha256 = seen.body_sha256;
  row.body_bytes = static_cast<std::int64_t>(d.body.size());
  row.received_at = d.now;
  return row;
}

/// What processing comes to, written on the row.
void conclude(delivery& row, const provider::examination& seen, timestamp now) {
  row.status = seen.outcome;
  row.error = seen.error;
  row.processed_at = now;
  row.attempts += 1;
}

job job_for(const delivery& row, timestamp now) {
  job j;
  j.id = job_id::make();
  j.provider = row.provider;
  j.connection = *row.connection;
  j.delivery = row.id;
  j.type = job_type::webhook;
  j.priority = webhook_priority;
  j.attempts = 1;
  j.scheduled_at = j.created_at = now;
  j.started_at = j.finished_at = now;
  j.status = row.status == delivery_status::failed ? job_status::failed : job_status::succeeded;
  if (row.status == delivery_status::failed)
    j.error = job_error{"permanent", row.error.value_or("not understood"), now, std::nullopt};
  return j;
}

signal signal_from(provider::draft_signal d, const delivery& row, const job_id& j) {
  signal out;
  out.id = signal_id::make();
  out.provider = row.provider;
  out.connection = *row.connection;
  out.kind = std::move(d.kind);
  out.entity = std::move(d.entity);
  out.entity_version = std::move(d.entity_version);
  out.occurred_at = d.occurred_at;
  out.received_at = row.received_at;
  out.payload = std::move(d.payload);
  out.dedupe_key = std::move(d.dedupe_key);
  out.delivery = row.id;
  out.job = j;
  return out;
}

std::vector<signal> signals_from(std::vector<provider::draft_signal> drafts, const delivery& row,
                                 const job_id& j) {
  std::vector<signal> out;
  out.reserve(drafts.size());
  for (auto& d : drafts) out.push_back(signal_from(std::move(d), row, j));
  return out;
}

/// What follows from a delivery whose row is written.
struct emission {
  const job& work;
  const std::vector<signal>& signals;
  std::vector<signal_id> named;  ///< by the receipt already
};

result<> emit(storage::session& db, const tenant_id& t, std::span<const emission> all) {
  std::vector<const signal*> signals;
  for (const auto& e : all)
    for (const auto& x : e.signals) signals.push_back(&x);
  if (const auto adopted = storage::adopt_polled(db, t, signals); !adopted) return adopted;
  const auto stored = storage::insert_signals(db, t, signals);
  if (!stored) return stored.error();
  std::vector<job> jobs;
  std::vector<storage::signal_link> links;
  auto next = stored->begin();
  for (const auto& e : all) {
    auto& work = jobs.emplace_back(e.work);
    auto named = e.named;
    for (auto n = e.signals.size(); n > 0; --n, ++next) {
      work.signals_emitted += next->inserted ? 1 : 0;
      if (std::ranges::find(named, next->id) != named.end()) continue;
      links.push_back({*work.delivery, next->id, static_cast<std::int64_t>(named.size())});
      named.push_back(next->id);
    }
  }
  if (const auto kept = storage::insert_jobs(db, t, jobs); !kept) return kept.error();
  return storage::link_signals(db, t, links);
}

/// What deliveries of one provider show of issues goes to the trackers that the tenant has bound.
result<> show_issues(storage::session& db, const services& s, const tenant_id& t, const std::string& provider,
                     std::span<const provider::tracker_issue> issues, timestamp now) {
  const auto* definition = s.catalog.find(provider);
  if (issues.empty() || definition == nullptr || !definition->tracker) return {};
  tracker::change change{db, t, now, s.tracker, {tracker::actor_kind::webhook, provider}};
  const auto shown = tracker::observe(change, {*definition->tracker, tracker::view::webhook, issues});
  if (!shown) return shown.error();
  return {};
}

/// True when the payload names a connection and none of the tenants that have it is this one.
result<bool> belongs_elsewhere(storage::session& db, const tenant_id& t, std::string_view provider,
                               const std::vector<identity>& candidates) {
  if (candidates.empty()) return false;
  const auto owners = storage::owners_of(db, provider, candidates);
  if (!owners) return owners.error();
  return !owners->empty() && std::ranges::none_of(*owners, [&](const auto& o) { return o.tenant == t; });
}

delivery without_connection(delivery row) {
  row.connection.reset();
  row.status = delivery_status::unmatched;
  row.processed_at.reset();
  row.attempts = 0;
  return row;
}

}  // namespace

header_list without_credentials(const services& s, const header_list& all) {
  header_list out;
  for (const auto& h : all)
    if (std::ranges::find(dropped_headers, h.first) == dropped_headers.end() &&
        !s.catalog.is_proof_header(h.first))
      out.push_back(h);
  return out;
}

void count_failed_proof(metrics& m, const std::string& provider, const error& refusal) {
  const auto* reason = refusal.details().if_contains("reason");
  const std::string_view outcome = reason ? std::string_view{reason->as_string()} : "not_configured";
  m.signature_failure({provider, outcome}).Increment();
  if (outcome == "timestamp_out_of_window") m.signature_replay_reject({provider}).Increment();
}

result<> prove_for_app(const services& s, const ingest_webhook& d) {
  const auto& settings = proofs_of(s, d.provider);
  const auto& definition = *s.catalog.find(d.provider);
  const bool by_keys = definition.proven_by(provider::proof_scheme::jwt_jwks) && !settings.audience.empty();
  if (s.webhooks.require_connection_secrets || (!settings.app_secret && !by_keys))
    return error{errc::unauthorized, "No webhook secret is configured."};
  const auto key = settings.app_secret ? settings.app_secret->reveal() : std::string_view{};
  return provider::verify(definition, settings, key, view_of(d), d.keys.get());
}

result<proof_result> prove(const services& s, const tenant_state& state, const ingest_webhook& d) {
  // A key set proves the provider's account, whatever secrets a connection has of its own.
  if (s.catalog.find(d.provider)->proven_by(provider::proof_scheme::jwt_jwks)) {
    const auto by_keys = prove_for_app(s, d);
    return by_keys ? result<proof_result>{proof_result{}} : by_keys.error();
  }
  std::optional<error> refusal;
  for (const auto* c : state.with_own_secret(d.provider)) {
    const auto proven = prove_with(s, state.row().id, *c, d);
    if (proven) return proof_result{c};
    refusal = proven.error();
  }
  const auto by_app = prove_for_app(s, d);
  if (by_app) return proof_result{};
  const bool unconfigured = by_app.error().code() == errc::unauthorized;
  return unconfigured && refusal ? *refusal : by_app.error();
}

const connection* connection_for(const tenant_state& state, std::string_view provider,
                                 const provider::examination& seen, bool& by_default) {
  by_default = false;
  if (seen.connection_hint) {
    const auto id = connection_id::parse(*seen.connection_hint);
    const auto* named = id ? state.find(*id) : nullptr;
    return named && named->usable() && named->provider == provider ? named : nullptr;
  }
  const auto match = state.resolve(provider, seen.candidates);
  by_default = match.by_default;
  return match.row;
}

job incremental_job(const connection& c, std::int64_t priority, timestamp now) {
  job j;
  j.id = job_id::make();
  j.provider = c.provider;
  j.connection = c.id;
  j.type = job_type::incremental;
  j.priority = priority;
  j.scheduled_at = j.created_at = now;
  return j;
}

result<intake> examine_delivery(const services& s, const tenant_state& state, const ingest_webhook& d,
                                const proof_result& proven, bool held) {
  const auto& definition = *s.catalog.find(d.provider);
  intake i;
  i.seen = provider::examine(definition, view_of(d), true);
  if (i.seen.challenge) return i;
  const auto* owner = proven.by;
  if (d.connection) {
    const auto* named = state.find(*d.connection);
    if (named == nullptr || !named->usable() || named->provider != d.provider) return error{errc::not_found};
    if (owner == nullptr) owner = named;
  }
  if (owner == nullptr) owner = connection_for(state, d.provider, i.seen, i.by_default);
  if (owner != nullptr && owner->has_own_secret() && !d.proven && proven.by == nullptr)
    return error{errc::invalid_signature}.with("reason", "signature_mismatch");
  i.row = describe(s, d, i.seen);
  if (owner != nullptr) i.row.connection = owner->id;
  if (held)
    i.row.status = delivery_status::received;
  else if (owner == nullptr)
    i.row.status = delivery_status::unmatched;
  else
    conclude(i.row, i.seen, d.now);
  if (owner != nullptr && !held) {
    i.work = job_for(i.row, d.now);
    i.signals = signals_from(std::exchange(i.seen.signals, {}), i.row, i.work->id);
    if (i.seen.queues_sync && definition.sync && owner->access_ciphertext)
      i.sync = incremental_job(*owner, incremental_priority, d.now);
  }
  return i;
}

result<std::vector<accepted_delivery>> take_in(storage::session& db, const services& s, const tenant_id& t,
                                               std::span<const intake* const> all) {
  std::vector<storage::arrival> arrivals;
  std::deque<delivery> disowned;
  for (const auto* i : all) {
    const auto* row = &i->row;
    if (i->by_default && row->connection) {
      const auto elsewhere = belongs_elsewhere(db, t, row->provider, i->seen.candidates);
      if (!elsewhere) return elsewhere.error();
      if (*elsewhere) row = &disowned.emplace_back(without_connection(*row));
    }
    arrivals.push_back({row, row->received_at + s.webhooks.dedupe});
  }
  const auto stored = storage::accept_deliveries(db, t, arrivals);
  if (!stored) return stored.error();
  std::vector<accepted_delivery> out;
  std::vector<emission> emissions;
  std::map<std::string, std::vector<provider::tracker_issue>> shown;  // by provider
  for (std::size_t n = 0; n < all.size(); ++n) {
    const auto& [id, receipt, deduplicated] = (*stored)[n];
    const auto& row = *arrivals[n].row;
    out.push_back({id, receipt, deduplicated});
    if (!deduplicated && row.connection && all[n]->work)  // neither held nor quarantined
      emissions.push_back({*all[n]->work, all[n]->signals, {}});
    if (!deduplicated && row.connection && all[n]->work && !all[n]->seen.issues.empty())
      std::ranges::copy(all[n]->seen.issues, std::back_inserter(shown[row.provider]));
    if (!deduplicated && row.connection && all[n]->sync)
      if (const auto queued = storage::enqueue_job(db, t, *all[n]->sync, storage::pausing::kept); !queued)
        return queued.error();
  }
  if (const auto emitted = emit(db, t, emissions); !emitted) return emitted.error();
  for (const auto& [provider, issues] : shown)
    if (const auto ok = show_issues(db, s, t, provider, issues, all.front()->row.received_at); !ok)
      return ok.error();
  return out;
}

void count_stored(metrics& m, const intake& i, const accepted_delivery& a) {
  if (a.deduplicated) return m.webhook_duplicates({i.row.provider}).Increment();
  m.webhook_deliveries({i.row.provider, name_of(i.row.status)}).Increment();
  if (i.row.status == delivery_status::unmatched) m.webhook_unmatched({i.row.provider}).Increment();
  if (i.seen.unmapped) m.webhook_unmapped({i.row.provider}).Increment();
  if (i.row.connection && i.row.status == delivery_status::processed)
    for (const auto& x : i.signals) m.signals_stored({i.row.provider, x.kind}).Increment();
}

result<settled> settle(storage::session& db, const services& s, const tenant_state& state,
                       const delivery& stored, std::optional<connection_id> wanted, timestamp now) {
  const auto* definition = s.catalog.find(stored.provider);
  if (definition == nullptr) return settled{stored.status, {}};
  auto row = stored;
  auto seen = provider::examine(*definition, {row.headers, row.body, row.received_at}, true);
  bool by_default = false;
  const auto* owner = wanted           ? state.find(*wanted)
                      : row.connection ? state.find(*row.connection)
                                       : connection_for(state, row.provider, seen, by_default);
  if (owner != nullptr && by_default) {
    const auto elsewhere = belongs_elsewhere(db, state.row().id, row.provider, seen.candidates);
    if (!elsewhere) return elsewhere.error();
    if (*elsewhere) owner = nullptr;
  }
  if (owner == nullptr || !owner->usable()) {
    row.status = delivery_status::unmatched;
    if (const auto kept = storage::finish_delivery(db, state.row().id, row); !kept) return kept.error();
    return settled{row.status, {}};
  }
  row.connection = owner->id;
  conclude(row, seen, now);
  if (const auto kept = storage::finish_delivery(db, state.row().id, row); !kept) return kept.error();
  const auto named = storage::receipt_signal_ids(db, state.row().id, row.id);
  if (!named) return named.error();
  const auto work = job_for(row, now);
  const auto signals = signals_from(std::move(seen.signals), row, work.id);
  if (const auto emitted = emit(db, state.row().id, std::array{emission{work, signals, *named}}); !emitted)
    return emitted.error();
  if (const auto shown = show_issues(db, s, state.row().id, row.provider, seen.issues, now); !shown)
    return shown.error();
  if (seen.queues_sync && definition->sync && owner->access_ciphertext)
    if (const auto queued = storage::enqueue_job(
            db, state.row().id, incremental_job(*owner, incremental_priority, now), storage::pausing::kept);
        !queued)
      return queued.error();
  settled done{row.status, {}};
  // Replayed, it says nothing about a connection that was made anew since.
  if (!seen.revokes_connection || stored.status != delivery_status::received) return done;
  done.ended = revoked(*owner, now);
  if (const auto written = write_connection(db, state.row().id, *done.ended, false); !written)
    return written.error();
  return done;
}

}  // namespace connectord
