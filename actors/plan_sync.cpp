#include "actors/plan_parts.hpp"
#include "actors/tracker/observe.hpp"
#include "base/log.hpp"
#include "domain/schedule.hpp"
#include "domain/signal.hpp"
#include "storage/connections.hpp"
#include "storage/job_queue.hpp"
#include "storage/jobs.hpp"
#include "storage/signals.hpp"

/// Jobs and runs: what is queued, who runs, and what a page or the end of a run writes.
namespace connectord {
namespace {

bool can_sync(const services& s, const connection& c) {
  const auto* definition = s.catalog.find(c.provider);
  return definition != nullptr && definition->sync && c.access_ciphertext &&
         c.status == connection_status::active;
}

error stale_run() { return error{errc::conflict, "The run was taken back."}; }

/// The next run of a connection whose time has come, and the row with the time of the one behind it.
struct scheduled {
  connection row;
  job next;
};
std::optional<scheduled> schedule(const services& s, const connection& c, timestamp now) {
  if (!c.next_run_at || !can_sync(s, c)) return std::nullopt;
  const auto interval = s.sync.interval_of(read_sync(c.metadata));
  const auto planned = plan_run(*c.next_run_at, interval, now);
  if (!planned) return std::nullopt;
  scheduled out{c, incremental_job(c, incremental_priority, now)};
  out.row.next_run_at = planned->next;
  const auto jitter = schedule_jitter(interval, s.sync.jitter_least, s.sync.jitter_most, s.chance());
  out.next.scheduled_at = planned->due + jitter;
  s.meters.sync_scheduler_jitter({}).Observe(static_cast<double>(jitter.count()));
  return out;
}

signal signal_of(const provider::draft_signal& d, const connection& c, const run_ticket& by, timestamp now) {
  return {.id = signal_id::make(),
          .provider = c.provider,
          .connection = c.id,
          .kind = d.kind,
          .entity = d.entity,
          .entity_version = d.entity_version,
          .occurred_at = d.occurred_at,
          .received_at = now,
          .payload = d.payload,
          .dedupe_key = d.dedupe_key,
          .delivery = {},
          .job = by.job};
}

/// One change seen by poll and by webhook is one signal: a version that is known gives no other.
result<std::int64_t> store_unknown(storage::session& db, const tenant_id& t, std::span<const signal> page) {
  std::vector<const signal*> unknown;
  for (const auto& x : page) {
    const auto known = storage::knows_version(db, t, x.provider, x.entity, x.entity_version);
    if (!known) return known.error();
    if (!*known) unknown.push_back(&x);
  }
  const auto stored = storage::insert_signals(db, t, unknown);
  if (!stored) return stored.error();
  return std::ranges::count_if(*stored, [](const auto& one) { return one.inserted; });
}

/// What a page shows of issues goes to the trackers that the tenant has bound.
result<> show_issues(storage::session& db, const services& s, const tenant_id& t, const std::string& provider,
                     const commit_page& c) {
  const auto* definition = s.catalog.find(provider);
  if (c.issues.empty() || definition == nullptr || !definition->tracker) return {};
  tracker::change change{db, t, c.now, s.tracker, {tracker::actor_kind::system, provider}};
  const auto shown = tracker::observe(change, {*definition->tracker, tracker::view::poll, c.issues});
  if (!shown) return shown.error();
  return {};
}

/// The connection's row after a run: its sync record, its next run, and its status.
connection concluded(const services& s, connection row, const run_verdict& v, timestamp now) {
  row.metadata = with_sync(row.metadata, v.record);
  if (v.status != job_status::queued && row.status == connection_status::active)
    row.next_run_at = now + s.sync.interval_of(v.record);
  if (v.connection_failed && row.usable()) {
    if (row.status == connection_status::active) row.status_reason = "unauthorized";
    row.status = connection_status::error;
    row.next_run_at.reset();
  }
  row.updated_at = now;
  return row;
}

result<std::optional<claimed_job>> held_job(storage::session& db, const tenant_id& t, const run_ticket& by) {
  auto held = storage::find_running(db, t, by.job);
  if (!held) return held.error();
  if (*held && (*held)->fence != by.fence) return std::optional<claimed_job>{};
  return held;
}

/// The end of a run, in its transaction.
result<> write_end(storage::session& db, const services& s, const tenant_id& t, const connection& c,
                   const end_run& e) {
  auto held = held_job(db, t, e.by);
  if (!held) return held.error();
  if (!*held) return stale_run();
  auto& job = **held;
  const auto verdict = judge_run(e.report, read_sync(c.metadata), job.counted_failures, s.sync,
                                 s.backoff_of(c.provider), s.chance(), e.now);
  job.row.status = verdict.status;
  job.row.error = verdict.error;
  job.row.retry_after = verdict.retry_after;
  job.counted_failures = verdict.counted_failures;
  if (e.report.how == run_end::released) --job.row.attempts;
  if (verdict.status != job_status::queued) job.row.finished_at = e.now;
  const auto ended = storage::finish_job(db, t, job);
  if (!ended) return ended.error();
  if (verdict.follow_up) {
    const auto next = incremental_job(c, job.row.priority, e.now);
    if (const auto queued = storage::enqueue_job(db, t, next, storage::pausing::kept, e.report.cursor);
        !queued)
      return queued.error();
  }
  return write_connection(db, t, concluded(s, c, verdict, e.now), false);
}

}  // namespace

decision plan_request_sync(const services_ptr& s, const tenant_state& state, const request_sync& c) {
  std::vector<job> wanted;
  for (const auto& [id, row] : state.connections()) {
    if (row.provider != c.provider || (c.connection && id != *c.connection) || !can_sync(*s, row)) continue;
    wanted.push_back(incremental_job(row, manual_priority, c.now));
    wanted.back().type = c.mode;
  }
  if (wanted.empty()) return error{errc::not_found};
  plan p;
  p.queues_work = true;
  p.object = c.connection ? c.connection->str() : c.provider;
  p.work = [t = state.row().id, wanted](storage::session& db) -> result<effect> {
    queued_sync out;
    for (const auto& j : wanted) {
      auto queued = storage::enqueue_job(db, t, j, storage::pausing::ended);
      if (!queued) return queued.error();
      out.jobs.push_back({std::move(queued->row), queued->coalesced});
    }
    return effect{outcome{std::move(out)}};
  };
  return p;
}

decision plan_schedule(const services_ptr& s, const tenant_state& state, const schedule_due& c) {
  std::vector<scheduled> due;
  for (const auto& [id, row] : state.connections())
    if (auto next = schedule(*s, row, c.now)) due.push_back(std::move(*next));
  plan p;
  p.changes = true;
  p.moves_jobs = true;
  p.work = [s, t = state.row().id, due = std::move(due),
            now = c.now](storage::session& db) -> result<effect> {
    effect e{outcome{nothing{}}};
    for (const auto& d : due) {
      if (const auto kept = write_connection(db, t, d.row, false); !kept) return kept.error();
      e.rows.push_back(d.row);
    }
    auto taken_back = take_back(db, *s, t, {}, now);
    if (!taken_back) return taken_back.error();
    e.rows.insert(e.rows.end(), taken_back->rows.begin(), taken_back->rows.end());
    for (const auto& d : due)
      if (const auto queued = storage::enqueue_job(db, t, d.next, storage::pausing::kept); !queued)
        return queued.error();
    e.scheduled = due.size();
    e.reclaimed = taken_back->jobs;
    return e;
  };
  return p;
}

result<taken_back> take_back(storage::session& db, const services& s, const tenant_id& t,
                             std::string_view owner, timestamp now) {
  const auto reclaimed = storage::reclaim_jobs(db, t, s.sync.most_attempts, owner, now);
  if (!reclaimed) return reclaimed.error();
  taken_back out{reclaimed->count, {}};
  for (const auto& id : reclaimed->exhausted) {
    auto row = reread(db, t, id);
    if (!row) return row.error();
    run_verdict failed{.status = job_status::failed, .record = read_sync(row->metadata)};
    failed.record.last_error = name_of(run_end::transient);
    out.rows.push_back(concluded(s, std::move(*row), failed, now));
    if (const auto kept = write_connection(db, t, out.rows.back(), false); !kept) return kept.error();
  }
  return out;
}

decision plan_run(const services_ptr& s, const tenant_state& state, const run_job& c) {
  plan p;
  p.moves_jobs = true;
  p.work = [s, t = state.row().id, now = c.now](storage::session& db) -> result<effect> {
    auto claimed = storage::claim_job(db, t, {s->node, now + s->sync.lease}, now);
    if (!claimed) return claimed.error();
    return effect{outcome{claimed_run{std::move(*claimed)}}};
  };
  return p;
}

decision plan_page(const services_ptr& s, const tenant_state& state, const commit_page& c) {
  const auto* owner = state.find(c.by.connection);
  if (owner == nullptr || !owner->usable()) return stale_run();
  std::vector<signal> page;
  page.reserve(c.signals.size());
  for (const auto& d : c.signals) page.push_back(signal_of(d, *owner, c.by, c.now));
  const auto t = state.row().id;
  const bool proven = owner->previous_refresh && owner->token_epoch == c.token_epoch;
  plan p;
  p.changes = proven;
  p.feeds = !c.issues.empty();
  p.work = [s, t, c, proven, slug = owner->provider,
            page = std::move(page)](storage::session& db) -> result<effect> {
    const auto fresh = store_unknown(db, t, page);
    if (!fresh) return fresh.error();
    const auto kept =
        storage::save_checkpoint(db, t, c.by.job, c.by.fence, c.cursor, *fresh, c.now + s->sync.lease);
    if (!kept) return kept.error();
    if (!*kept) return stale_run();
    if (const auto shown = show_issues(db, *s, t, slug, c); !shown) return shown.error();
    effect e{outcome{page_stored{*fresh}}};
    if (!proven) return e;
    if (const auto ok = storage::forget_previous_refresh(db, t, c.by.connection, c.token_epoch); !ok)
      return ok.error();
    auto stands = reread(db, t, c.by.connection);
    if (!stands) return stands.error();
    e.rows.push_back(std::move(*stands));
    return e;
  };
  return p;
}

decision plan_renewal(const services_ptr& s, const tenant_state& state, const renew_run& c) {
  plan p;
  p.work = [t = state.row().id, c, until = c.now + s->sync.lease](storage::session& db) -> result<effect> {
    const auto kept = storage::renew_lease(db, t, c.by.job, c.by.fence, until);
    if (!kept) return kept.error();
    if (!*kept) return stale_run();
    return effect{outcome{nothing{}}};
  };
  return p;
}

decision plan_end_run(const services_ptr& s, const tenant_state& state, const end_run& c) {
  const auto* owner = state.find(c.by.connection);
  if (owner == nullptr) return stale_run();
  const auto t = state.row().id;
  plan p{changing(
      t, owner->id, [s, t, row = *owner, c](storage::session& db) { return write_end(db, *s, t, row, c); },
      [](const connection&) { return outcome{nothing{}}; })};
  p.changes = true;
  p.queues_work = true;
  return p;
}

}  // namespace connectord
