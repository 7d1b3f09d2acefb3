#include "domain/tracker/health.hpp"
#include "domain/tracker/text.hpp"
#include "http/team.hpp"
#include "http/views/activity_rows.hpp"
#include "http/views/address.hpp"
#include "http/views/places.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>

/// The pages of the team's projects. A part that cannot be read says so; the rest of its page still works.
namespace connectord::web {
namespace {

constexpr int rows_of_a_page = 50, recent_rows = 5;

// ---- all projects

void put_row(fields f, const project_view& p, timestamp now) {
  f.set("URL", url_of(p.row.id)).set("NAME", p.row.name).set("SLUG", p.row.slug);
  f.set("WP_COUNT", p.work_packages);
  if (!p.tracker) return;
  f.show("TRACKER_CELLS").set("TONE", tone_of(p.tracker->health));
  f.set("HEALTH_WORD", worded(tracker::name_of(p.tracker->health)));
  const bool bound = !p.tracker->bindings.empty();
  f.set("DRIFT", bound ? std::to_string(p.tracker->drift_open) : std::string{not_known});
  put_time(f, "LAST", p.tracker->last_snapshot_at, now, bound ? "never" : not_known);
}

asio::awaitable<response> projects(app& a, request& r) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  const address at{r};
  auto start = at.at(a, "cursor", rows_of_a_page);
  if (!start) co_return problem_page(start.error(), r, &v);
  const auto found = co_await read(a, r, list_projects{std::move(*start), v.tracker});
  if (!found) co_return problem_page(found.error(), r, &v);
  const auto& rows = (*found)->rows;
  co_return page(r, v, {.title = "Projects", .section = "Projects"}, "projects.html", [&](fields f) {
    f.show(rows.empty() ? "NONE" : "SOME").show_if(v.tracker, "TRACKER");
    for (const auto& p : rows) put_row(f.add("ROW"), p, r.received_at);
    if ((*found)->more) f.show("MORE").set("MORE_URL", at.more(a, "cursor", sort_key{rows.back().row.slug}));
  });
}

// ---- the card of one project's tracker

/// What the card is made of. `survey` and `worst` are nothing for a project without a binding.
struct card {
  std::shared_ptr<const tracker::project_survey> survey;
  std::shared_ptr<const binding_health::answer> worst;
};

asio::awaitable<result<card>> read_card(app& a, request& r, const project_view& p) {
  card out;
  const auto& bindings = p.tracker->bindings;
  if (bindings.empty()) co_return out;
  auto survey = co_await read(a, r, survey_project{p.row.id});
  if (!survey) co_return survey.error();
  out.survey = std::move(*survey);
  const auto worst = std::ranges::min_element(bindings, {}, &tracker::binding_summary::health);
  auto health = co_await read(a, r, binding_health{worst->id});
  if (!health) co_return health.error();
  out.worst = std::move(*health);
  co_return out;
}

void put_freshness(fields f, const std::optional<timestamp>& last, const tracker::policy& limits,
                   timestamp now) {
  const bool stale = tracker::is_stale(last, limits, now);
  f.set("FRESH_TONE", !last ? "" : stale ? "warn" : "good");
  f.set("FRESH_WORD", !last ? "Nothing yet" : stale ? "Stale" : "Fresh");
  put_time(f, "LAST", last, now);
}

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
    row.set("B_TONE", tone_of(b.health)).set("B_HEALTH", worded(tracker::name_of(b.health)));
    put_time(row, "B_LAST", b.last_snapshot_at, now);
  }
}

void put_mapped(fields f, const tracker::project_id& p, const tracker::project_survey& survey) {
  for (const auto m : {tracker::mapping::mapped, tracker::mapping::not_mapped, tracker::mapping::ambiguous}) {
    const auto found = survey.work_packages.find(m);
    const auto name = std::string{tracker::name_of(m)};
    auto part = f.add("MAPPING");
    part.set("MAPPING_NAME", name)
        .set("MAPPING_WORD", m == tracker::mapping::not_mapped ? "not mapped" : name);
    part.set("MAPPING_COUNT", found == survey.work_packages.end() ? 0 : found->second);
    part.set("MAPPING_URL", url_of(p) + "?mapping=" + name);
  }
}

void put_bound(fields f, const project_view& p, const card& c, const tracker::policy& limits, timestamp now) {
  const auto& s = *p.tracker;
  const auto& worst = c.worst->binding.row;
  f.show("BOUND").set("BECAUSE", because(c.worst->report, worst.last_snapshot_at, s.drift_open, now));
  f.set("PROVIDER", tracker::name_of(s.bindings.front().provider));
  f.set("WORKSPACE", s.bindings.front().workspace).set("SYNC_STATE", s.queued ? "queued" : "idle");
  f.set("ISSUES", s.issues).set("MAPPINGS", s.mappings).set("DRIFT", s.drift_open);
  put_freshness(f, s.last_snapshot_at, limits, now);
  put_mapped(f, p.row.id, *c.survey);
  put_trend(f, c.survey->drift_open, now);
  if (s.drift_open > 0) f.show("BY_KIND");
  for (const auto& [kind, n] : s.drift_open_by_kind)
    f.add("KIND").set("KIND_COUNT", n).set("KIND_WORD", worded(tracker::name_of(kind)));
  put_bindings(f, s, now);
}

void put_card(fields f, const visitor& v, const project_view& p, const result<card>& c,
              const tracker::policy& limits, const request& r) {
  f.set("HEALTH", tracker::name_of(p.tracker->health)).set("TONE", tone_of(p.tracker->health));
  f.set("HEALTH_WORD", worded(tracker::name_of(p.tracker->health)));
  if (!c) {
    put_failure(f, "FAILED", c.error(), r);
  } else if (c->worst) {
    put_bound(f, p, *c, limits, r.received_at);
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
  f.show(!rows.empty() ? "SOME" : list.only ? "NONE_LEFT" : "NONE").set("TOTAL", p.work_packages);
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

void put_recent(fields f, const visitor& v, const project_view& p,
                const result<std::shared_ptr<const rows_page<tracker::activity>>>& found, const request& r) {
  f.set("FEED_URL", "/dashboard/activity?project=" + p.row.id.str());
  if (!found) {
    put_failure(f, "RECENT_FAILED", found.error(), r);
    return;
  }
  bool any = false;
  for (const auto& row : (*found)->rows) {
    if (!shows(v, row)) continue;
    put_activity(f, "EVENT", row, r.received_at);
    any = true;
  }
  f.show(any ? "EVENTS" : "QUIET");
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
  result<card> of_tracker = error{errc::not_found};
  if (v.tracker) of_tracker = co_await read_card(a, r, p);
  list_activity newest;
  newest.filter.projects = {p.row.id.value()};
  newest.filter.with_tracker = v.tracker;
  newest.at.limit = recent_rows;
  const auto recent = co_await read(a, r, std::move(newest));
  co_return page(r, v, {.title = p.row.name, .section = "Projects"}, "project.html", [&](fields f) {
    f.set("NAME", p.row.name).set("SLUG", p.row.slug);
    if (v.tracker)
      put_card(f.show("TRACKER").include("CARD", "tracker_card.html"), v, p, of_tracker, a.facts.tracker, r);
    put_work_packages(f, p, *list, r);
    put_recent(f, v, p, recent, r);
  });
}

}  // namespace

void add_dashboard_project_routes(std::vector<route>& table, app* a) {
  table.push_back(page_route(a, "/dashboard/projects", "projectsPage", "The team's projects", projects));
  table.push_back(page_route(a, "/dashboard/projects/{id}", "projectPage",
                             "One project, with its tracker and work packages", project));
}

}  // namespace connectord::web
