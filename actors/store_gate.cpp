#include "actors/store_gate.hpp"

#include "base/log.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>

namespace connectord {
namespace {

using std::chrono::steady_clock;

/// A worker's death answers at once, and a statement is bounded by the driver's own time limits: a
/// CAF timer for each commit would cost more than the commit.
const auto guarded_by_watchdog = caf::infinite;

double seconds_since(steady_time t) { return std::chrono::duration<double>(steady_clock::now() - t).count(); }

/// A driver says more than the code does: full, busy, lost.
std::string_view reason_of(const error& e) {
  if (e.code() == errc::commit_in_doubt) return "in_doubt";
  if (e.code() == errc::stale_epoch) return "stale_epoch";
  const auto* own = e.details().if_contains("reason");
  return own != nullptr && own->is_string() ? std::string_view{own->get_string()} : "internal";
}

}  // namespace

store_gate::gate_meters::gate_meters(metrics& m)
    : wait(m.db_wait_seconds({})),
      commit(m.db_commit_seconds({})),
      group_size(m.db_group_size({})),
      depth(m.db_queue_depth({})),
      writers(m.db_pool_in_use({"write"})),
      readers(m.db_pool_in_use({"read"})) {
  for (auto* left_by_the_last : {&depth, &writers, &readers}) left_by_the_last->Set(0);
}

store_gate::store_gate(self_pointer<store_gate> self, store_plan plan)
    : self_(self), plan_(std::move(plan)), meters_(self->sky().meters()) {
  for (int i = 0; i < plan_.writers + plan_.readers; ++i) {
    workers_.push_back({i < plan_.writers ? access_mode::write : access_mode::read, {}, {}, false});
    start_worker(workers_.size() - 1);
  }
}

/// However it ends, its workers end after the group that they have in hand.
store_gate::~store_gate() {
  for (auto& w : workers_)
    if (w.actor) caf::anon_send_exit(w.actor, caf::exit_reason::user_shutdown);
}

store_gate::interface::behavior_type store_gate::behavior() {
  return {
      [this](db_job& j) { return on_job(j); },
      [this](const reopen_worker& r) {
        start_worker(r.index);
        dispatch(workers_[r.index].mode);
      },
  };
}

void store_gate::start_worker(std::size_t index) {
  auto& w = workers_[index];
  const auto id = self_->signs().card.id + (w.mode == access_mode::write ? "/writer-" : "/reader-");
  w.actor = spawn_db_worker(self_, id + std::to_string(index), plan_.store);
  w.busy = false;
}

caf::result<db_answer> store_gate::on_job(db_job& j) {
  auto& lane = lane_of(j.mode);
  if (lane.size() >= plan_.most_waiting) {
    self_->sky().meters().permits_refused({"store"}).Increment();
    return as_caf(error{errc::database_unavailable}.retry_in(1));
  }
  const auto mode = j.mode;
  const auto tenant = j.tenant;
  lane.push(tenant, {std::move(j), promise<db_answer>{self_}, steady_clock::now()});
  dispatch(mode);
  return later<db_answer>;
}

std::vector<store_gate::waiting> store_gate::take_group(access_mode mode) {
  const auto most = mode == access_mode::write ? plan_.largest_group : 1;
  std::vector<waiting> group;
  const auto now = steady_clock::now();
  while (group.size() < most) {
    auto next = lane_of(mode).pop();
    if (!next) break;
    if (next->job.deadline < now)
      next->reply.refuse(error{errc::database_unavailable}.retry_in(1));
    else
      group.push_back(std::move(*next));
  }
  return group;
}

void store_gate::dispatch(access_mode mode) {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    auto& w = workers_[i];
    if (w.mode != mode || w.busy || !w.actor) continue;
    w.in_hand = take_group(mode);
    if (w.in_hand.empty()) return;
    meters_.wait.Observe(seconds_since(w.in_hand.front().since));
    if (mode == access_mode::write) meters_.group_size.Observe(static_cast<double>(w.in_hand.size()));
    meters_.depth.Set(static_cast<double>(writes_.size() + reads_.size()));
    meters_.in_use(mode).Increment();
    std::vector<std::shared_ptr<db_function>> jobs;
    jobs.reserve(w.in_hand.size());
    for (const auto& held : w.in_hand) jobs.push_back(held.job.fn);
    w.busy = true;
    const auto begun = steady_clock::now();
    self_->request(w.actor, guarded_by_watchdog, run_group{mode, std::move(jobs)})
        .then(
            [this, i, begun, mode](const group_done& d) {
              if (mode == access_mode::write) meters_.commit.Observe(seconds_since(begun));
              on_done(i, d);
            },
            [this, i](const caf::error&) { on_lost(i); });
  }
}

std::vector<store_gate::waiting> store_gate::take_back(worker& w) {
  meters_.in_use(w.mode).Decrement();
  return std::exchange(w.in_hand, {});
}

void store_gate::on_done(std::size_t index, const group_done& d) {
  auto& w = workers_[index];
  const auto mode = w.mode;
  auto answered = take_back(w);
  w.busy = false;
  dispatch(mode);  // the worker goes on while the answers travel
  for (std::size_t i = 0; i < answered.size(); ++i) {
    auto& outcome = (*d.outcomes)[i];
    auto& reply = answered[i].reply;
    if (auto* value = std::get_if<job_value>(&outcome)) {
      reply.deliver(db_answer{std::move(*value)});
    } else if (auto* refusal = std::get_if<error>(&outcome)) {
      if (traits_of(refusal->code()).http_status >= 500)
        self_->sky().meters().db_errors({reason_of(*refusal)}).Increment();
      reply.refuse(std::move(*refusal));
    } else {
      reply.fail(caf::make_error(caf::sec::runtime_error, std::get<std::string>(outcome)));
    }
  }
}

void store_gate::on_lost(std::size_t index) {
  auto& w = workers_[index];
  log::error("store.worker_lost", {{"worker", static_cast<std::int64_t>(index)}});
  w.actor = nullptr;
  const auto doubt = w.mode == access_mode::write ? errc::commit_in_doubt : errc::database_unavailable;
  for (auto& held : take_back(w)) held.reply.refuse(error{doubt}.retry_in(1));
  self_->delayed_send(self_, milliseconds{200}, reopen_worker{index});
}

}  // namespace connectord
