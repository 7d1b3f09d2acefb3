#include "domain/tracker/health.hpp"
#include "domain/tracker/text.hpp"
#include "http/team.hpp"
#include "http/views/activity_rows.hpp"
#include "http/views/address.hpp"
#include "http/views/places.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

/// The pages of the team's projects. A part that cannot be read says so; the rest of its page still works.
namespace connectord::web {
namespace {

constexpr int rows_of_a_page = 50;

// ---- all projects

using tracker::project_order;

/// A column of the list, in which order it is sorted by, and which way that runs.
struct column {
  std::string_view word, order, direction, first;
  bool number = false, of_tracker = false;
};
constexpr std::array columns{
    column{"Project", "name", "ascending", "by name"},
    column{"Work packages", {}, {}, {}, true},
    column{"Tracker", "health", "descending", "worst first", false, true},
    column{"Mapped", "mapped", "ascending", "fewest mapped first", true, true},
    column{"Drift", "drift", "descending", "most drift first", true, true},
    column{"Last snapshot", "snapshot", "ascending", "oldest snapshot first", false, true},
};

/// Nothing but names to sort by while the flag is off.
project_order order_of(address& at, const visitor& v) {
  if (!v.tracker) return project_order::name;
  const auto asked = at.filter("sort", {"name", "health", "mapped", "drift", "snapshot"});
  return asked ? *tracker::parse<project_order>(*asked) : project_order::health;
}

void put_head(fields f, const visitor& v, project_order order) {
  for (const auto& c : columns) {
    if (c.of_tracker && !v.tracker) continue;
    auto head = f.add("HEAD");
    head.set("HEAD_WORD", c.word).show_if(c.number, "NUMBER");
    const bool sorts = v.tracker && !c.order.empty();
    head.show(sorts ? "SORTS" : "STAYS");
    if (sorts) head.set("SORT_URL", "/dashboard/projects?sort=" + std::string{c.order});
    if (!sorts || c.order != tracker::name_of(order)) continue;
    head.show("SORTED").set("DIRECTION", c.direction);
    f.show("ORDER").set("FIRST", c.first);
  }
}

void put_freshness(fields f, const std::optional<timestamp>& last, const tracker::policy& limits,
                   timestamp now) {
  const bool stale = tracker::is_stale(last, limits, now);
  if (last)
    f.add("SEEN").set("FRESH_TONE", stale ? "warn" : "good").set("FRESH_WORD", stale ? "Stale" : "Fresh");
  put_time(f, "LAST", last, now);
}

/// Of the worst binding; the card says why.
tracker::health_report report_of(const tracker::project_summary& s) {
  if (!s.bound()) return {s.health, {}};
  const auto& worst = *std::ranges::min_element(s.bindings, {}, &tracker::binding_summary::health);
  return {worst.health, worst.reasons};
}

void put_health(fields f, const tracker::project_summary& s) {
  const auto badge = badge_of(report_of(s));
  f.set("HEALTH", tracker::name_of(s.health)).set("HEALTH_WORD", badge.word).set("TONE", badge.tone);
}

void put_row(fields f, const project_view& p, const tracker::policy& limits, timestamp now) {
  f.set("URL", url_of(p.row.id)).set("NAME", p.row.name).set("SLUG", p.row.slug);
  f.set("WP_COUNT", p.tally.work_packages);
  if (!p.tracker) return;
  const auto& t = *p.tracker;
  put_health(f.show("TRACKER_CELLS"), t);
  const auto percent = t.bound() ? p.tally.mapped_percent() : std::nullopt;
  f.set("MAPPED", percent ? std::to_string(*percent) + " %" : std::string{not_known});
  f.set("DRIFT", t.bound() ? std::to_string(t.drift_open) : std::string{not_known});
  f.show(t.bound() ? "FRESHNESS" : "NO_SNAPSHOTS");
  if (t.bound()) put_freshness(f, t.last_snapshot_at, limits, now);
}

asio::awaitable<response> projects(app& a, request& r) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  address at{r};
  const auto order = order_of(at, v);
  auto start = at.at(a, "cursor", rows_of_a_page);
  if (!start) co_return problem_page(start.error(), r, &v);
  const auto found = co_await read(a, r, list_projects{std::move(*start), v.tracker, order});
  if (!found) co_return problem_page(found.error(), r, &v);
  const auto& rows = (*found)->rows;
  const auto key_of = [order](const project_view& p) {
    return order == project_order::name ? sort_key{p.row.slug}
                                        : sort_key{tracker::place_in(order, p.tally, *p.tracker), p.row.slug};
  };
  co_return page(r, v, {.title = "Projects", .section = "Projects"}, "projects.html", [&](fields f) {
    f.show(rows.empty() ? "NONE" : "SOME").show_if(v.tracker, "TRACKER");
    put_head(f, v, order);
    for (const auto& p : rows) put_row(f.add("ROW"), p, a.facts.tracker, r.received_at);
    if ((*found)->more) f.show("MORE").set("MORE_URL", at.more(a, "cursor", key_of(rows.back())));
  });
}

// ---- the card of one project's tracker

void put_trend(fields f, const std::vector<std::int64_t>& open, timestamp now) {
  constexpr std::int64_t step = 10, height = 26, top = 2;
  const auto most = std::max<std::int64_t>(*std::ranges::max_element(open), 1);
  std::string points;
  auto day = std::chrono::floor<std::chrono::days>(now) -
             std::chrono::days{static_cast<std::int64_t>(open.size()) - 1};
  for (std::int64_t x = 0; const auto n : open) {
    points += std::to_string(x) + "," + std::to_string(top + height - height * n / most) + " ";
    f.add("DAY").set("DATE", to_rfc3339(day).substr(0, 10)).set("OPEN", n);
    x += step, day += std::chrono::days{1};
  }
  f.show("SPARK").set("POINTS", points);
  f.set("SPARK_TEXT", std::to_string(open.size()) + " days, now " + std::to_string(open.back()) + ", max " +
                          std::to_string(*std::ranges::max_element(open)));
}

void put_bindings(fields f, const tracker::project_summary& s, timestamp now) {
  f.show("BINDINGS");
  for (const auto& b : s.bindings) {
    auto row = f.add("BINDING");
    row.set("BINDING_URL", "/dashboard/connectors/bindings/" + b.id.str());
    row.set("B_PROVIDER", tracker::name_of(b.provider)).set("B_WORKSPACE", b.workspace);
    const auto badge = badge_of({b.health, b.reasons});
    row.set("B_TONE", badge.tone).set("B_HEALTH", badge.word);
    put_time(row, "B_LAST", b.last_snapshot_at, now);
  }
}

void put_mapped(fields f, const tracker::project_id& p, const tracker::project_tally& tally) {
  for (const auto m : {tracker::mapping::mapped, tracker::mapping::not_mapped, tracker::mapping::ambiguous}) {
    const auto name = std::string{tracker::name_of(m)};
    auto part = f.add("MAPPING");
    part.set("MAPPING_NAME", name)
        .set("MAPPING_WORD", m == tracker::mapping::not_mapped ? "not mapped" : name);
    part.set("MAPPING_COUNT", tally.count(m)).set("MAPPING_URL", url_of(p) + "?mapping=" + name);
  }
}

/// How many were open at the end of each day; nothing for a project without a binding.
using drift_trace = std::shared_ptr<const std::vector<std::int64_t>>;

void put_bound(fields f, const project_view& p, const drift_trace& trace, const tracker::policy& limits,
               timestamp now) {
  const auto& s = *p.tracker;
  const auto& worst = *std::ranges::min_element(s.bindings, {}, &tracker::binding_summary::health);
  f.show("BOUND").set("BECAUSE",
                      because({worst.health, worst.reasons}, worst.last_snapshot_at, s.drift_open, now));
  f.set("PROVIDER", tracker::name_of(s.bindings.front().provider));
  f.set("WORKSPACE", s.bindings.front().workspace).set("SYNC_STATE", s.queued ? "queued" : "idle");
  f.set("ISSUES", s.issues).set("MAPPINGS", s.mappings).set("DRIFT", s.drift_open);
  put_freshness(f, s.last_snapshot_at, limits, now);
  put_mapped(f, p.row.id, p.tally);
  put_trend(f, *trace, now);
  if (s.drift_open > 0) f.show("BY_KIND");
  for (const auto& [kind, n] : s.drift_open_by_kind)
    f.add("KIND").set("KIND_COUNT", n).set("KIND_WORD", worded(tracker::name_of(kind)));
  put_bindings(f, s, now);
}

void put_card(fields f, const visitor& v, const project_view& p, const result<drift_trace>& trace,
              const tracker::policy& limits, const request& r) {
  put_health(f, *p.tracker);
  if (!trace) {
    put_failure(f, "FAILED", trace.error(), r);
  } else if (*trace) {
    put_bound(f, p, *trace, limits, r.received_at);
  } else {
    f.show("UNBOUND");
    if (v.may("tracker:admin"))
      f.show("MAY_BIND").set("BIND_URL", "/dashboard/connectors/bindings/new?project=" + p.row.id.str());
  }
}

// ---- one project

void put_external(fields f, const tracker::work_package_summary& s) {
  f.show("TRACKER_CELLS").set("DRIFT", static_cast<std::int64_t>(s.drift.size()));
  if (s.links.empty()) {
    f.set("EXTERNAL", not_known);
    return;
  }
  const auto& first = s.links.front();
  auto text = first.issue && first.issue->key ? *first.issue->key
                                              : first.link.external_key.value_or(first.link.target.id);
  f.show("STATE").set("STATE_TONE", tone_of(first.link.state)).set("STATE_WORD", tracker::name_of(*s.state));
  if (s.links.size() > 1) text += " and " + std::to_string(s.links.size() - 1) + " more";
  f.set("EXTERNAL", tracker::shortened(text));
}

void put_row(fields f, const work_package_view& wp) {
  f.set("WP_ID", wp.row.ref.wp_id)
      .set("LANE", tracker::name_of(wp.row.lane))
      .set("TONE", tone_of(wp.row.lane));
  f.set("TITLE", tracker::shortened(wp.row.title.value_or(""))).set("URL", url_of(wp.row));
  f.set("ASSIGNEE", tracker::shortened(wp.row.assignee.value_or(std::string{not_known})));
  if (!wp.row.ref.mission.empty()) f.show("MISSION").set("MISSION_SLUG", wp.row.ref.mission);
  if (wp.tracker) put_external(f, *wp.tracker);
}

struct work_package_list {
  std::optional<tracker::mapping> only;
  std::string more;  ///< where it goes on; empty at its end
  result<std::shared_ptr<const rows_page<work_package_view>>> found;
};

void put_work_packages(fields f, const project_view& p, const work_package_list& list, const request& r) {
  const auto self = url_of(p.row.id);
  f.set("SELF", self).show_if(list.only.has_value(), "FILTERED");
  if (!list.found) {
    put_failure(f, "WPS_FAILED", list.found.error(), r);
    return;
  }
  const auto& rows = (*list.found)->rows;
  f.show(!rows.empty() ? "SOME" : list.only ? "NONE_LEFT" : "NONE").set("TOTAL", p.tally.work_packages);
  f.set("SHOWN", static_cast<std::int64_t>(rows.size()));
  for (const auto& wp : rows) put_row(f.add("ROW"), wp);
  if (!list.more.empty()) f.show("MORE").set("MORE_URL", list.more);
}

asio::awaitable<result<work_package_list>> read_work_packages(app& a, request& r, const visitor& v,
                                                              const project_view& p) {
  address at{r};
  list_work_packages l{.project = p.row.id.value(), .filter = {}, .at = {}, .with_tracker = v.tracker};
  // What the flag gates is no filter while it is off.
  if (v.tracker)
    if (const auto only = at.filter("mapping", {"mapped", "not_mapped", "ambiguous"}))
      l.filter.mapping = tracker::parse<tracker::mapping>(*only);
  auto start = at.at(a, "cursor", rows_of_a_page);
  if (!start) co_return start.error();
  l.at = std::move(*start);
  work_package_list out{l.filter.mapping, {}, co_await read(a, r, std::move(l))};
  if (out.found && (*out.found)->more) {
    const auto& last = (*out.found)->rows.back().row.ref;
    out.more = at.more(a, "cursor", sort_key{last.wp_id, last.mission});
  }
  co_return out;
}

asio::awaitable<response> project(app& a, request& r) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  const auto id = uuid::parse(r.param("id"));
  if (!id) co_return problem_page(error{errc::project_not_found}, r, &v);
  const auto found = co_await read(a, r, get_project{*id, v.tracker});
  if (!found) co_return problem_page(found.error(), r, &v);
  const auto& p = **found;
  const auto list = co_await read_work_packages(a, r, v, p);
  if (!list) co_return problem_page(list.error(), r, &v);
  result<drift_trace> trace{drift_trace{}};
  if (v.tracker && p.tracker->bound()) trace = co_await read(a, r, trace_drift{p.row.id});
  const auto recent = co_await recent_activity(a, r, v, p.row.id.value());
  co_return page(r, v, {.title = p.row.name, .section = "Projects"}, "project.html", [&](fields f) {
    f.set("NAME", p.row.name).set("SLUG", p.row.slug);
    if (v.tracker)
      put_card(f.show("TRACKER").include("CARD", "tracker_card.html"), v, p, trace, a.facts.tracker, r);
    put_work_packages(f, p, *list, r);
    put_recent(f.include("RECENT", "recent_activity.html"), v, recent, r);
  });
}

}  // namespace

void add_dashboard_project_routes(std::vector<route>& table, app* a) {
  table.push_back(page_route(a, "/dashboard/projects", "projectsPage", "The team's projects", projects));
  table.push_back(page_route(a, "/dashboard/projects/{id}", "projectPage",
                             "One project, with its tracker and work packages", project));
}

}  // namespace connectord::web
