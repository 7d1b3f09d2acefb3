#include "actors/sync_run.hpp"

#include "actors/calls.hpp"
#include "base/log.hpp"

#include <caf/exit_reason.hpp>

namespace connectord {
namespace {

using std::chrono::steady_clock;

/// A retry goes on where its predecessor stopped; a full run begins anew.
std::string cursor_of(const run_start& start) {
  if (start.work.cursor) return *start.work.cursor;
  if (start.work.row.type == job_type::full) return {};
  return read_sync(start.row.metadata).cursor.value_or("");
}

run_end end_of(provider::failure_class what) {
  switch (what) {
    case provider::failure_class::unauthorized: return run_end::unauthorized;
    case provider::failure_class::rate_limited: return run_end::rate_limited;
    case provider::failure_class::transient: return run_end::transient;
    case provider::failure_class::permanent: break;
  }
  return run_end::permanent;
}

}  // namespace

sync_run_worker::sync_run_worker(self_pointer<sync_run_worker> self, services_ptr s, tenant_id tenant,
                                 run_start start, tenant_actor parent)
    : self_(self),
      services_(std::move(s)),
      tenant_(tenant),
      start_(std::move(start)),
      parent_(std::move(parent)),
      begun_(steady_clock::now()) {
  const auto& policy = services_->sync;
  run_.emplace(*services_->catalog.find(start_.row.provider), sync_context_of(*services_, start_.row),
               cursor_of(start_), provider::sync_limits{policy.longest_run, policy.items_per_run},
               services_->now());
  beat();
  proceed();
}

sync_run_worker::interface::behavior_type sync_run_worker::behavior() {
  return {
      [this](const stop_run&) { end(run_end::released); },
      [this](const heartbeat&) {
        if (ended_) return;
        ask_tenant(renew_run{ticket(), services_->now()}, [](const outcome&) {});
        beat();
      },
  };
}

void sync_run_worker::beat() {
  self_->delayed_send(self_, milliseconds{services_->sync.lease} / 3, heartbeat{});
}

template <class Command, class Then>
void sync_run_worker::ask_tenant(Command c, Then then) {
  const auto patience = patience_of(*services_);
  self_->request(parent_, patience, own_command(std::move(c), patience))
      .then([then](const tenant_outcome& o) { then(o.value); },
            [this](const caf::error& e) {
              // Taken back, suspended, or the store is away: the row says what becomes of the job.
              log::warn(
                  "sync.run_abandoned",
                  {{"tenant_id", tenant_}, {"job_id", start_.work.row.id}, {"error", from_caf(e).message()}});
              self_->quit(caf::exit_reason::normal);
            });
}

void sync_run_worker::proceed() {
  if (ended_) return;
  auto next = run_->next();
  if (const auto* failure = std::get_if<provider::sync_failure>(&next)) return on_failure(*failure);
  call(std::move(std::get<http_request>(next)));
}

/// The token is asked for before each call: it may have been renewed, or be about to end.
void sync_run_worker::call(http_request request) {
  self_
      ->request(start_.keeper, 3 * services_->call_patience,
                fresh_token{refresh_cause::use, refused_.first()})
      .then([this, request = std::move(request)](const token_lent& t) { send(request, t.token); },
            [this](const caf::error& e) {
              const bool over = from_caf(e).code() == errc::unauthorized;
              end(over ? run_end::unauthorized : run_end::transient, "no usable token");
            });
}

void sync_run_worker::send(const http_request& request, const lent_token& token) {
  if (ended_) return;
  if (!refused_.try_with(token)) return end(run_end::unauthorized, "refused with two tokens");
  const auto& definition = *services_->catalog.find(start_.row.provider);
  self_
      ->request(services_->outbound->get(), patience_of(*services_),
                call_of(*services_, tenant_, start_.row.provider,
                        provider::authorize(request, definition, token.access)))
      .then([this](const http_answered& a) { on_answer(a.response); },
            [this](const caf::error&) { on_answer(unreachable()); });
}

void sync_run_worker::on_answer(const http_response& r) {
  if (ended_) return;
  if (const auto told = limit_left_of(r.headers)) limit_ = told_limit{*told, services_->now()};
  if (r.status == 401) {
    // The same call again with another token: a refreshed one, or one that somebody has renewed meanwhile.
    refused_.refused();
    return proceed();
  }
  auto step = run_->take(r, services_->now());
  if (std::holds_alternative<provider::sync_continues>(step)) return proceed();
  if (auto* page = std::get_if<provider::sync_page>(&step)) return on_page(std::move(*page));
  on_failure(std::get<provider::sync_failure>(step));
}

void sync_run_worker::on_page(provider::sync_page page) {
  refused_.worked();
  for (const auto& mail : page.rejected)
    log::info("mail.rejected",
              {{"provider", start_.row.provider}, {"score", mail.score}, {"reason", mail.reason}});
  cursor_ = page.cursor;
  const bool more = page.more, at_limit = page.limit_reached;
  const auto signals = page.signals.size();
  ask_tenant(commit_page{ticket(), std::move(page.signals), std::move(page.issues), std::move(page.cursor),
                         refused_.current(), services_->now()},
             [this, more, at_limit, signals](const outcome& o) {
               const auto fresh = std::get<page_stored>(o).fresh;
               services_->meters.signals_suppressed({start_.row.provider})
                   .Increment(static_cast<double>(signals) - static_cast<double>(fresh));
               if (!more) return end(run_end::complete);
               if (at_limit) return end(run_end::continued);
               proceed();
             });
}

void sync_run_worker::on_failure(const provider::sync_failure& f) {
  no_progress_ = f.no_progress;
  end(end_of(f.what), f.message, f.hint);
}

void sync_run_worker::end(run_end how, std::string message, std::optional<seconds> hint) {
  if (std::exchange(ended_, true)) return;
  const auto& slug = start_.row.provider;
  auto& m = services_->meters;
  m.sync_jobs({slug, name_of(how)}).Increment();
  m.sync_job_seconds({slug}).Observe(std::chrono::duration<double>(steady_clock::now() - begun_).count());
  if (how == run_end::rate_limited) {
    m.rate_limited({slug}).Increment();
    m.rate_limited_backoff({slug}).Observe(static_cast<double>(hint.value_or(seconds{0}).count()));
  }
  run_report report{how, cursor_, no_progress_, hint, std::move(message), limit_};
  if (how == run_end::complete || how == run_end::continued)
    report.without_progress = run_->without_progress();
  ask_tenant(end_run{ticket(), std::move(report), services_->now()},
             [this](const outcome&) { self_->quit(caf::exit_reason::normal); });
}

sync_run_actor spawn_sync_run(cradle where, services_ptr s, const tenant_id& tenant, run_start start,
                              tenant_actor parent) {
  const auto id = "sync/" + start.work.row.id.str();
  return spawn<sync_run_worker>(where, {id, "sync", {}, tenant}, std::move(s), tenant, std::move(start),
                                std::move(parent));
}

}  // namespace connectord
