#include "actors/tracker/sweep.hpp"

#include "actors/calls.hpp"
#include "base/log.hpp"
#include "storage/tracker/bindings.hpp"

namespace connectord {
namespace {

constexpr seconds patience{30};

}  // namespace

tracker_sweep::tracker_sweep(self_pointer<tracker_sweep> self, services_ptr s, store_gate_actor store,
                             directory_actor directory)
    : self_(self), services_(std::move(s)), store_(std::move(store)), directory_(std::move(directory)) {
  self_->delayed_send(self_, services_->tracker.sweep, look_around{});
}

tracker_sweep::interface::behavior_type tracker_sweep::behavior() {
  return {[this](const look_around&) {
    self_->delayed_send(self_, services_->tracker.sweep, look_around{});
    read_page(std::nullopt);
  }};
}

void tracker_sweep::read_page(std::optional<tenant_id> after) {
  const auto until = std::chrono::steady_clock::now() + patience;
  self_
      ->request(store_, patience,
                make_job(std::nullopt, access_mode::read, until,
                         [after, now = services_->now()](storage::session& db) {
                           return storage::tenants_to_check(db, now, after, tenants_a_page);
                         }))
      .then(
          [this](const db_answer& a) {
            const auto& due = a.get<std::vector<tenant_id>>();
            for (const auto& t : due) tell(t);
            if (due.size() == tenants_a_page) read_page(due.back());
          },
          [](const caf::error& e) {
            log::warn("tracker.sweep_failed", {{"error", from_caf(e).message()}});
          });
}

void tracker_sweep::tell(const tenant_id& t) {
  auto command = own_command(change_tracker{check_bindings{}, {}, services_->now()}, patience);
  self_->request(directory_, patience, to_tenant{t, std::move(command)})
      .then([](const tenant_outcome&) {},
            [t](const caf::error& e) {
              log::warn("tracker.check_failed", {{"tenant_id", t}, {"error", from_caf(e).message()}});
            });
}

tracker_sweep_actor spawn_tracker_sweep(cradle where, services_ptr s, store_gate_actor store,
                                        directory_actor directory) {
  return spawn<tracker_sweep>(where, {"scheduler/tracker_sweep", "scheduler", {}, {}}, std::move(s),
                              std::move(store), std::move(directory));
}

}  // namespace connectord
