#include "storage/tracker/activity.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"
#include "storage/tracker/projects.hpp"

namespace connectord::storage {
namespace {

#define ACTIVITY_COLUMNS                                                                           \
  "seq, id, type, occurred_at, recorded_at, project_id, project_slug, wp_id, mission, binding_id," \
  " actor_kind, actor_name, summary, url, payload"

tracker::activity read_activity(const row& r) {
  tracker::activity a;
  a.seq = r.integer(0);
  a.id = read_id<tracker::activity_id>(r, 1);
  a.type = r.text(2);
  a.occurred_at = r.time(3);
  a.recorded_at = r.time(4);
  a.project = maybe_id<tracker::project_id>(r, 5);
  a.project_slug = r.maybe_str(6);
  if (!r.is_null(7)) a.wp = tracker::wp_ref{r.str(7), r.str(8)};
  a.binding = maybe_id<tracker::binding_id>(r, 9);
  a.actor = {read_word<tracker::actor_kind>(r, 10), r.str(11)};
  a.summary = r.text(12);
  a.url = r.maybe_str(13);
  a.payload = r.text(14);
  return a;
}

/// The last of the next `count` numbers.
result<std::int64_t> take_numbers(session& s, tenant_id tenant, std::int64_t count) {
  const auto last = find_one(s,
                             "INSERT INTO feeds (tenant_id, seq) VALUES ($1, $2)"
                             " ON CONFLICT (tenant_id) DO UPDATE SET seq = feeds.seq + $2 RETURNING seq",
                             {tenant, count}, [](const row& r) { return r.integer(0); });
  if (!last) return last.error();
  return **last;
}

/// Rows that fit, unordered. Nothing when a project is asked for that is not known.
result<std::optional<select>> fitting(session& s, const tenant_id& tenant, const tracker::activity_filter& f,
                                      std::vector<tracker::project_id>& projects) {
  if (!f.projects.empty()) {
    auto known = projects_named(s, tenant, f.projects);
    if (!known) return known.error();
    if (known->empty()) return std::optional<select>{};
    projects = std::move(*known);
  }
  select q{"SELECT " ACTIVITY_COLUMNS " FROM activity"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_one_of(" AND project_id", projects)
      .with_one_of(" AND wp_id", f.wp_ids)
      .with_one_of(" AND binding_id", f.bindings)
      .with_one_of(" AND type", f.types)
      .with_any(" AND seq >= ", f.since)
      .with_any(" AND seq <= ", f.until);
  if (!f.with_tracker) q.raw(" AND of_tracker = 0");
  return std::optional{std::move(q)};
}

}  // namespace

result<> append_activity(session& s, tenant_id tenant, std::span<tracker::activity> rows) {
  if (rows.empty()) return {};
  static const bulk_statement insert{"INSERT INTO activity (tenant_id, " ACTIVITY_COLUMNS ", of_tracker)",
                                     17};
  const auto count = static_cast<std::int64_t>(rows.size());
  const auto last = take_numbers(s, tenant, count);
  if (!last) return last.error();
  auto seq = *last - count;
  std::vector<param> arguments;
  for (auto& a : rows) {
    a.seq = ++seq;
    arguments.insert(arguments.end(),
                     {tenant, a.seq, a.id, a.type, a.occurred_at, a.recorded_at, a.project, a.project_slug,
                      a.wp ? param{a.wp->wp_id} : param{nullptr},
                      a.wp ? param{a.wp->mission} : param{nullptr}, a.binding, tracker::name_of(a.actor.kind),
                      a.actor.name, a.summary, a.url, a.payload, a.of_the_tracker() ? 1 : 0});
  }
  return insert.run(s, arguments);
}

result<std::vector<tracker::activity>> list_activity(session& s, tenant_id tenant,
                                                     const tracker::activity_filter& filter, const keyset& at,
                                                     int limit) {
  std::vector<tracker::project_id> projects;
  auto q = fitting(s, tenant, filter, projects);
  if (!q) return q.error();
  if (!*q) return std::vector<tracker::activity>{};
  (*q)->beyond(" AND (seq) < (", at.after).raw(" ORDER BY seq DESC").with(" LIMIT ", limit);
  return all_of(s, **q, read_activity);
}

result<std::vector<tracker::activity>> activity_after(session& s, tenant_id tenant,
                                                      const tracker::activity_filter& filter,
                                                      std::int64_t seq, int limit) {
  std::vector<tracker::project_id> projects;
  auto q = fitting(s, tenant, filter, projects);
  if (!q) return q.error();
  if (!*q) return std::vector<tracker::activity>{};
  (*q)->with(" AND seq > ", seq).raw(" ORDER BY seq").with(" LIMIT ", limit);
  return all_of(s, **q, read_activity);
}

result<std::int64_t> feed_head(session& s, tenant_id tenant) {
  const auto head = find_one(s, "SELECT seq FROM feeds WHERE tenant_id = $1", {tenant},
                             [](const row& r) { return r.integer(0); });
  if (!head) return head.error();
  return head->value_or(0);
}

}  // namespace connectord::storage
