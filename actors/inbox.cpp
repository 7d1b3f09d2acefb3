#include "actors/inbox.hpp"

#include "actors/audit.hpp"
#include "base/log.hpp"
#include "storage/connections.hpp"
#include "storage/deliveries.hpp"
#include "storage/tenants.hpp"
#include "storage/unrouted.hpp"

#include <algorithm>
#include <array>

namespace connectord {
namespace {

/// The state of a tenant as its rows tell it, when no actor holds it.
result<std::optional<tenant_state>> state_from_rows(storage::session& db, const tenant_id& id) {
  auto row = storage::find_tenant(db, id);
  if (!row) return row.error();
  if (!*row) return std::optional<tenant_state>{};
  auto connections = storage::load_connections(db, id);
  if (!connections) return connections.error();
  return std::optional{tenant_state{std::move(**row), std::move(*connections)}};
}

/// One delivery under one owner, with everything that the tenant itself would have done.
result<> give_to(storage::session& db, const services& s, const storage::owner& to, ingest_webhook d,
                 const provider::examination& seen) {
  const auto state = state_from_rows(db, to.tenant);
  if (!state) return state.error();
  if (!*state) return {};
  d.connection = to.connection;
  d.proven = true;  // by the app-wide secret, checked before
  // A connection is ended by its tenant alone; the scheduler wakes it.
  const bool held = (*state)->row().status == tenant_status::suspended || seen.revokes_connection;
  const auto i = examine_delivery(s, **state, d, {}, held);
  if (!i) return i.error();
  const auto stored = take_in(db, s, to.tenant, std::array{&*i});
  return stored ? result<>{} : stored.error();
}

/// Every connection that the payload names, over all tenants. A connection with a secret of its own
/// is not served by the app-wide one, but its owner is an owner all the same.
result<std::vector<storage::owner>> owners(storage::session& db, const std::string& provider,
                                           const provider::examination& seen) {
  if (seen.connection_hint) {
    const auto id = connection_id::parse(*seen.connection_hint);
    if (!id) return std::vector<storage::owner>{};
    return storage::owners_of(db, provider, std::vector{identity{"connection", id->str()}});
  }
  // The first candidate that anybody answers to decides: the others name wider circles.
  for (const auto& candidate : seen.candidates) {
    auto found = storage::owners_of(db, provider, std::vector{candidate});
    if (!found || !found->empty()) return found;
  }
  return std::vector<storage::owner>{};
}

result<std::int64_t> hand_out(storage::session& db, const services& s, const ingest_webhook& d,
                              const provider::examination& seen) {
  const auto to = owners(db, d.provider, seen);
  if (!to) return to.error();
  for (const auto& owner : *to)
    if (const auto given = give_to(db, s, owner, d, seen); !given) return given.error();
  return static_cast<std::int64_t>(to->size());
}

result<std::int64_t> keep_unrouted(storage::session& db, const services& s, const ingest_webhook& d,
                                   const provider::examination& seen) {
  storage::unrouted_row row;
  row.id = unrouted_id::make();
  row.provider = d.provider;
  row.event_type = seen.event_type;
  row.dedupe_id = seen.dedupe_id;
  row.provider_delivery_id = seen.provider_delivery_id;
  row.identities = seen.candidates;
  row.body_bytes = static_cast<std::int64_t>(d.body.size());
  row.received_at = d.now;
  row.body_sha256 = seen.body_sha256;
  row.headers = without_credentials(s, d.headers);
  row.body = d.body;
  const auto dropped = storage::insert_unrouted(db, row, s.webhooks.most_unrouted);
  if (!dropped) return dropped.error();
  if (*dropped > 0) s.meters.webhook_unrouted_dropped({d.provider}).Increment(static_cast<double>(*dropped));
  return 0;
}

}  // namespace

inbox::inbox(self_pointer<inbox> self, services_ptr s, store_gate_actor store)
    : self_(self), services_(std::move(s)), store_(std::move(store)) {}

inbox::interface::behavior_type inbox::behavior() {
  return {
      [this](const route_delivery& m) { return on_route(m); },
      [this](const reroute_delivery& m) { return on_reroute(m); },
      [this](const list_unrouted& m) { return on_list(m); },
      [this](store_for_tenant& m) { return on_store(m); },
  };
}

/// Asks the store and shapes its answer; the asker waits for no longer than its own deadline.
template <class T, class Reply, class Function, class Shape>
caf::result<Reply> inbox::run(access_mode mode, std::optional<tenant_id> tenant, steady_time deadline,
                              Function fn, Shape shape) {
  auto owed = std::make_shared<promise<Reply>>(self_);
  const auto patience = std::max<steady_time::duration>(deadline - self_->clock().now(), seconds{1});
  self_
      ->request(store_, std::chrono::ceil<milliseconds>(patience),
                make_job(tenant, mode, deadline, std::move(fn)))
      .then(
          [owed, shape](const db_answer& a) {
            auto shaped = shape(a.get<T>());
            if (shaped)
              owed->deliver(std::move(*shaped));
            else
              owed->refuse(shaped.error());
          },
          [owed](const caf::error& e) { owed->fail(e); });
  return later<Reply>;
}

caf::result<routed> inbox::on_route(const route_delivery& m) {
  self_->handling(m.meta);
  if (const auto proven = prove_for_app(*services_, m.delivery); !proven) {
    const error refusal = proven.error();
    count_failed_proof(services_->meters, m.delivery.provider, refusal);
    return as_caf(refusal);
  }
  services_->meters.signature_success({m.delivery.provider}).Increment();
  const auto& definition = *services_->catalog.find(m.delivery.provider);
  auto seen = std::make_shared<provider::examination>(
      provider::examine(definition, {m.delivery.headers, m.delivery.body, m.delivery.now}));
  if (seen->challenge) {
    routed answer;
    answer.challenge = seen->challenge;
    return answer;
  }
  auto d = std::make_shared<const ingest_webhook>(m.delivery);
  return run<std::int64_t, routed>(
      access_mode::write, std::nullopt, m.meta.deadline,
      [s = services_, d, seen](storage::session& db) -> result<std::int64_t> {
        const auto given = hand_out(db, *s, *d, *seen);
        return !given || *given > 0 ? given : keep_unrouted(db, *s, *d, *seen);
      },
      [this, seen](std::int64_t n) -> result<routed> {
        if ((seen->revokes_connection || seen->queues_sync) && n > 0 && services_->ticker != nullptr)
          self_->send(services_->ticker->get(), work_queued{});
        return routed{{}, {}, n};
      });
}

caf::result<routed> inbox::on_reroute(const reroute_delivery& m) {
  return run<std::int64_t, routed>(
      access_mode::write, std::nullopt, m.meta.deadline,
      [s = services_, id = m.id, trail = audited(m.meta, {}, m.now, "unrouted.route", m.id.str())](
          storage::session& db) -> result<std::int64_t> {
        const auto row = storage::find_unrouted(db, id);
        if (!row) return row.error();
        if (!*row) return error{errc::not_found};
        const auto* definition = s->catalog.find((*row)->provider);
        if (definition == nullptr) return error{errc::not_found};
        ingest_webhook d;
        d.provider = (*row)->provider;
        d.headers = (*row)->headers;
        d.body = (*row)->body;
        d.now = (*row)->received_at;
        const auto given = hand_out(db, *s, d, provider::examine(*definition, {d.headers, d.body, d.now}));
        if (!given || *given == 0) return given;
        if (const auto removed = storage::remove_unrouted(db, id); !removed) return removed.error();
        if (const auto kept = storage::append_audit(db, trail); !kept) return kept.error();
        return given;
      },
      [](std::int64_t n) -> result<routed> {
        return routed{{}, {}, n};
      });
}

caf::result<db_answer> inbox::on_list(const list_unrouted& m) {
  return self_->delegate(
      store_,
      make_job(std::nullopt, access_mode::read, m.meta.deadline,
               [filter = m.filter, at = m.at](storage::session& db) -> result<rows_page<unrouted_delivery>> {
                 auto rows = storage::list_unrouted(db, filter, at.after, at.limit + 1);
                 if (!rows) return rows.error();
                 rows_page<unrouted_delivery> page;
                 page.more = rows->size() > static_cast<std::size_t>(at.limit);
                 if (page.more) rows->pop_back();
                 for (auto& u : *rows)
                   page.rows.push_back({u.id, std::move(u.provider), u.received_at, u.body_bytes,
                                        std::move(u.event_type), std::move(u.identities)});
                 return page;
               }));
}

caf::result<tenant_outcome> inbox::on_store(store_for_tenant& m) {
  self_->handling(m.command.meta);
  auto d = std::make_shared<const ingest_webhook>(std::get<ingest_webhook>(std::move(m.command.change)));
  struct kept {
    ingest_outcome what;
    bool locked_out = false;
  };
  return run<kept, tenant_outcome>(
      access_mode::write, m.tenant, m.command.meta.deadline,
      [s = services_, d, t = m.tenant, locked = m.locked_out](storage::session& db) -> result<kept> {
        const auto state = state_from_rows(db, t);
        if (!state) return state.error();
        if (!*state) {
          if (const auto proven = prove_for_app(*s, *d); !proven) return proven.error();
          return error{errc::tenant_not_found}.with("tenant_id", json::string{t.text()});
        }
        const auto proven = prove(*s, **state, *d);
        if (!proven) return proven.error();
        auto i = examine_delivery(*s, **state, *d, *proven, true);
        if (!i) return i.error();
        if (i->seen.challenge) return kept{challenge_echo{*i->seen.challenge}, false};
        if (locked) i->row.status = delivery_status::quarantined;
        const auto stored = take_in(db, *s, t, std::array{&std::as_const(*i)});
        if (!stored) return stored.error();
        return kept{stored->front(), locked};
      },
      [](const kept& k) -> result<tenant_outcome> {
        if (k.locked_out) return error{errc::message_quarantined};
        return tenant_outcome{outcome{k.what}};
      });
}

inbox_actor spawn_inbox(cradle where, services_ptr s, store_gate_actor store) {
  return spawn<inbox>(where, {"inbox", "inbox", {}, {}}, std::move(s), std::move(store));
}

}  // namespace connectord
