#pragma once

#include "actors/family.hpp"
#include "actors/plan.hpp"
#include "actors/protocol/store_gate.hpp"
#include "actors/protocol/tenant.hpp"
#include "actors/services.hpp"
#include "actors/spawn.hpp"
#include "domain/tenant_state.hpp"

#include <list>
#include <set>
#include <variant>

namespace connectord {

struct commit_overdue : message {
  explicit commit_overdue(std::uint64_t c) : commit(c) {}
  std::uint64_t commit;
};
struct snapshot_due : message {};
struct catch_up_due : message {};

/// Why a tenant ends that cannot know whether its commit happened: the next incarnation reads the rows.
/// Nothing of the tenant's is to blame, so this is no crash.
caf::error in_doubt();
bool is_in_doubt(const caf::error& reason);

/// What a tenant finds in the store at birth.
struct claimed_tenant {
  tenant row;
  std::int64_t epoch = 0, revision = 0, received = 0, reclaimed = 0;
  std::vector<connection> connections;
  std::map<connection_id, job_status> syncing;
  std::string_view snapshot;  ///< used, stale, corrupt or missing
};

/// The single writer of one tenant's rows and the cache of them. Decides, commits, applies, answers,
/// in this order. One transaction is in flight at a time; deliveries that arrive meanwhile share
/// the next one, a command that changes the state has one for itself.
class tenant_worker {
 public:
  using handle = tenant_actor;
  using interface =
      tenant_actor::extend<accepts<commit_overdue>, accepts<snapshot_due>, accepts<catch_up_due>>;
  static constexpr const char* name = "tenant";
  static constexpr std::size_t most_waiting = 1024, largest_batch = 64;
  static constexpr int mutations_per_snapshot = 64;
  static constexpr seconds commit_deadline{10}, catch_up_pause{5};
  static constexpr std::chrono::minutes longest_dirty{5};

  tenant_worker(self_pointer<tenant_worker> self, services_ptr s, tenant_id id, store_gate_actor store,
                std::function<void()> offer_to_leave);
  interface::behavior_type behavior();

 private:
  struct queued_command {
    tenant_command command;
    promise<tenant_outcome> reply;
    /// What it comes to, when that was decided on arrival; good as long as the state is this old.
    std::optional<plan> decided{};
    std::int64_t decided_at = 0;
  };
  struct queued_list {
    list_rows read;
    promise<db_answer> reply;
  };
  struct queued_connections {
    promise<connection_list> reply;
  };
  using early_read = std::variant<queued_list, queued_connections>;

  /// A command whose work is in the store.
  struct committing {
    queued_command asked;
    plan todo;
  };
  /// A command that needs no write, and what it comes to by the memory of that epoch.
  struct questioned {
    queued_command asked;
    decision said;
    std::int64_t epoch;
  };
  /// What one transaction did, and the revision that it left.
  struct committed {
    std::vector<ran_step> steps;
    std::int64_t revision = 0;
  };

  void claim(bool provision);
  void look(bool provision);
  void on_claimed(const std::optional<claimed_tenant>& c);
  void on_unclaimed(const caf::error& e);
  void refuse_unknown();
  void refuse_all(const error& e);
  void answer_early_reads();

  caf::result<tenant_outcome> on_command(tenant_command& c);
  caf::result<db_answer> on_list(list_rows& r);
  caf::result<connection_list> on_connections();
  connection_list connections() const;

  void answer(queued_command q, decision said);
  void deliver(queued_command& q, decision& said);
  void ask_whose();
  void on_owner(std::optional<std::int64_t> epoch);

  void release_key(const tenant_command& c);
  void work();
  void gather();
  bool hand_over(queued_command& q);
  void connect(complete_oauth c, const request_meta& by, promise<tenant_outcome> reply);
  void refresh(force_refresh c, const request_meta& by, promise<tenant_outcome> reply);
  tenant_actor me() const;
  void store_own(mutation m, request_meta by, promise<tenant_outcome> reply);
  void conclude(const committing& done, const ran_step& ran);
  void begin_claimed(const mutation& m, const outcome& o);
  void revoke_at_provider(const connection& c);
  void on_child_down(const caf::down_msg& down);
  void count_reclaimed(std::int64_t jobs);
  void wake_scheduler();
  void follow_exchange(const mutation& m, const outcome* o);
  void superseded();
  void look_later();
  tenant_outcome with_job(tenant_outcome o) const;
  bool may_decide_early(const queued_command& q) const;
  /// Whether a read needs no claim: the tenant is there, be it another process's by now.
  bool knows_rows() const { return claimed_ || (services_->store_is_shared && !newborn_); }
  /// Leaving, and nobody waits for an answer.
  bool gone_quiet() const { return leaving_ && queue_.empty() && in_question_.empty(); }
  decision prepare(queued_command& q);
  void commit();
  void on_committed(const committed& c);
  void on_refused(const caf::error& e);
  void catch_up();
  void save_snapshot();
  void leave();

  template <class T, class Function>
  void ask_store(access_mode mode, Function fn, std::function<void(const T&)> then,
                 std::function<void(const caf::error&)> otherwise);
  void await_store();

  self_pointer<tenant_worker> self_;
  services_ptr services_;
  tenant_id id_;
  store_gate_actor store_;
  std::function<void()> offer_to_leave_;
  family children_;
  std::map<connection_id, job_status> syncing_;  ///< connections with a job, for whoever looks

  bool claimed_ = false, newborn_ = true;
  int superseded_ = 0;  ///< claims in a row that came to nothing
  std::int64_t epoch_ = 0, revision_ = 0;
  tenant_state state_;

  std::list<queued_command> queue_;  ///< unlike a deque it holds nothing while it is empty
  std::vector<early_read> early_;
  std::vector<committing> batch_;
  std::vector<questioned> unconfirmed_, in_question_;  ///< to be asked about, and asked about now
  bool outdated_ = false;                              ///< somebody else has the tenant
  std::set<std::string> keys_in_flight_;
  std::size_t one_by_one_ = 0;  ///< commands to run alone, after a shared transaction failed
  std::int64_t received_ = 0;   ///< deliveries stored while nobody could process them

  bool awaiting_store_ = false, watched_ = false, leaving_ = false;
  std::uint64_t commit_ = 0;
  int dirty_ = 0;
};

/// `offer_to_leave` tells the directory that there is nothing to stay for; it answers with passivate.
tenant_actor spawn_tenant(
    cradle where, services_ptr s, const tenant_id& id, store_gate_actor store,
    std::function<void()> offer_to_leave = [] {});

}  // namespace connectord
