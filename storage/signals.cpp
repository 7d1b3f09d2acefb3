#include "storage/signals.hpp"

#include "base/json.hpp"
#include "domain/grounding.hpp"
#include "storage/bulk_statement.hpp"
#include "storage/codec.hpp"
#include "storage/select.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace connectord::storage {
namespace {

#define SIGNAL_COLUMNS                                                                               \
  "id, provider, connection_id, kind, entity, entity_version, occurred_at, received_at, dedupe_key," \
  " delivery_id, job_id"

#define LISTED_COLUMNS "id, provider, connection_id, kind, occurred_at, received_at"

signal read_signal(const row& r) {
  return {.id = read_id<signal_id>(r, 0),
          .provider = r.str(1),
          .connection = read_id<connection_id>(r, 2),
          .kind = r.str(3),
          .entity = r.str(4),
          .entity_version = r.str(5),
          .occurred_at = r.time(6),
          .received_at = r.time(7),
          .payload{},
          .dedupe_key = r.str(8),
          .delivery = maybe_id<delivery_id>(r, 9),
          .job = maybe_id<job_id>(r, 10)};
}

/// What a list shows; the rest stays empty.
signal read_listed_signal(const row& r) {
  signal listed;
  listed.id = read_id<signal_id>(r, 0);
  listed.provider = r.text(1);
  listed.connection = read_id<connection_id>(r, 2);
  listed.kind = r.text(3);
  listed.occurred_at = r.time(4);
  listed.received_at = r.time(5);
  switch (static_cast<signal_extra>(r.integer(6))) {
    case signal_extra::none: break;
    case signal_extra::payload: listed.payload = r.text(7); break;
    case signal_extra::origin:
      listed.entity = r.text(7);
      listed.delivery = maybe_id<delivery_id>(r, 8);
      listed.job = maybe_id<job_id>(r, 9);
  }
  return listed;
}

signal read_whole_signal(const row& r) {
  auto signal = read_signal(r);
  signal.payload = r.text(11);
  return signal;
}

result<signal_id> first_under(session& s, tenant_id tenant, const signal& x) {
  const auto first =
      find_one(s, "SELECT id FROM signals WHERE tenant_id = $1 AND provider = $2 AND dedupe_key = $3",
               {tenant, x.provider, x.dedupe_key}, [](const row& r) { return read_id<signal_id>(r, 0); });
  if (!first) return first.error();
  if (!*first) return error{errc::database_unavailable};  // retention took it between the two statements
  return **first;
}

/// What was old when it came is history, not news.
result<> note_unscored(session& s, tenant_id tenant, std::span<const signal* const> signals,
                       const std::set<signal_id>& inserted) {
  static const bulk_statement insert{"INSERT INTO unscored_signals (tenant_id, signal_id, occurred_at)", 3};
  std::vector<param> arguments;
  for (const auto* x : signals)
    if (inserted.contains(x->id) && x->received_at - x->occurred_at < grounding::longest_delay)
      arguments.insert(arguments.end(), {tenant, x->id, x->occurred_at});
  return insert.run(s, arguments);
}

/// Signals that only polls told of, of the versions that are delivered. Joined to a list of them, each is one
/// look into the index; SQLite would walk all signals of the tenant for an IN of several.
result<std::vector<signal>> polled_versions(session& s, tenant_id tenant,
                                            std::span<const signal* const> delivered) {
  static const bulk_statement find{
      "WITH delivered (tenant, origin, thing, version) AS (", 4,
      ") SELECT " SIGNAL_COLUMNS
      ", payload FROM delivered CROSS JOIN signals WHERE tenant_id = tenant"
      " AND provider = origin AND entity = thing AND entity_version = version AND delivery_id IS NULL"};
  std::vector<param> arguments;
  arguments.reserve(4 * delivered.size());
  for (const auto* x : delivered)
    arguments.insert(arguments.end(), {tenant, x->provider, x->entity, x->entity_version});
  std::vector<signal> found;
  const auto ok = find.run(s, arguments, [&](const row& r) { found.push_back(read_whole_signal(r)); });
  if (!ok) return ok.error();
  return found;
}

/// Numbers of issues and of merge requests may be the same.
bool of_one_thing(const signal& a, const signal& b) {
  const auto type = [](const signal& x) {
    return parse_json_object(x.payload).value().at("entity").at("type").as_string();  // ours
  };
  return a.provider == b.provider && a.entity == b.entity && a.entity_version == b.entity_version &&
         type(a) == type(b);
}

result<bool> is_stored(session& s, tenant_id tenant, const signal& x) {
  const auto known =
      find_one(s, "SELECT 1 FROM signals WHERE tenant_id = $1 AND provider = $2 AND dedupe_key = $3",
               {tenant, x.provider, x.dedupe_key}, [](const row&) { return true; });
  if (!known) return known.error();
  return known->has_value();
}

result<> become(session& s, tenant_id tenant, const signal& polled, const signal& x) {
  if (polled.dedupe_key != x.dedupe_key) {
    const auto stored = is_stored(s, tenant, x);
    if (!stored) return stored.error();
    if (*stored) return {};
  }
  return done(
      s.execute("UPDATE signals SET connection_id = $3, kind = $4, dedupe_key = $5, delivery_id = $6,"
                " job_id = $7, payload = $8 WHERE tenant_id = $1 AND id = $2 AND delivery_id IS NULL",
                {tenant, polled.id, x.connection, x.kind, x.dedupe_key, x.delivery, x.job, x.payload}));
}

}  // namespace

result<> adopt_polled(session& s, tenant_id tenant, std::span<const signal* const> delivered) {
  const auto polled = polled_versions(s, tenant, delivered);
  if (!polled) return polled.error();
  for (const auto& old : *polled)
    for (const auto* x : delivered)
      if (of_one_thing(old, *x))
        if (const auto ok = become(s, tenant, old, *x); !ok) return ok;
  return {};
}

result<std::vector<stored_signal>> insert_signals(session& s, tenant_id tenant,
                                                  std::span<const signal* const> signals) {
  static const bulk_statement insert{
      "INSERT INTO signals (tenant_id, " SIGNAL_COLUMNS ", payload)", 13,
      " ON CONFLICT (tenant_id, provider, dedupe_key) DO NOTHING RETURNING id"};
  std::vector<param> arguments;
  arguments.reserve(13 * signals.size());
  for (const auto* x : signals)
    arguments.insert(arguments.end(),
                     {tenant, x->id, x->provider, x->connection, x->kind, x->entity, x->entity_version,
                      x->occurred_at, x->received_at, x->dedupe_key, x->delivery, x->job, x->payload});
  std::set<signal_id> inserted;
  const auto ok = insert.run(s, arguments, [&](const row& r) { inserted.insert(read_id<signal_id>(r, 0)); });
  if (!ok) return ok.error();
  if (const auto noted = note_unscored(s, tenant, signals, inserted); !noted) return noted.error();
  std::vector<stored_signal> out;
  out.reserve(signals.size());
  for (const auto* x : signals) {
    const bool fresh = inserted.contains(x->id);
    const auto id = fresh ? result<signal_id>{x->id} : first_under(s, tenant, *x);
    if (!id) return id.error();
    out.push_back({*id, fresh});
  }
  return out;
}

result<stored_signal> insert_signal(session& s, tenant_id tenant, const signal& x) {
  const auto one = insert_signals(s, tenant, std::array{&x});
  if (!one) return one.error();
  return one->front();
}

result<bool> knows_version(session& s, tenant_id tenant, std::string_view provider, std::string_view entity,
                           std::string_view version) {
  const auto known = find_one(s,
                              "SELECT 1 FROM signals WHERE tenant_id = $1 AND provider = $2"
                              " AND entity = $3 AND entity_version = $4 LIMIT 1",
                              {tenant, provider, entity, version}, [](const row&) { return true; });
  if (!known) return known.error();
  return known->has_value();
}

result<std::optional<signal>> find_signal(session& s, tenant_id tenant, signal_id id) {
  return find_one(s, "SELECT " SIGNAL_COLUMNS ", payload FROM signals WHERE tenant_id = $1 AND id = $2",
                  {tenant, id}, read_whole_signal);
}

result<std::vector<signal>> list_signals(session& s, tenant_id tenant, const signal_filter& filter,
                                         const std::optional<position>& after, int limit, signal_extra with) {
  auto q = with == signal_extra::payload ? select{"SELECT " LISTED_COLUMNS ", 1, payload FROM signals"}
           : with == signal_extra::origin
               ? select{"SELECT " LISTED_COLUMNS ", 2, entity, delivery_id, job_id FROM signals"}
               : select{"SELECT " LISTED_COLUMNS ", 0 FROM signals"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_any(" AND provider = ", filter.provider)
      .with_any(" AND connection_id = ", filter.connection)
      .with_any(" AND kind = ", filter.kind)
      .with_any(" AND occurred_at >= ", filter.occurred_after)
      .with_any(" AND occurred_at <= ", filter.occurred_before);
  if (after) q.with(" AND (occurred_at, id) < (", after->sort).with(", ", after->id).raw(")");
  q.raw(" ORDER BY occurred_at DESC, id DESC").with(" LIMIT ", limit);
  return all_of(s, q, read_listed_signal);
}

}  // namespace connectord::storage
