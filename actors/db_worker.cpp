#include "actors/db_worker.hpp"

#include "base/log.hpp"

namespace connectord {
namespace {

using jobs = std::vector<std::shared_ptr<db_function>>;

std::vector<job_outcome> all_refused(std::size_t count, const error& e) {
  return std::vector<job_outcome>(count, job_outcome{e});
}

bool succeeded(const job_outcome& o) { return std::holds_alternative<job_value>(o); }

job_outcome attempt(storage::session& s, const db_function& fn) {
  try {
    auto outcome = fn(s);
    if (!outcome) return outcome.error();
    return std::move(*outcome);
  } catch (const std::exception& e) {
    return std::string{e.what()};
  } catch (...) {
    return std::string{"not a std::exception"};
  }
}

/// Nothing when some job failed: the transaction is then rolled back.
std::optional<std::vector<job_outcome>> run_plain(storage::session& s, const jobs& group) {
  std::vector<job_outcome> outcomes;
  for (const auto& fn : group) {
    outcomes.push_back(attempt(s, *fn));
    if (!succeeded(outcomes.back())) return std::nullopt;
  }
  return outcomes;
}

result<std::vector<job_outcome>> run_apart(storage::session& s, const jobs& group) {
  std::vector<job_outcome> outcomes;
  for (const auto& fn : group) {
    if (const auto set = s.savepoint(); !set) return set.error();
    outcomes.push_back(attempt(s, *fn));
    const auto closed = succeeded(outcomes.back()) ? s.release() : s.rollback_to_savepoint();
    if (!closed) return closed.error();
  }
  return outcomes;
}

class db_worker {
 public:
  using handle = db_worker_actor;
  using interface = db_worker_actor;
  static constexpr const char* name = "db_worker";

  db_worker(self_pointer<db_worker>, std::shared_ptr<storage::store> store) : store_(std::move(store)) {}

  interface::behavior_type behavior() {
    return {[this](const run_group& g) -> caf::result<group_done> { return group_done{run(g)}; }};
  }

 private:
  std::vector<job_outcome> run(const run_group& g) {
    if (session_ && !session_->alive()) session_.reset();
    if (!session_) {
      auto opened = store_->open();
      if (!opened) return all_refused(g.jobs.size(), opened.error());
      session_ = std::move(*opened);
    }
    if (g.mode == access_mode::write) return run_writes(*session_, g.jobs);
    return {attempt(*session_, *g.jobs.front())};
  }

  std::shared_ptr<storage::store> store_;
  std::unique_ptr<storage::session> session_;
};

}  // namespace

std::vector<job_outcome> run_writes(storage::session& s, const jobs& group) {
  if (const auto begun = s.begin_write(); !begun) return all_refused(group.size(), begun.error());
  auto outcomes = run_plain(s, group);
  if (!outcomes) {
    s.rollback();
    if (const auto begun = s.begin_write(); !begun) return all_refused(group.size(), begun.error());
    auto apart = run_apart(s, group);
    if (!apart) {
      s.rollback();
      return all_refused(group.size(), apart.error());
    }
    outcomes = std::move(*apart);
  }
  if (const auto committed = s.commit(); !committed) {
    s.rollback();
    log::error("store.commit_failed", {{"error", traits_of(committed.error().code()).code}});
    return all_refused(group.size(), committed.error());
  }
  return std::move(*outcomes);
}

db_worker_actor spawn_db_worker(cradle where, std::string id, std::shared_ptr<storage::store> store) {
  return spawn<db_worker, caf::detached>(where, {std::move(id), "system", {}, {}}, std::move(store));
}

}  // namespace connectord
