#include "actors/calls.hpp"
#include "actors/plan_parts.hpp"
#include "actors/tenant.hpp"
#include "base/log.hpp"

/// How a tenant and its children work together, and what a commit sets off beside its answer.
namespace connectord {
namespace {

using std::chrono::steady_clock;

constexpr seconds revocation_patience{10};

}  // namespace

/// What takes more than a transaction goes to a child, which answers or comes back with a command of its own.
bool tenant_worker::hand_over(queued_command& q) {
  auto& change = q.command.change;
  const auto refused = [&](error e) {
    answer(std::move(q), std::move(e));
    return true;
  };
  auto* connect_now = std::get_if<complete_oauth>(&change);
  const auto* refresh_now = std::get_if<force_refresh>(&change);
  const auto* look = std::get_if<discover_resources>(&change);
  const auto* run = std::get_if<run_job>(&change);
  if (run != nullptr && (leaving_ || !children_.may_run_another())) {
    q.reply.deliver(tenant_outcome{outcome{claimed_run{}}});
    return true;
  }
  if (refresh_now != nullptr && refresh_now->exchanged) return false;
  if (connect_now == nullptr && refresh_now == nullptr && look == nullptr) return false;
  if (state_.row().status == tenant_status::suspended) return refused(error{errc::tenant_suspended});
  if (leaving_) return refused(error{errc::service_unavailable}.retry_in(1));
  if (connect_now != nullptr) {
    connect(std::move(*connect_now), q.command.meta, std::move(q.reply));
    return true;
  }
  const auto* row = state_.find(look != nullptr ? look->id : refresh_now->id);
  if (row == nullptr) return refused(error{errc::not_found});
  if (refresh_now != nullptr) {
    refresh(*refresh_now, q.command.meta, std::move(q.reply));
    return true;
  }
  if (const auto may = provider::may_discover(*services_->catalog.find(row->provider), *row); !may)
    return refused(may.error());
  q.reply.delegate(children_.discovery_of(*row),
                   discover{*row, children_.keeper_of(*row, me()), look->afresh});
  return true;
}

tenant_actor tenant_worker::me() const {
  return caf::actor_cast<tenant_actor>(caf::strong_actor_ptr{self_->ctrl()});
}

void tenant_worker::connect(complete_oauth c, const request_meta& by, promise<tenant_outcome> reply) {
  const auto owed = std::make_shared<promise<tenant_outcome>>(std::move(reply));
  self_->request(children_.begin_flow(), 4 * services_->call_patience, begin_flow{std::move(c)})
      .then([this, owed, by](const flow_granted& g) { store_own(g.grant, by, std::move(*owed)); },
            [owed](const caf::error& e) { owed->fail(e); });
}

/// Once the tokens are stored the command comes back, for the row that a caller leaves in the audit log.
void tenant_worker::refresh(force_refresh c, const request_meta& by, promise<tenant_outcome> reply) {
  const auto owed = std::make_shared<promise<tenant_outcome>>(std::move(reply));
  self_
      ->request(children_.keeper_of(*state_.find(c.id), me()), 3 * services_->call_patience,
                fresh_token{c.cause, {}, c.now})
      .then(
          [this, owed, c, by](const token_lent&) mutable {
            c.exchanged = true;
            store_own(c, by, std::move(*owed));
          },
          [owed](const caf::error& e) { owed->fail(e); });
}

tenant_outcome tenant_worker::with_job(tenant_outcome o) const {
  if (auto* c = std::get_if<stored_connection>(&o.value)) {
    const auto job = syncing_.find(c->row.id);
    if (job != syncing_.end()) c->job = job->second;
  }
  return o;
}

/// A command that answers somebody who waits already.
void tenant_worker::store_own(mutation m, request_meta by, promise<tenant_outcome> reply) {
  by.deadline = steady_clock::now() + commit_deadline;
  queue_.push_back({tenant_command{std::move(by), std::move(m)}, std::move(reply)});
  work();
}

/// What a commit sets off beside its answer.
void tenant_worker::conclude(const committing& done, const ran_step& ran) {
  const auto& change = done.asked.command.change;
  const auto& o = ran.outcome;
  if (const auto* taken = std::get_if<ingest_outcome>(&o.value); taken && done.todo.delivery)
    count_stored(services_->meters, *done.todo.delivery, std::get<accepted_delivery>(*taken));
  begin_claimed(change, o.value);
  follow_exchange(change, &o.value);
  if (done.todo.ended) revoke_at_provider(*done.todo.ended);
  if (std::holds_alternative<schedule_due>(change)) received_ = std::max<std::int64_t>(received_, 1);
  services_->meters.sync_scheduled({}).Increment(static_cast<double>(ran.scheduled));
  count_reclaimed(ran.reclaimed);
  if (done.todo.queues_work || ran.scheduled > 0) wake_scheduler();
  if (done.todo.committed) done.todo.committed(ran.outcome.value);
  if (done.todo.feeds) services_->feed_grew(id_);
  if (done.todo.shows || done.todo.changes || done.todo.moves_jobs || done.todo.delivery)
    services_->pages_changed(id_);
}

void tenant_worker::begin_claimed(const mutation& m, const outcome& o) {
  const auto* run = std::get_if<run_job>(&m);
  const auto* claimed = std::get_if<claimed_run>(&o);
  if (run == nullptr || claimed == nullptr || !claimed->work) return;
  const auto* owner = state_.find(claimed->work->row.connection);
  if (owner == nullptr) return;
  children_.begin_run(*claimed->work, *owner, run->slot, me());
}

/// From the durable intent to the stored answer, or to the news that there is none. Tokens that were refused
/// are in the keeper, which tries again or ends.
void tenant_worker::follow_exchange(const mutation& m, const outcome* o) {
  const auto* step = o ? std::get_if<refresh_step>(o) : nullptr;
  const bool under_way = step != nullptr && std::holds_alternative<refresh_begun>(*step);
  if (const auto* b = std::get_if<begin_refresh>(&m); b != nullptr && under_way)
    children_.exchange_begun(b->id);
  const auto* e = std::get_if<end_refresh>(&m);
  if (e == nullptr || under_way) return;
  const bool kept = o == nullptr && std::holds_alternative<oauth::token_set>(e->answer);
  if (!kept) children_.exchange_over(e->begun.intent.connection);
}

/// Best effort: the tokens are gone from the store whatever the provider says.
void tenant_worker::revoke_at_provider(const connection& c) {
  const auto request = revocation_of(*services_, id_, c);
  if (!request || services_->outbound == nullptr) return;
  const auto told = [t = id_, c = c.id, provider = c.provider](int status) {
    log::info("connection.revoked_at_provider",
              {{"tenant_id", t}, {"connection_id", c}, {"provider", provider}, {"status", status}});
  };
  self_
      ->request(services_->outbound->get(), revocation_patience,
                send_request{id_, c.provider, *request, steady_clock::now() + revocation_patience})
      .then([told](const http_answered& a) { told(a.response.status); },
            [told](const caf::error&) { told(0); });
}

void tenant_worker::on_child_down(const caf::down_msg& down) {
  if (auto end = children_.bury(down)) {
    log::error("sync.run_died", {{"tenant_id", id_}, {"job_id", end->by.job}});
    store_own(std::move(*end), {}, promise<tenant_outcome>{self_});  // nobody asked
  } else if (claimed_) {
    work();
  }
}

void tenant_worker::count_reclaimed(std::int64_t jobs) {
  if (jobs == 0) return;
  services_->meters.sync_reclaimed({}).Increment(static_cast<double>(jobs));
  wake_scheduler();
}

void tenant_worker::wake_scheduler() {
  if (services_->ticker != nullptr) self_->send(services_->ticker->get(), work_queued{id_});
}

}  // namespace connectord
