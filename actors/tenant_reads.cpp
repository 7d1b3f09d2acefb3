#include "actors/tenant.hpp"
#include "actors/tenant_store.hpp"
#include "storage/tenants.hpp"

#include <ranges>

/// What a tenant answers from its memory. Where the store is shared another process may have claimed the
/// tenant since, so such an answer waits for a look at the epoch; a write is fenced anyway.
namespace connectord {
namespace {

using std::chrono::steady_clock;

constexpr std::int64_t no_epoch = -1;

}  // namespace

// ---- reads

caf::result<db_answer> tenant_worker::on_list(list_rows& r) {
  if (!knows_rows()) {
    early_.push_back(queued_list{std::move(r), promise<db_answer>{self_}});
    look(false);
    return later<db_answer>;
  }
  return self_->delegate(store_, db_job{id_, access_mode::read, r.meta.deadline, row_reader(id_, r.query)});
}

/// Reads do not claim: two processes that are asked in turn answer from the rows or from memory, and the
/// owner stays.
caf::result<connection_list> tenant_worker::on_connections() {
  if (claimed_ && !services_->store_is_shared) return connections();
  if (!knows_rows()) {
    early_.push_back(queued_connections{promise<connection_list>{self_}});
    look(false);
    return later<connection_list>;
  }
  auto owed = std::make_shared<promise<connection_list>>(self_);
  self_
      ->request(store_, commit_deadline,
                make_job(id_, access_mode::read, steady_clock::now() + commit_deadline,
                         [id = id_, epoch = claimed_ ? epoch_ : no_epoch](storage::session& db) {
                           return connections_of_others(db, id, epoch);
                         }))
      .then(
          [this, owed](const db_answer& a) {
            const auto& rows = a.get<std::optional<connection_list>>();
            owed->deliver(rows ? *rows : connections());
          },
          [owed](const caf::error& e) { owed->fail(e); });
  return later<connection_list>;
}

connection_list tenant_worker::connections() const {
  connection_list all;
  for (const auto& [id, c] : state_.connections()) all.rows.push_back(c);
  std::ranges::sort(all.rows, {}, [](const connection& c) { return std::pair{c.created_at, c.id}; });
  all.syncing = syncing_;
  return all;
}

void tenant_worker::answer_early_reads() {
  for (auto& r : std::exchange(early_, {})) {
    if (auto* list = std::get_if<queued_list>(&r))
      list->reply.delegate(store_, db_job{id_, access_mode::read, list->read.meta.deadline,
                                          row_reader(id_, list->read.query)});
    else
      std::get<queued_connections>(r).reply.deliver(connections());
  }
}

// ---- commands that need no write

void tenant_worker::answer(queued_command q, decision said) {
  if (!services_->store_is_shared) return deliver(q, said);
  unconfirmed_.push_back({std::move(q), std::move(said), epoch_});
  if (in_question_.empty()) ask_whose();
}

void tenant_worker::deliver(queued_command& q, decision& said) {
  release_key(q.command);
  auto* good = std::get_if<outcome>(&said);
  follow_exchange(q.command.change, good);
  if (good != nullptr)
    q.reply.deliver(tenant_outcome{std::move(*good)});
  else
    q.reply.refuse(std::move(std::get<error>(said)));
}

/// One look at a time; whoever comes meanwhile shares the next one.
void tenant_worker::ask_whose() {
  in_question_ = std::exchange(unconfirmed_, {});
  if (in_question_.empty()) return;
  self_
      ->request(store_, commit_deadline,
                make_job(id_, access_mode::read, steady_clock::now() + commit_deadline,
                         [id = id_](storage::session& db) { return storage::find_epoch(db, id); }))
      .then([this](const db_answer& a) { on_owner(a.get<std::optional<std::int64_t>>()); },
            [this](const caf::error& e) {
              const auto refusal = from_caf(e);
              for (auto& x : std::exchange(in_question_, {})) {
                decision unknown{refusal};
                deliver(x.asked, unknown);
              }
              ask_whose();
              work();
            });
}

/// What was decided by the memory of that epoch stands. The rest is decided again on the rows as they are
/// now.
void tenant_worker::on_owner(std::optional<std::int64_t> epoch) {
  for (auto& x : std::exchange(in_question_, {}) | std::views::reverse)
    if (x.epoch == epoch)
      deliver(x.asked, x.said);
    else
      queue_.push_front(std::move(x.asked));
  outdated_ = outdated_ || (claimed_ && epoch != epoch_);
  ask_whose();
  work();
}

}  // namespace connectord
