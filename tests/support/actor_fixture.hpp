#pragma once

#include "actors/protocol/store_gate.hpp"
#include "actors/spawn.hpp"
#include "base/metrics.hpp"
#include "storage/migrate.hpp"
#include "storage/session.hpp"

#include <doctest/doctest.h>
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <unistd.h>
#include <deque>
#include <filesystem>
#include <functional>

namespace connectord {

/// An actor system that runs only when told to, on virtual time. No threads, no sleeps.
class actor_fixture {
 public:
  ~actor_fixture() { end(); }

  /// The actor ends with the test.
  template <class Handle>
  Handle host(Handle h) {
    guests_.push_back(caf::actor_cast<caf::actor>(h));
    return h;
  }
  void run() { scheduler.run(); }
  /// For whoever owns what actors point to, and is destroyed before this.
  void end() {
    for (auto& who : guests_) caf::anon_send_exit(who, caf::exit_reason::user_shutdown);
    run();
    guests_.clear();
  }
  void pass(milliseconds time) {
    scheduler.advance_time(time);
    run();
  }

  template <class Reply>
  using answer = std::shared_ptr<std::optional<result<Reply>>>;

  /// Sends now; the answer fills in when the system has run.
  template <class Reply, class Handle, class Message>
  answer<Reply> ask(const Handle& to, const Message& m) {
    auto slot = std::make_shared<std::optional<result<Reply>>>();
    host(system.spawn([=](caf::event_based_actor* self) {
      self->request(to, seconds{86400}, m)
          .then([=](const Reply& r) { slot->emplace(r); },
                [=](const caf::error& e) { slot->emplace(from_caf(e)); });
    }));
    return slot;
  }

 private:
  struct configured : caf::actor_system_config {
    configured() { set("scheduler.policy", caf::atom("testing")); }
  } config_;

 public:
  metrics meters;
  observatory sky{meters};
  caf::actor_system system{config_};
  caf::scheduler::test_coordinator& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());

 private:
  std::vector<caf::actor> guests_;
};

/// A migrated SQLite store in a folder of its own.
class temporary_store {
 public:
  temporary_store() {
    char pattern[] = "/tmp/connectord-test-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    store = *storage::open_store({storage::dialect::sqlite, (folder_ / "test.db").string()},
                                 milliseconds{1000}, false);
    db = *store->open();
    REQUIRE(storage::migrate_up(*db, now_utc()).has_value());
  }
  ~temporary_store() {
    db.reset();
    store.reset();
    std::filesystem::remove_all(folder_);
  }

 private:
  std::filesystem::path folder_;

 public:
  std::shared_ptr<storage::store> store;
  std::unique_ptr<storage::session> db;
};

/// One store for many histories, each of which finds it empty.
struct simulation_store : temporary_store {
  simulation_store() {
    REQUIRE(
        db->script("PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY")
            .has_value());
    const auto named =
        db->query("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migrations'", {},
                  [this](const storage::row& r) { empty_ += "DELETE FROM " + r.str(0) + ";"; });
    REQUIRE(named.has_value());
  }
  void clear() {
    REQUIRE(db->script("PRAGMA foreign_keys = OFF; BEGIN;" + empty_ + "COMMIT; PRAGMA foreign_keys = ON")
                .has_value());
  }

 private:
  std::string empty_;
};

/// What a scripted store does with the next job instead of running it in peace.
enum class fault { none, hold, refuse_before, in_doubt_before_commit, in_doubt_after_commit, exception };

struct store_script {
  storage::session* db = nullptr;
  std::function<fault(std::size_t job)> fate = [](std::size_t) { return fault::none; };
  std::size_t jobs = 0;                ///< seen so far, without those of `spared`
  std::optional<tenant_id> spared{};   ///< whose jobs always run in peace
  std::optional<tenant_id> current{};  ///< whose job it is that `fate` is asked about
  std::function<void()> ran = [] {};   ///< after each transaction
};

struct release_one : message {};

/// Stands in for the gate: runs each job at once, on the thread of the test, in a transaction of
/// its own; or does what its script says.
class scripted_store {
 public:
  using handle = typed_actor<replies<db_job, db_answer>, accepts<release_one>>;
  using interface = handle;
  static constexpr const char* name = "scripted_store";

  scripted_store(self_pointer<scripted_store> self, store_script* script) : self_(self), script_(script) {}

  interface::behavior_type behavior() {
    return {
        [this](const db_job& j) -> caf::result<db_answer> {
          if (j.tenant && j.tenant == script_->spared) return run(j, fault::none);
          script_->current = j.tenant;
          const auto what = script_->fate(script_->jobs++);
          if (what == fault::hold) {
            held_.push_back({j, promise<db_answer>{self_}});
            return later<db_answer>;
          }
          return run(j, what);
        },
        [this](const release_one&) {
          if (held_.empty()) return;
          auto [job, reply] = std::move(held_.front());
          held_.pop_front();
          script_->current = job.tenant;
          auto ran = run_plainly(job);
          ran ? reply.deliver(db_answer{*ran}) : reply.refuse(ran.error());
        },
    };
  }

 private:
  result<job_value> run_plainly(const db_job& j) {
    auto& db = *script_->db;
    REQUIRE(db.begin_write().has_value());
    auto ran = (*j.fn)(db);
    if (ran)
      REQUIRE(db.commit().has_value());
    else
      db.rollback();
    script_->ran();
    return ran;
  }

  caf::result<db_answer> run(const db_job& j, fault what) {
    if (what == fault::refuse_before) return as_caf(error{errc::database_unavailable});
    if (what == fault::in_doubt_before_commit) return as_caf(error{errc::commit_in_doubt});
    if (what == fault::exception) return caf::make_error(caf::sec::runtime_error, std::string{"scripted"});
    auto ran = run_plainly(j);
    if (!ran) return as_caf(ran.error());
    if (what == fault::in_doubt_after_commit) return as_caf(error{errc::commit_in_doubt});
    return db_answer{*ran};
  }

  self_pointer<scripted_store> self_;
  store_script* script_;
  std::deque<std::pair<db_job, promise<db_answer>>> held_;
};

}  // namespace connectord
