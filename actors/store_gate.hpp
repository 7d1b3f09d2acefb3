#pragma once

#include "actors/db_worker.hpp"
#include "actors/fair_queue.hpp"

namespace connectord {

struct store_plan {
  std::shared_ptr<storage::store> store;
  int writers = 1, readers = 2;
  std::size_t largest_group = 128;  ///< jobs that share a commit
  std::size_t most_waiting = 4096;  ///< jobs; more are refused at once
};

struct reopen_worker : message {
  explicit reopen_worker(std::size_t i) : index(i) {}
  std::size_t index;
};

/// The only way to the store. Everything that queued up while a writer was busy shares its next
/// COMMIT; between tenants, everyone in turn. A worker that dies is replaced; what it had in hand is
/// answered COMMIT_IN_DOUBT.
class store_gate {
 public:
  using handle = store_gate_actor;
  using interface = store_gate_actor::extend<accepts<reopen_worker>>;
  static constexpr const char* name = "store_gate";

  store_gate(self_pointer<store_gate> self, store_plan plan);
  ~store_gate();
  interface::behavior_type behavior();

 private:
  struct waiting {
    db_job job;
    promise<db_answer> reply;
    steady_time since;
  };
  struct worker {
    access_mode mode;
    db_worker_actor actor;
    std::vector<waiting> in_hand;
    bool busy = false;
  };
  using lane = fair_queue<std::optional<tenant_id>, waiting>;
  /// Children of the labelled metrics, so that a group does not look them up by name again.
  struct gate_meters {
    explicit gate_meters(metrics& m);
    prometheus::Gauge& in_use(access_mode m) { return m == access_mode::write ? writers : readers; }

    prometheus::Histogram &wait, &commit, &group_size;
    prometheus::Gauge &depth, &writers, &readers;
  };

  caf::result<db_answer> on_job(db_job& j);
  void start_worker(std::size_t index);
  void dispatch(access_mode mode);
  std::vector<waiting> take_group(access_mode mode);
  void on_done(std::size_t index, const group_done& d);
  void on_lost(std::size_t index);
  std::vector<waiting> take_back(worker& w);
  lane& lane_of(access_mode m) { return m == access_mode::write ? writes_ : reads_; }

  self_pointer<store_gate> self_;
  store_plan plan_;
  gate_meters meters_;
  std::vector<worker> workers_;
  lane writes_, reads_;
};

}  // namespace connectord
