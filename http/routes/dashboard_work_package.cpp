#include "domain/tracker/drift.hpp"
#include "domain/tracker/input.hpp"
#include "domain/tracker/text.hpp"
#include "http/team.hpp"
#include "http/views/activity_rows.hpp"
#include "http/views/address.hpp"
#include "http/views/comparison.hpp"
#include "http/views/permission.hpp"
#include "http/views/places.hpp"
#include "http/views/visitor.hpp"
#include "http/views/word_diff.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

/// The page of one work package: its issues, where the two differ, and the mapping of the one to the other.
namespace connectord::web {
namespace {

using tracker::shortened;

constexpr std::size_t longest_search = 200;
constexpr int most_choices = 10;

std::string or_unknown(std::string_view text) { return std::string{text.empty() ? not_known : text}; }

/// Names the work package whatever others of its id there are.
std::string exact_url(const tracker::work_package& wp) {
  return wp.ref.mission.empty() ? url_of(wp) + "?no_mission=true" : url_of(wp);
}

// ---- an issue, and how it compares

struct shown_issue {
  const tracker::link_view& of;
  std::shared_ptr<const tracker::issue_view> whole;  ///< nothing when it was never seen
};

void put_url(fields f, const shown_issue& i) {
  const auto& url =
      i.whole && i.whole->issue.content.url ? i.whole->issue.content.url : i.of.link.external_url;
  const auto link = link_of(url);
  f.show(link ? "LINKED" : "UNLINKED");
  if (link) f.set("ISSUE_URL", link->href).set("HOST", link->host);
  if (!link && url) f.show("ODD_URL").set("ODD_URL_TEXT", shortened(*url));
}

std::string key_of(const tracker::link_view& l) {
  if (l.issue && l.issue->key) return shortened(*l.issue->key);
  return shortened(l.link.external_key.value_or(l.link.target.id));
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names) (out += out.empty() ? "" : ", ") += n;
  return shortened(or_unknown(out));
}

void put_words(fields f, std::string_view slot, const std::vector<word_run>& runs, bool ours) {
  for (const auto& run : runs) {
    auto part = f.include(slot, "words.html");
    part.show(run.shared ? "SHARED" : ours ? "REMOVED" : "ADDED").set("WORDS", run.text);
  }
}

/// Titles are texts: what differs in them is shown word by word.
void put_values(fields row, const tracker::drift_record& d) {
  const auto ours = shortened(or_unknown(d.local_value.value_or("")));
  const auto theirs = shortened(or_unknown(d.external_value.value_or("")));
  if (d.kind != tracker::drift_kind::title_mismatch || !d.local_value || !d.external_value) {
    row.set("OURS", ours).set("THEIRS", theirs);
    return;
  }
  const auto words = compare_words(ours, theirs);
  put_words(row, "OUR_WORDS", words.ours, true);
  put_words(row, "THEIR_WORDS", words.theirs, false);
}

void put_drift(fields f, const tracker::drift_record& d, timestamp now) {
  auto row = f.add("DRIFT");
  put_values(row, d);
  row.set("DRIFT_KIND", tracker::name_of(d.kind)).set("DIRECTION", tracker::name_of(d.direction));
  row.set("SEVERITY_TONE", tone_of(d.severity)).set("FIELD_WORD", worded(tracker::name_of(d.kind)));
  row.set("OWNER", d.owner ? tracker::name_of(*d.owner) : not_known);
  row.set("DIRECTION_WORD", worded(d.direction));
  put_time(row, "SINCE", d.opened_at, now);
}

/// A difference that is no drift belongs to a field that both own, or waits for something bigger.
void put_field(fields f, const compared_field& c) {
  auto row = f.add("FIELD");
  row.set("FIELD_NAME", c.name).set("FIELD_WORD", worded(c.name));
  row.set("FIELD_TONE", c.same.value_or(false) ? "good" : "");
  row.set("OURS", shortened(or_unknown(c.ours))).set("THEIRS", shortened(or_unknown(c.theirs)));
  row.set("VERDICT", !c.same   ? "Not compared: one side is not known"
                     : *c.same ? "Agree"
                               : "Differ, which is no drift under this policy");
}

void put_comparison(fields f, const work_package_view& wp, const shown_issue& i, timestamp now) {
  std::vector<std::string_view> told;
  for (const auto& d : wp.tracker->drift) {
    if (d.link != i.of.link.id) continue;
    put_drift(f, d, now);
    if (d.field) told.push_back(*d.field);
  }
  if (!i.whole) return;
  for (const auto& c : compare(wp.row, i.whole->issue.content))
    if (std::ranges::find(told, c.name) == told.end()) put_field(f, c);
}

void put_facts(fields f, const shown_issue& i, timestamp now) {
  const auto* issue = i.whole ? &i.whole->issue : nullptr;
  f.set("ISSUE_TITLE", issue ? shortened(issue->content.title) : std::string{"Not seen in any snapshot yet"});
  f.set("STATUS", issue ? tracker::name_of(issue->content.status) : not_known);
  f.set("ASSIGNEES", issue ? joined(issue->content.assignees) : std::string{not_known});
  f.set("LABELS", issue ? joined(issue->content.labels) : std::string{not_known});
  f.show_if(issue && issue->presence == tracker::presence::absent, "GONE");
  const auto updated = issue ? issue->content.updated_at : std::nullopt;
  put_time(f, "UPDATED_THERE",
           updated ? std::optional{std::chrono::floor<std::chrono::milliseconds>(*updated)} : std::nullopt,
           now, not_known);
  put_time(f, "SEEN", issue ? std::optional{issue->last_seen_at} : std::nullopt, now);
}

void put_issue(fields f, const visitor& v, const work_package_view& wp, const shown_issue& i, timestamp now) {
  f.set("EXTERNAL_ID", i.of.link.target.id).set("STATE", tracker::name_of(i.of.link.state));
  f.set("STATE_TONE", tone_of(i.of.link.state)).set("KEY", key_of(i.of)).set("WP_ID", wp.row.ref.wp_id);
  f.set("SOURCE", i.of.link.source == tracker::link_source::manual ? "by hand" : "by a snapshot");
  f.set("EXPECTED", tracker::name_of(tracker::expected_status(wp.row.lane)));
  put_url(f, i);
  put_facts(f, i, now);
  put_comparison(f, wp, i, now);
  if (!v.may("tracker:admin")) return;
  f.show("MAY_MAP").set("CSRF", v.csrf).set("LINK_ID", i.of.link.id.str());
  f.set("UNMAP_URL", url_of(wp.row.project) + "/work-packages/" + wp.row.ref.wp_id + "/unmap");
  f.set("MISSION_SLUG", wp.row.ref.mission);
}

// ---- finding an issue to map

struct choices {
  std::string find;        ///< what was asked for
  bool suggested = false;  ///< nothing was: by the title
  bool bound = false;
  std::optional<result<std::shared_ptr<const rows_page<tracker::issue_view>>>> found;
};

asio::awaitable<choices> find_choices(app& a, request& r, const project_view& p, const work_package_view& wp,
                                      std::string find) {
  choices out{std::move(find), false, !p.tracker->bindings.empty(), {}};
  list_issues l;
  l.filter.projects = {p.row.id.str()};
  l.at.limit = most_choices;
  l.filter.q = out.find;
  if (out.find.empty()) {
    out.suggested = true;
    l.filter.q = wp.tracker->links.empty() ? wp.row.title : std::nullopt;
  }
  if (out.bound && l.filter.q && !l.filter.q->empty()) out.found = co_await read(a, r, std::move(l));
  co_return out;
}

void put_choice(fields f, const visitor& v, const work_package_view& wp, const tracker::issue_view& i) {
  const auto& content = i.issue.content;
  f.set("CSRF", v.csrf).set("ISSUE_ID", i.issue.id.str()).set("MISSION_SLUG", wp.row.ref.mission);
  f.set("MAP_URL", url_of(wp.row.project) + "/work-packages/" + wp.row.ref.wp_id + "/map");
  f.set("CHOICE_KEY", shortened(content.key.value_or(content.ref.id)));
  f.set("CHOICE_TITLE", shortened(content.title)).set("CHOICE_STATUS", tracker::name_of(content.status));
  std::string links = i.links.empty() ? "not mapped" : "mapped to";
  for (const auto& l : i.links) links += " " + l.wp.wp_id;
  f.set("CHOICE_LINKS", shortened(links));
}

void put_choices(fields f, const visitor& v, const work_package_view& wp, const choices& c,
                 const request& r) {
  constexpr std::array labels{std::string_view{"Map…"}, std::string_view{"Unmap…"}};
  if (!v.may("tracker:admin"))
    return put_denied(f, "MAP_DENIED", {labels.data(), wp.tracker->links.empty() ? 1U : 2U}, "tracker:admin");
  if (!c.bound) {
    f.show("NOTHING_TO_MAP");
    return;
  }
  f.show("SEARCH").set("FIND", c.find);
  const bool any_mission = wp.row.ref.mission.empty();
  f.set("SELECT_NAME", any_mission ? "no_mission" : "mission");
  f.set("SELECT_VALUE", any_mission ? std::string_view{"true"} : wp.row.ref.mission);
  if (!c.found) return;
  if (!*c.found) {
    put_failure(f, "FIND_FAILED", c.found->error(), r);
    return;
  }
  const auto& rows = (**c.found)->rows;
  f.show_if(rows.empty() && !c.suggested, "NONE_FOUND");
  f.show_if(!rows.empty(), "CHOICES").show_if(!rows.empty() && c.suggested, "SUGGESTED");
  for (const auto& i : rows) put_choice(f.add("CHOICE"), v, wp, i);
}

// ---- the page

void put_work_package(fields f, const project_view& p, const work_package_view& wp, timestamp now) {
  const auto& row = wp.row;
  f.set("PROJECT_URL", url_of(p.row.id)).set("PROJECT_NAME", p.row.name).set("WP_ID", row.ref.wp_id);
  f.set("TITLE", shortened(row.title.value_or(""))).set("LANE", tracker::name_of(row.lane));
  f.set("TONE", tone_of(row.lane)).set("MISSION", or_unknown(row.ref.mission));
  f.set("ASSIGNEE", shortened(or_unknown(row.assignee.value_or(""))));
  f.set("PRIORITY", row.priority ? std::to_string(*row.priority) : std::string{not_known});
  put_time(f, "UPDATED", row.updated_at, now);
}

/// One of that id in each mission.
asio::awaitable<response> ambiguous(app& a, request& r, const visitor& v, const project_view& p,
                                    const error& e) {
  std::vector<std::shared_ptr<const work_package_view>> found;
  for (const auto& mission : e.details().at("candidates").as_array()) {
    auto named = mission.is_string() ? std::string{mission.get_string()} : std::string{};
    auto one = co_await read(
        a, r, get_work_package{p.row.id.value(), std::string{r.param("wp")}, std::move(named), false});
    if (one) found.push_back(std::move(*one));
  }
  co_return page(r, v, {.title = r.param("wp"), .section = "Projects"}, "ambiguous.html", [&](fields f) {
    f.set("PROJECT_URL", url_of(p.row.id)).set("PROJECT_NAME", p.row.name).set("WP_ID", r.param("wp"));
    f.show_if(v.tracker, "TRACKER");
    for (const auto& wp : found) {
      auto row = f.add("CANDIDATE");
      const auto& mission = wp->row.ref.mission;
      row.set("URL", exact_url(wp->row)).set("MISSION", mission.empty() ? "without a mission" : mission);
      row.set("TITLE", shortened(wp->row.title.value_or(""))).set("TONE", tone_of(wp->row.lane));
      row.set("LANE", tracker::name_of(wp->row.lane));
    }
  });
}

struct wp_query {
  std::optional<std::string> mission;  ///< empty: the one without
  std::string find, flash;
};

wp_query read_query(const request& r, const visitor& v) {
  const address at{r};
  wp_query out{at.value("mission"), at.value("find").value_or(""), said(at, v.tracker)};
  if (at.value("no_mission") == "true") out.mission = "";
  if (out.find.size() > longest_search) out.find.clear();
  return out;
}

result<uuid> project_in(const request& r) {
  const auto id = uuid::parse(r.param("id"));
  if (!id) return error{errc::project_not_found};
  return *id;
}

asio::awaitable<std::vector<shown_issue>> read_issues(app& a, request& r, const work_package_view& wp) {
  std::vector<shown_issue> out;
  for (const auto& l : wp.tracker->links) {
    out.push_back({l, {}});
    if (!l.issue) continue;
    if (auto whole = co_await read(a, r, get_issue{l.issue->id})) out.back().whole = std::move(*whole);
  }
  co_return out;
}

asio::awaitable<response> show(app& a, request& r) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  const auto asked = read_query(r, v);
  const auto id = project_in(r);
  if (!id) co_return problem_page(id.error(), r, &v);
  const auto p = co_await read(a, r, get_project{*id, v.tracker});
  if (!p) co_return problem_page(p.error(), r, &v);
  const auto wp =
      co_await read(a, r, get_work_package{*id, std::string{r.param("wp")}, asked.mission, v.tracker});
  if (!wp && wp.error().code() == errc::ambiguous_work_package)
    co_return co_await ambiguous(a, r, v, **p, wp.error());
  if (!wp) co_return problem_page(wp.error(), r, &v);
  std::vector<shown_issue> issues;
  choices to_map;
  if (v.tracker) {
    issues = co_await read_issues(a, r, **wp);
    if (v.may("tracker:admin")) to_map = co_await find_choices(a, r, **p, **wp, asked.find);
  }
  const auto recent = co_await recent_activity(a, r, v, (*p)->row.id.value(), (*wp)->row.ref.wp_id);
  const auto title = (*wp)->row.ref.wp_id + " " + shortened((*wp)->row.title.value_or(""));
  const page_head head{.title = title, .section = "Projects", .flash = asked.flash};
  co_return page(r, v, head, "work_package.html", [&](fields f) {
    put_work_package(f, **p, **wp, r.received_at);
    put_recent(f.include("RECENT", "recent_activity.html"), v, recent, r);
    if (!v.tracker) return;
    f.show("TRACKER").show_if(issues.empty(), "NOT_MAPPED");
    for (const auto& i : issues) put_issue(f.add("ISSUE"), v, **wp, i, r.received_at);
    put_choices(f, v, **wp, to_map, r);
  });
}

// ---- what its buttons do

/// The work package that a form is about, as its page would show it.
asio::awaitable<result<std::shared_ptr<const work_package_view>>> subject(app& a, request& r,
                                                                          const sent_form& form) {
  const auto id = project_in(r);
  if (!id) co_return id.error();
  co_return co_await read(a, r,
                          get_work_package{*id, std::string{r.param("wp")}, form.field("mission"), true});
}

response back_to(const work_package_view& wp, std::string_view done) {
  return see_other(with_said(exact_url(wp.row), done));
}

/// Of the project's own trackers, or NOT_FOUND.
asio::awaitable<result<std::shared_ptr<const tracker::issue_view>>> issue_of(app& a, request& r,
                                                                             const tracker::project_id& p,
                                                                             std::string_view id) {
  const auto named = tracker::issue_id::parse(id);
  if (!named) co_return error{errc::not_found};
  const auto owner = co_await read(a, r, get_project{p.value(), true});
  if (!owner) co_return owner.error();
  auto found = co_await read(a, r, get_issue{*named});
  if (!found) co_return found.error();
  const auto& bindings = (*owner)->tracker->bindings;
  const auto own = std::ranges::find(bindings, (*found)->issue.binding, &tracker::binding_summary::id);
  if (own == bindings.end()) co_return error{errc::not_found};
  co_return found;
}

/// Maps the issue, or has the link that is there mean it.
asio::awaitable<result<std::string_view>> map_issue(app& a, request& r, const work_package_view& wp,
                                                    const tracker::issue& i) {
  const auto& ref = i.content.ref;
  const auto& links = wp.tracker->links;
  const auto there = std::ranges::find(links, i.binding, [](const auto& l) { return l.link.binding; });
  if (there == links.end()) {
    create_link wanted;
    wanted.binding = i.binding, wanted.wp = wp.row.ref, wanted.workspace = ref.workspace;
    wanted.external_id = ref.id, wanted.external_key = i.content.key, wanted.external_url = i.content.url;
    const auto made = co_await command(a, r, std::move(wanted));
    if (!made) co_return made.error();
    co_return "issue-mapped";
  }
  if (there->link.target == ref) co_return "issue-mapped-before";
  if (there->link.target.workspace != ref.workspace)
    co_return error{errc::mapping_exists, "Unmap the other workspace's issue first."};
  patch_link wanted;
  wanted.id = there->link.id;
  wanted.external_id = ref.id, wanted.external_key = i.content.key, wanted.external_url = i.content.url;
  const auto now = co_await command(a, r, std::move(wanted));
  if (!now) co_return now.error();
  co_return "issue-remapped";
}

asio::awaitable<response> map(app& a, request& r) {
  auto in = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(in);
  const auto wp = co_await subject(a, r, form);
  if (!wp) co_return problem_page(wp.error(), r, &form.by);
  const auto found = co_await issue_of(a, r, (*wp)->row.project, form.field("issue"));
  if (!found) co_return problem_page(found.error(), r, &form.by);
  const auto done = co_await map_issue(a, r, **wp, (*found)->issue);
  co_return done ? back_to(**wp, *done) : problem_page(done.error(), r, &form.by);
}

/// Only a link that the page shows; one that is gone already is what was wanted.
asio::awaitable<response> unmap(app& a, request& r) {
  auto in = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(in);
  const auto wp = co_await subject(a, r, form);
  if (!wp) co_return problem_page(wp.error(), r, &form.by);
  const auto id = tracker::link_id::parse(form.field("link"));
  const auto& links = (*wp)->tracker->links;
  if (!id || std::ranges::find(links, *id, [](const auto& l) { return l.link.id; }) == links.end())
    co_return back_to(**wp, "issue-unmapped-before");
  const auto removed = co_await command(a, r, delete_link{*id});
  if (!removed && removed.error().code() != errc::not_found)
    co_return problem_page(removed.error(), r, &form.by);
  co_return back_to(**wp, "issue-unmapped");
}

}  // namespace

void add_dashboard_work_package_routes(std::vector<route>& table, app* a) {
  constexpr std::string_view one = "/dashboard/projects/{id}/work-packages/{wp}",
                             to_map = "/dashboard/projects/{id}/work-packages/{wp}/map",
                             to_unmap = "/dashboard/projects/{id}/work-packages/{wp}/unmap";
  table.push_back(page_route(a, one, "workPackagePage", "One work package beside its issues", show));
  table.push_back(button_route(a, to_map, "mapIssue", "Map an issue by hand", map, {409}));
  table.push_back(button_route(a, to_unmap, "unmapIssue", "Remove a mapping", unmap, {}));
}

}  // namespace connectord::web
