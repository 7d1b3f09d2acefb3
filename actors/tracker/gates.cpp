#include "actors/tracker/gates.hpp"

#include "actors/rows.hpp"
#include "actors/tracker/evaluate.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/gates.hpp"
#include "storage/tracker/projects.hpp"

namespace connectord {
namespace {

using tracker::change;

result<created_gate> make(change& c, tracker::gate row, const create_gate& wanted) {
  const auto project = storage::find_project(c.db, c.tenant, wanted.project);
  if (!project) return project.error();
  if (!*project) return error{errc::project_not_found};
  row.project = (*project)->id;
  if (const auto stored = storage::insert_gate(c.db, row); !stored) return stored.error();
  return created_gate{std::move(row), wanted.webhook_secret};
}

result<deleted_gate> remove(change& c, const tracker::gate_id& id) {
  const auto gone = storage::delete_gate(c.db, c.tenant, id);
  if (!gone) return gone.error();
  if (!*gone) return error{errc::not_found};
  return deleted_gate{};
}

result<taken_gate_delivery> tell(change& c, const tracker::gate& g, const tracker::gate_report& seen) {
  const auto project = storage::find_project(c.db, c.tenant, g.project.value());
  if (!project) return project.error();
  if (!*project) return error{errc::not_found};
  auto row = tracker::activity_of(seen, **project, c.now);
  if (const auto stored = storage::append_activity(c.db, c.tenant, {&row, 1}); !stored) return stored.error();
  return taken_gate_delivery{false, seen.finding, row.type, row.id};
}

/// What is refused is undone with its delivery id, so that it may come again.
result<taken_gate_delivery> take(change& c, const tracker::gate& g, const std::string& delivery,
                                 const result<tracker::gate_report>& seen) {
  const auto still = storage::find_gate(c.db, c.tenant, g.id);
  if (!still) return still.error();
  if (!*still) return error{errc::not_found};
  const auto fresh = storage::insert_gate_delivery(c.db, g, delivery, c.now);
  if (!fresh) return fresh.error();
  if (!*fresh) return taken_gate_delivery{.duplicate = true};
  if (!seen) return seen.error();
  if (!seen->payload.empty()) return tell(c, g, *seen);
  return taken_gate_delivery{.finding = seen->finding};
}

/// `run` is the command's share of the transaction, with everything that could be done before it.
template <class Run>
plan gate_plan(const services_ptr& s, const tenant_id& t, const change_gates& c, const tracker::gate_id& id,
               Run run) {
  plan p{[s, t, by = c.by, now = c.now, run](storage::session& db) -> result<effect> {
    change at{db, t, now, s->tracker, by};
    auto done = run(at);
    if (!done) return done.error();
    return effect{outcome{gate_outcome{std::move(*done)}}};
  }};
  p.object = id.str();
  p.feeds = true;
  return p;
}

decision plan_one(const services_ptr& s, const tenant_state& state, const change_gates& c,
                  const create_gate& wanted) {
  const auto id = tracker::gate_id::make();
  auto sealed = s->keys.seal(wanted.webhook_secret.reveal(), tracker::secret_scope(state.row().id, id));
  const tracker::gate row{id, state.row().id, {}, wanted.repository, std::move(sealed), c.now};
  return gate_plan(s, state.row().id, c, id, [row, wanted](change& at) { return make(at, row, wanted); });
}

decision plan_one(const services_ptr& s, const tenant_state& state, const change_gates& c,
                  const delete_gate& d) {
  return gate_plan(s, state.row().id, c, d.id, [id = d.id](change& at) { return remove(at, id); });
}

/// Proven before anything is read, and read before the store is asked.
decision plan_one(const services_ptr& s, const tenant_state& state, const change_gates& c,
                  const take_gate_delivery& d) {
  const auto key = s->keys.open(d.gate.sealed_secret, tracker::secret_scope(d.gate.tenant, d.gate.id));
  if (!key) return key.error();
  if (!tracker::proves(d.delivery.signature, key->reveal(), d.delivery.body))
    return error{errc::gate_signature_invalid};
  if (state.row().status == tenant_status::suspended) return error{errc::tenant_suspended};
  const auto body = tracker::read_delivery(d.gate, d.delivery);
  if (!body) return body.error();
  auto seen =
      std::make_shared<const result<tracker::gate_report>>(tracker::report_of(d.delivery, *body, c.now));
  return gate_plan(s, state.row().id, c, d.gate.id,
                   [gate = d.gate, delivery = *d.delivery.id, seen](change& at) {
                     return take(at, gate, delivery, *seen);
                   });
}

struct reader {
  storage::session& db;
  const tenant_id& t;

  result<job_value> operator()(const list_gates& q) const {
    return paged(storage::list_gates(db, t, q.at, q.at.limit + 1), q.at.limit);
  }
  result<job_value> operator()(const get_gate& q) const { return found(storage::find_gate(db, t, q.id)); }
};

}  // namespace

decision plan_tracker(const services_ptr& s, const tenant_state& state, const change_gates& c) {
  return std::visit([&](const auto& one) { return plan_one(s, state, c, one); }, c.what);
}

result<job_value> read_tracker(storage::session& db, const tenant_id& t, const gate_query& q) {
  return std::visit(reader{db, t}, q.what);
}

}  // namespace connectord
