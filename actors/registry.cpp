#include "actors/registry.hpp"

#include "actors/audit.hpp"
#include "base/json.hpp"
#include "storage/connections.hpp"
#include "storage/dashboard.hpp"
#include "storage/deliveries.hpp"
#include "storage/idempotency.hpp"
#include "storage/jobs.hpp"
#include "storage/migrate.hpp"
#include "storage/oauth_states.hpp"
#include "storage/tenants.hpp"
#include "storage/tracker/flags.hpp"
#include "storage/tracker/gates.hpp"

namespace connectord {
namespace {

using std::chrono::steady_clock;

error unknown(const tenant_id& id) {
  return error{errc::tenant_not_found}.with("tenant_id", json::string{id.text()});
}

template <class Row>
rows_page<Row> cut(std::vector<Row> rows, int limit) {
  rows_page<Row> page;
  page.more = rows.size() > static_cast<std::size_t>(limit);
  if (page.more) rows.pop_back();
  page.rows = std::move(rows);
  return page;
}

/// One function a request; each answers what the protocol header says.
struct transaction {
  storage::session& db;

  result<tenant> existing(const tenant_id& id) const {
    auto row = storage::find_tenant(db, id);
    if (!row) return row.error();
    if (!*row) return unknown(id);
    return std::move(**row);
  }

  result<job_value> operator()(const check_store&) const {
    const auto schema = storage::state(db);
    if (!schema) return schema.error();
    return job_value::of(store_health{schema->pending.empty()});
  }

  result<job_value> operator()(const create_tenant& r) const {
    if (r.key) {
      const auto kept = storage::find_kept_answer(db, r.key->scope, r.key->key, r.row.created_at);
      if (!kept) return kept.error();
      if (*kept && (*kept)->body_sha256 != r.key->body_sha256) return error{errc::idempotency_key_reused};
      if (*kept)
        return job_value::of(
            created_tenant{r.row, kept_answer{(*kept)->status, (*kept)->body, (*kept)->location}});
    }
    if (const auto stored = storage::insert_tenant(db, r.row); !stored) return stored.error();
    if (r.key) {
      const auto answer = r.render(r.row);
      const auto stored = storage::keep_answer(db,
                                               {r.key->scope, r.key->key, r.key->body_sha256, answer.status,
                                                answer.body, answer.location, r.row.created_at + r.kept_for},
                                               r.row.created_at);
      if (!stored) return stored.error();
    }
    return job_value::of(created_tenant{r.row, std::nullopt});
  }

  result<job_value> operator()(const patch_tenant& r) const {
    auto row = existing(r.id);
    if (!row) return row.error();
    if (r.name) row->name = *r.name;
    if (r.names_slug) row->slug = r.slug;
    if (r.metadata) row->metadata = *r.metadata;
    row->updated_at = r.now;
    if (const auto stored = storage::update_tenant(db, *row); !stored) return stored.error();
    return job_value::of(std::move(*row));
  }

  result<job_value> operator()(const delete_tenant& r) const {
    if (const auto row = existing(r.id); !row) return row.error();
    if (const auto gone = storage::delete_tenant(db, r.id); !gone) return gone.error();
    return job_value{};
  }

  result<job_value> operator()(const get_tenant& r) const {
    auto row = existing(r.id);
    if (!row) return row.error();
    return job_value::of(std::move(*row));
  }

  result<job_value> operator()(const list_tenants& r) const {
    auto rows = storage::list_tenants(db, r.filter, r.at.after, r.at.limit + 1);
    if (!rows) return rows.error();
    return job_value::of(cut(std::move(*rows), r.at.limit));
  }

  result<job_value> operator()(const set_tenant_status& r) const {
    if (const auto row = existing(r.id); !row) return row.error();
    const auto changed = storage::set_tenant_status(db, r.id, r.status, r.now);
    if (!changed) return changed.error();
    return job_value::of(changed_tenant{*changed});
  }

  result<job_value> operator()(const restart_tenant& r) const {
    if (const auto row = existing(r.id); !row) return row.error();
    return job_value::of(changed_tenant{true});
  }

  result<tenant_workload> workload(tenant row) const {
    tenant_workload w;
    const auto connections = storage::load_connections(db, row.id);
    if (!connections) return connections.error();
    w.connections = std::ranges::count_if(*connections, [](const auto& c) { return c.usable(); });
    const auto jobs = storage::count_jobs(db, row.id);
    if (!jobs) return jobs.error();
    w.queued_jobs = jobs->queued;
    w.running_jobs = jobs->running;
    const auto received = storage::count_received(db, row.id);
    if (!received) return received.error();
    w.unprocessed_deliveries = *received;
    w.row = std::move(row);
    return w;
  }

  result<job_value> operator()(const list_workloads& r) const {
    auto rows = storage::list_tenants(db, {}, r.at.after, r.at.limit + 1);
    if (!rows) return rows.error();
    auto page = cut(std::move(*rows), r.at.limit);
    rows_page<tenant_workload> out;
    out.more = page.more;
    for (auto& row : page.rows) {
      auto w = workload(std::move(row));
      if (!w) return w.error();
      out.rows.push_back(std::move(*w));
    }
    return job_value::of(std::move(out));
  }

  result<job_value> operator()(const get_workload& r) const {
    auto row = existing(r.id);
    if (!row) return row.error();
    auto w = workload(std::move(*row));
    if (!w) return w.error();
    return job_value::of(std::move(*w));
  }

  result<job_value> operator()(const create_token& r) const {
    if (const auto row = existing(r.row.tenant); !row) return row.error();
    if (const auto stored = storage::insert_token(db, r.row, r.secret_sha256); !stored) return stored.error();
    return job_value::of(r.row);
  }

  result<job_value> operator()(const list_tokens& r) const {
    if (const auto row = existing(r.tenant); !row) return row.error();
    auto rows = storage::list_tokens(db, r.tenant);
    if (!rows) return rows.error();
    return job_value::of(std::move(*rows));
  }

  result<job_value> operator()(const revoke_token& r) const {
    if (const auto row = existing(r.tenant); !row) return row.error();
    const auto revoked = storage::revoke_token(db, r.tenant, r.id, r.now);
    if (!revoked) return revoked.error();
    if (!*revoked) return error{errc::not_found};
    return job_value{};
  }

  result<job_value> operator()(const touch_token& r) const {
    if (const auto stored = storage::touch_token(db, r.tenant, r.id, r.now); !stored) return stored.error();
    return job_value{};
  }

  result<job_value> operator()(const spend_state& r) const {
    auto spent = storage::consume_oauth_state(db, r.sha256, r.provider, r.now);
    if (!spent) return spent.error();
    return job_value::of(spent_state{spent->verdict, std::move(spent->row)});
  }

  result<job_value> operator()(const open_door& r) const {
    if (const auto row = existing(r.row.tenant); !row) return row.error();
    if (const auto stored = storage::insert_door(db, r.row, r.secret_sha256); !stored) return stored.error();
    return job_value{};
  }

  result<job_value> operator()(const enter_door& r) const {
    auto door = storage::take_door(db, r.secret_sha256, r.now);
    if (!door) return door.error();
    if (!*door) return error{errc::not_found};
    const auto& d = **door;
    entered in{{d.tenant, std::nullopt, d.who, d.scopes, r.now, r.now, r.now + d.session}, d.return_path};
    if (const auto stored = storage::insert_dashboard_session(db, in.session, r.session_sha256); !stored)
      return stored.error();
    return job_value::of(std::move(in));
  }

  result<job_value> operator()(const open_session& r) const {
    if (const auto row = existing(r.row.tenant); !row) return row.error();
    if (const auto stored = storage::insert_dashboard_session(db, r.row, r.secret_sha256); !stored)
      return stored.error();
    return job_value{};
  }

  result<job_value> operator()(const find_session& r) const {
    auto row = storage::find_dashboard_session(db, r.secret_sha256, r.now);
    if (!row) return row.error();
    if (!*row) return error{errc::unauthorized};
    auto tenant = existing((*row)->tenant);
    if (!tenant) return tenant.error();
    const auto on = storage::tracker_on(db, tenant->id, r.tracker_default);
    if (!on) return on.error();
    return job_value::of(known_session{std::move(**row), {std::move(*tenant), std::nullopt, *on}});
  }

  result<job_value> operator()(const touch_session& r) const {
    if (const auto stored = storage::touch_dashboard_session(db, r.secret_sha256, r.now); !stored)
      return stored.error();
    return job_value{};
  }

  result<job_value> operator()(const close_session& r) const {
    if (const auto gone = storage::delete_dashboard_session(db, r.secret_sha256); !gone) return gone.error();
    return job_value{};
  }

  result<job_value> operator()(const find_team& r) const {
    team_standing found;
    if (!r.named.token_sha256.empty()) {
      auto token = storage::find_token(db, r.named.token_sha256);
      if (!token) return token.error();
      if (!*token) return error{errc::unauthorized};
      found.token = std::move(**token);
    }
    const auto id = found.token ? std::optional{found.token->tenant} : r.named.id;
    auto row = id ? storage::find_tenant(db, *id) : storage::find_tenant_by_slug(db, r.named.slug);
    if (!row) return row.error();
    if (!*row) return error{errc::tenant_not_found};
    found.row = std::move(**row);
    const auto on = storage::tracker_on(db, found.row.id, r.tracker_default);
    if (!on) return on.error();
    found.tracker_on = *on;
    return job_value::of(std::move(found));
  }

  result<job_value> operator()(const find_gate& r) const {
    auto row = storage::find_gate(db, r.id);
    if (!row) return row.error();
    if (!*row) return error{errc::not_found};
    return job_value::of(std::move(**row));
  }

  result<job_value> operator()(const find_token& r) const {
    auto row = storage::find_token(db, r.secret_sha256);
    if (!row) return row.error();
    if (!*row) return error{errc::unauthorized};
    return job_value::of(std::move(**row));
  }
};

/// What was asked, and what it leaves in the audit log.
result<job_value> run(storage::session& db, const registry_command& c) {
  auto answer = std::visit(transaction{db}, c.request);
  if (!answer) return answer;
  if (const auto trail = trail_of(c, *answer))
    if (const auto kept = storage::append_audit(db, *trail); !kept) return kept.error();
  return answer;
}

template <class... Requests>
bool is_any_of(const registry_request& r) {
  return (std::holds_alternative<Requests>(r) || ...);
}

bool only_reads(const registry_request& r) {
  return is_any_of<check_store, get_tenant, list_tenants, list_workloads, get_workload, list_tokens,
                   find_token, find_team, find_gate, find_session>(r);
}

}  // namespace

registry::registry(self_pointer<registry> self, store_gate_actor store, directory_actor directory,
                   const whereabouts<ticker_actor>* scheduler)
    : self_(self), store_(std::move(store)), directory_(std::move(directory)), scheduler_(scheduler) {}

registry::interface::behavior_type registry::behavior() {
  return {[this](const registry_command& c) { return on_command(c); }};
}

std::optional<steer_tenant> registry::consequence(const registry_request& r) const {
  using action = steer_tenant::action;
  if (const auto* d = std::get_if<delete_tenant>(&r)) return steer_tenant{d->id, action::forget};
  if (const auto* p = std::get_if<patch_tenant>(&r)) return steer_tenant{p->id, action::replace};
  if (const auto* x = std::get_if<restart_tenant>(&r)) return steer_tenant{x->id, action::revive};
  if (const auto* s = std::get_if<set_tenant_status>(&r))
    return steer_tenant{s->id, s->status == tenant_status::active ? action::revive : action::replace};
  return std::nullopt;
}

caf::result<db_answer> registry::on_command(const registry_command& c) {
  self_->handling(c.meta);
  auto command = std::make_shared<const registry_command>(c);
  db_job job{std::nullopt, only_reads(c.request) ? access_mode::read : access_mode::write, c.meta.deadline,
             [command](storage::session& db) { return run(db, *command); }};
  const auto next = consequence(c.request);
  if (!next) return self_->delegate(store_, std::move(job));
  auto owed = std::make_shared<promise<db_answer>>(self_);
  const auto patience = std::max<steady_time::duration>(c.meta.deadline - self_->clock().now(), seconds{1});
  const auto wait = std::chrono::ceil<milliseconds>(patience);
  self_->request(store_, wait, std::move(job))
      .then(
          [this, owed, wait, next](const db_answer& a) {
            self_->request(directory_, wait, *next)
                .then(
                    [this, owed, a, next](const done&) {
                      owed->deliver(a);
                      if (next->what == steer_tenant::action::revive && scheduler_ != nullptr)
                        self_->send(scheduler_->get(), work_queued{next->tenant});
                    },
                    [owed](const caf::error& e) { owed->fail(e); });
          },
          [owed](const caf::error& e) { owed->fail(e); });
  return later<db_answer>;
}

registry_actor spawn_registry(cradle where, store_gate_actor store, directory_actor directory,
                              const whereabouts<ticker_actor>* scheduler) {
  return spawn<registry>(where, {"system/registry", "system", {}, {}}, std::move(store), std::move(directory),
                         scheduler);
}

}  // namespace connectord
