#include "storage/tracker/activity.hpp"

#include "storage/bulk_statement.hpp"
#include "storage/select.hpp"
#include "storage/tracker/codec.hpp"
#include "storage/tracker/projects.hpp"

#include <algorithm>
#include <limits>

namespace connectord::storage {
namespace {

constexpr auto any_seq = std::numeric_limits<std::int64_t>::max();

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

/// The end of a feed.
struct feed_end {
  std::int64_t seq = 0;
  timestamp recorded_at{};
};

/// The end once `count` rows more have come at `now`, or as late as the newest one before them.
result<feed_end> extend(session& s, tenant_id tenant, std::int64_t count, timestamp now) {
  const auto end = find_one(s,
                            "INSERT INTO feeds (tenant_id, seq, recorded_at) VALUES ($1, $2, $3)"
                            " ON CONFLICT (tenant_id) DO UPDATE SET seq = feeds.seq + $2, recorded_at = CASE"
                            " WHEN feeds.recorded_at > $3 THEN feeds.recorded_at ELSE $3 END"
                            " RETURNING seq, recorded_at",
                            {tenant, count, now}, [](const row& r) {
                              return feed_end{r.integer(0), r.time(1)};
                            });
  if (!end) return end.error();
  return **end;
}

/// What a filter means to this tenant; nothing that it has may fit.
struct resolved {
  std::vector<tracker::project_id> projects;
  std::vector<tracker::binding_id> bindings;
  std::string text;
  std::optional<std::int64_t> low, high;  ///< `seq`, inclusive
};

result<std::vector<tracker::binding_id>> bindings_of(session& s, const tenant_id& tenant,
                                                     const tracker::any_of& providers) {
  return all_of(s,
                select{"SELECT id FROM tracker_bindings"}
                    .with(" WHERE tenant_id = ", tenant)
                    .with_one_of(" AND provider", providers),
                [](const row& r) { return read_id<tracker::binding_id>(r, 0); });
}

/// Rows of a feed are in the order of time, so that a time is a place in it. False: none is that late.
result<bool> narrow_by_time(session& s, const tenant_id& tenant, const tracker::activity_filter& f,
                            resolved& out) {
  const auto seq = [](const row& r) { return r.integer(0); };
  if (f.from) {
    const auto first = find_one(s,
                                "SELECT seq FROM activity WHERE tenant_id = $1 AND recorded_at >= $2"
                                " ORDER BY recorded_at, seq LIMIT 1",
                                {tenant, *f.from}, seq);
    if (!first) return first.error();
    if (!*first) return false;
    out.low = std::max(out.low.value_or(0), **first);
  }
  if (f.to) {
    const auto last = find_one(s,
                               "SELECT seq FROM activity WHERE tenant_id = $1 AND recorded_at <= $2"
                               " ORDER BY recorded_at DESC, seq DESC LIMIT 1",
                               {tenant, *f.to}, seq);
    if (!last) return last.error();
    if (!*last) return false;
    out.high = std::min(out.high.value_or(**last), **last);
  }
  return true;
}

/// Nothing when no row fits: what is asked for is not known.
result<std::optional<resolved>> resolve(session& s, const tenant_id& tenant,
                                        const tracker::activity_filter& f) {
  const std::optional<resolved> none;
  resolved out{.projects = {}, .bindings = f.bindings, .text = {}, .low = f.since, .high = f.until};
  if (f.text) out.text = like_pattern(*f.text);
  if (!f.projects.empty()) {
    auto known = projects_named(s, tenant, f.projects);
    if (!known) return known.error();
    if (known->empty()) return none;
    out.projects = std::move(*known);
  }
  if (!f.providers.empty()) {
    auto known = bindings_of(s, tenant, f.providers);
    if (!known) return known.error();
    if (!f.bindings.empty())
      std::erase_if(*known,
                    [&](const auto& b) { return std::ranges::find(f.bindings, b) == f.bindings.end(); });
    if (known->empty()) return none;
    out.bindings = std::move(*known);
  }
  const auto some = narrow_by_time(s, tenant, f, out);
  if (!some) return some.error();
  if (!*some) return none;
  return std::optional{std::move(out)};
}

/// Rows that fit, unordered.
select fitting(const tenant_id& tenant, const tracker::activity_filter& f, const resolved& at) {
  select q{"SELECT " ACTIVITY_COLUMNS " FROM activity"};
  q.with(" WHERE tenant_id = ", tenant)
      .with_one_of(" AND project_id", at.projects)
      .with_one_of(" AND wp_id", f.wp_ids)
      .with_one_of(" AND binding_id", at.bindings)
      .with_one_of(" AND type", f.types)
      .with_any(" AND seq >= ", at.low)
      .with_any(" AND seq <= ", at.high);
  if (f.text)
    q.with(" AND (LOWER(summary) LIKE LOWER(", at.text)
        .with(") ESCAPE '\\' OR LOWER(actor_name) LIKE LOWER(", at.text)
        .with(") ESCAPE '\\' OR LOWER(REPLACE(type, '_', '')) LIKE LOWER(REPLACE(", at.text)
        .raw(", ' ', '')) ESCAPE '\\')");
  if (!f.with_tracker) q.raw(" AND of_tracker = 0");
  return q;
}

/// There is an index with exactly the rows that fit, in their order.
bool is_indexed(const tracker::activity_filter& f, const resolved& at) {
  if (f.text || at.projects.size() > 1 || f.wp_ids.size() > 1 || at.bindings.size() > 1 || f.types.size() > 1)
    return false;
  const bool project = !at.projects.empty(), wp = !f.wp_ids.empty(), binding = !at.bindings.empty(),
             type = !f.types.empty();
  const int conditions = project + wp + binding + type;
  if (!f.with_tracker) return !wp && !type && conditions <= 1;
  return conditions <= 1 || (conditions == 2 && ((project && wp) || (type && (project || binding))));
}

}  // namespace

result<> append_activity(session& s, tenant_id tenant, std::span<tracker::activity> rows) {
  if (rows.empty()) return {};
  static const bulk_statement insert{"INSERT INTO activity (tenant_id, " ACTIVITY_COLUMNS ", of_tracker)",
                                     17};
  const auto count = std::ssize(rows);
  const auto end = extend(s, tenant, count, rows.back().recorded_at);
  if (!end) return end.error();
  auto seq = end->seq - count;
  std::vector<param> arguments;
  for (auto& a : rows) {
    a.seq = ++seq;
    a.recorded_at = end->recorded_at;
    arguments.insert(arguments.end(),
                     {tenant, a.seq, a.id, a.type, a.occurred_at, a.recorded_at, a.project, a.project_slug,
                      a.wp ? param{a.wp->wp_id} : param{nullptr},
                      a.wp ? param{a.wp->mission} : param{nullptr}, a.binding, tracker::name_of(a.actor.kind),
                      a.actor.name, a.summary, a.url, a.payload, a.of_the_tracker() ? 1 : 0});
  }
  return insert.run(s, arguments);
}

result<activity_page> list_activity(session& s, tenant_id tenant, const tracker::activity_filter& filter,
                                    const keyset& at, std::int64_t most_looked_at) {
  activity_page page;
  auto place = resolve(s, tenant, filter);
  if (!place) return place.error();
  if (!*place) return page;
  auto& [projects, bindings, text, low, high] = **place;
  if (at.after) high = std::min(high.value_or(any_seq), std::get<std::int64_t>(at.after->front()) - 1);
  const auto first = std::max<std::int64_t>(low.value_or(1), 1);
  if (!is_indexed(filter, **place)) {
    const auto head = feed_head(s, tenant);
    if (!head) return head.error();
    low = std::max(first, std::min(high.value_or(*head), *head) - most_looked_at + 1);
  }
  auto rows =
      all_of(s, fitting(tenant, filter, **place).raw(" ORDER BY seq DESC").with(" LIMIT ", at.limit + 1),
             read_activity);
  if (!rows) return rows.error();
  page.rows = std::move(*rows);
  if (std::ssize(page.rows) > at.limit) {
    page.rows.pop_back();
    page.next = page.rows.back().seq;
  } else if (low.value_or(first) > first) {
    page.next = *low;
    page.stopped = true;
  }
  return page;
}

result<std::vector<tracker::activity>> activity_after(session& s, tenant_id tenant,
                                                      const tracker::activity_filter& filter,
                                                      std::int64_t seq, int limit) {
  const auto place = resolve(s, tenant, filter);
  if (!place) return place.error();
  if (!*place) return std::vector<tracker::activity>{};
  return all_of(
      s,
      fitting(tenant, filter, **place).with(" AND seq > ", seq).raw(" ORDER BY seq").with(" LIMIT ", limit),
      read_activity);
}

result<std::int64_t> feed_head(session& s, tenant_id tenant) {
  const auto head = find_one(s, "SELECT seq FROM feeds WHERE tenant_id = $1", {tenant},
                             [](const row& r) { return r.integer(0); });
  if (!head) return head.error();
  return head->value_or(0);
}

}  // namespace connectord::storage
