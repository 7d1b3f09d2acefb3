#include "domain/tracker/input.hpp"
#include "domain/tracker/text.hpp"
#include "http/team.hpp"
#include "http/views/address.hpp"
#include "http/views/doctrine_form.hpp"
#include "http/views/permission.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

/// One binding of a tracker: how it is, what came in, and what is mapped to what.
namespace connectord::web {
namespace {

using tracker::binding_id;

constexpr int rows_of_a_list = 30;  // with the longest texts, a page stays below 60 KB
constexpr std::size_t longest_shown = 80, longest_name = 512;

using standing = std::shared_ptr<const binding_health::answer>;

std::string path_of(const standing& s) { return "/dashboard/connectors/bindings/" + s->binding.row.id.str(); }

asio::awaitable<result<standing>> find_binding(app& a, request& r) {
  const auto id = binding_id::parse(r.param("id"));
  if (!id) co_return error{errc::binding_not_found};
  co_return co_await read(a, r, binding_health{*id});
}

/// What stood in the way of a button, and what was typed beside it.
struct refusal {
  std::string why;
  bool of_change = false;
  std::string label, state;
  doctrine_choice doctrine{};
  std::string confirm{};
};

struct tab {
  std::string_view name, word;
};
constexpr std::array tabs{tab{"", "Overview"}, tab{"receipts", "Receipts"}, tab{"mappings", "Mappings"},
                          tab{"drift", "Drift"}};

// ---- overview

void put_choices(fields f, std::string_view section, std::span<const std::string_view> values,
                 std::string_view chosen) {
  for (const auto value : values)
    f.add(section).set("VALUE", value).set("WORD", worded(value)).show_if(value == chosen, "CHOSEN");
}

void put_forms(fields f, const visitor& v, const standing& s, const refusal& refused) {
  const auto& b = s->binding.row;
  f.set("SELF", path_of(s)).set("CSRF", v.csrf).set("CONFIRM", refused.confirm);
  const bool unbinding = !refused.why.empty() && !refused.of_change;
  f.show_if(refused.of_change, "REFUSED_CHANGE").show_if(unbinding, "REFUSED_UNBIND");
  f.set("LABEL", refused.of_change ? std::string_view{refused.label} : b.display_label);
  constexpr std::array states{tracker::name_of(tracker::binding_state::active),
                              tracker::name_of(tracker::binding_state::disabled)};
  std::vector<std::string_view> possible{states.begin(), states.end()};
  if (b.state == tracker::binding_state::discovered)
    possible.insert(possible.begin(), tracker::name_of(b.state));
  put_choices(f, "STATE_CHOICE", possible, refused.of_change ? refused.state : tracker::name_of(b.state));
  put_doctrine(f.include("DOCTRINE", "doctrine.html"), refused.of_change ? refused.doctrine : choice_of(b));
}

void put_resources(fields f, const tracker::binding_view& b) {
  if (b.resources.empty()) return void(f.show("NO_RESOURCES"));
  auto table = f.add("RESOURCES");
  for (std::size_t i = 0; i < std::min<std::size_t>(b.resources.size(), rows_of_a_list); ++i) {
    const auto& x = b.resources[i];
    table.add("RESOURCE")
        .set("RESOURCE_ID", tracker::shortened(x.external_id, longest_shown))
        .set("RESOURCE_TYPE", tracker::shortened(x.type, longest_shown))
        .set("RESOURCE_STATE", tracker::name_of(x.state));
  }
}

void put_overview(fields f, const request& r, const visitor& v, const standing& s, const refusal& refused) {
  const auto& view = s->binding;
  const auto& b = view.row;
  const bool manual = b.source == tracker::doctrine_source::manual;
  f.set("PROVIDER", tracker::name_of(b.provider)).set("WORKSPACE", b.workspace).set("REF", b.ref);
  f.set("PROJECT", view.project.slug).set("PROJECT_URL", "/dashboard/projects/" + view.project.id.str());
  f.set("STATE", worded(tracker::name_of(b.state))).set("ORIGIN", worded(tracker::name_of(b.origin)));
  f.set("MODE_WORD", worded(b.effective));
  f.set("MODE_SOURCE", manual ? "set by hand" : "as snapshots say");
  f.set("SEQUENCE", b.sequence).set("ISSUES", b.tally.issues).set("MAPPINGS", b.tally.links);
  if (b.tally.issues_absent > 0) f.add("ABSENT").set("ABSENT_COUNT", b.tally.issues_absent);
  f.set("DRIFT", total_of(view.row.tally.drift_open));
  f.set("QUEUE_URL", "/dashboard/connectors/queue?provider=" + std::string{tracker::name_of(b.provider)});
  put_time(f, "LAST", b.last_snapshot_at, r.received_at);
  put_resources(f, view);
  constexpr std::array labels{std::string_view{"Change …"}, std::string_view{"Unbind …"}};
  if (v.may("tracker:admin"))
    put_forms(f.add("MAY_CHANGE"), v, s, refused);
  else
    put_denied(f, "CHANGE_DENIED", labels, "tracker:admin");
}

// ---- lists

std::string_view tone_of(tracker::receipt_state s) {
  switch (s) {
    case tracker::receipt_state::applied: return "good";
    case tracker::receipt_state::queued: return "warn";
    default: return "";
  }
}

std::int64_t counted(const result<json::object>& counts, std::string_view name) {
  const auto* n = counts ? counts->if_contains(name) : nullptr;
  return n != nullptr && n->is_int64() ? n->get_int64() : 0;
}

void put_row(fields f, const request& r, const tracker::receipt& x) {
  const auto counts = parse_json_object(x.counts);
  f.set("ID", x.id.text()).set("KEY", tracker::shortened(x.key, 40)).set("TONE", tone_of(x.state));
  f.set("STATE", tracker::name_of(x.state)).set("MATCHED", worded(tracker::name_of(x.matched)));
  f.set("SEQUENCE", x.sequence ? std::to_string(*x.sequence) : "—");
  f.set("ISSUES", counted(counts, "issues")).set("MAPPINGS", counted(counts, "mappings"));
  f.set("DRIFT", counted(counts, "drift_open"));
  put_time(f, "AT", x.received_at, r.received_at);
}

void put_row(fields f, const request&, const tracker::link_view& x) {
  const auto& l = x.link;
  auto url = "/dashboard/projects/" + l.project.str() + "/work-packages/" + percent_encoded(l.wp.wp_id);
  if (!l.wp.mission.empty()) url += "?mission=" + percent_encoded(l.wp.mission);
  f.set("WP", l.wp.wp_id).set("WP_URL", url).set("DRIFT", l.drift_open);
  if (!l.wp.mission.empty())
    f.add("MISSION").set("MISSION_SLUG", tracker::shortened(l.wp.mission, longest_shown));
  const auto key = l.external_key ? l.external_key : x.issue ? x.issue->key : std::nullopt;
  f.set("EXTERNAL_ID", l.target.id).set("KEY", tracker::shortened(key.value_or(l.target.id), longest_shown));
  f.set("STATE", tracker::name_of(l.state)).set("TONE", web::tone_of(l.state));
  f.set("TITLE", x.issue ? tracker::shortened(x.issue->title, longest_shown) : "—");
  f.set("STATUS", x.issue ? tracker::name_of(x.issue->status) : "—");
  const auto link = link_of(l.external_url ? l.external_url : x.issue ? x.issue->url : std::nullopt);
  if (link) f.add("LINKED").set("ISSUE_URL", link->href).set("HOST", link->host);
  f.show_if(!link, "UNLINKED");
}

void put_row(fields f, const request& r, const tracker::drift_record& d) {
  f.set("KIND", tracker::name_of(d.kind)).set("KIND_WORD", worded(tracker::name_of(d.kind)));
  f.set("DIRECTION", tracker::name_of(d.direction)).set("DIRECTION_WORD", worded(d.direction));
  f.set("TONE", web::tone_of(d.severity)).set("WP", d.wp ? std::string_view{d.wp->wp_id} : "—");
  const auto shown = [](const std::optional<std::string>& text) {
    return text ? tracker::shortened(*text, longest_shown) : std::string{"—"};
  };
  f.set("KEY", shown(d.external_key))
      .set("OURS", shown(d.local_value))
      .set("THEIRS", shown(d.external_value));
  put_time(f, "SINCE", d.opened_at, r.received_at);
}

sort_key key_of(const tracker::receipt& x) { return {to_millis(x.received_at), x.id.str()}; }
sort_key key_of(const tracker::link_view& x) { return {x.link.wp.wp_id, x.link.wp.mission, x.link.id.str()}; }
sort_key key_of(const tracker::drift_record& d) { return {to_millis(d.opened_at), d.id.str()}; }

template <class Row>
using shown_rows = result<std::shared_ptr<const rows_page<Row>>>;
using panel = std::variant<std::monostate, shown_rows<tracker::receipt>, shown_rows<tracker::link_view>,
                           shown_rows<tracker::drift_record>>;

template <class List>
asio::awaitable<panel> rows_for(app& a, request& r, const address& at, const standing& s, List l) {
  using page = result<std::shared_ptr<const typename List::answer>>;
  auto from = at.at(a, "cursor", rows_of_a_list);
  if (!from) co_return panel{page{from.error()}};
  l.at = std::move(*from);
  l.filter.bindings = {s->binding.row.id.str()};
  co_return panel{co_await read(a, r, std::move(l))};
}

asio::awaitable<panel> panel_for(app& a, request& r, const address& at, const standing& s,
                                 std::string_view chosen) {
  if (chosen == "receipts") co_return co_await rows_for(a, r, at, s, list_receipts{});
  if (chosen == "mappings") co_return co_await rows_for(a, r, at, s, list_links{});
  if (chosen != "drift") co_return panel{};
  list_drift open;
  open.filter.states = {std::string{tracker::name_of(tracker::drift_state::open)}};
  co_return co_await rows_for(a, r, at, s, std::move(open));
}

template <class Row>
void put_rows(fields f, const app& a, const request& r, const address& at, const shown_rows<Row>& found) {
  if (!found) return put_failure(f, "FAILURE", found.error(), r);
  const auto& rows = (*found)->rows;
  f.show(rows.empty() ? "NONE" : "SOME");
  for (const auto& row : rows) put_row(f.add("ROW"), r, row);
  if ((*found)->more) f.show("MORE").set("MORE_URL", at.more(a, "cursor", key_of(rows.back())));
}

void put_panel(fields f, const app& a, const request& r, const visitor& v, const address& at,
               const standing& s, const panel& chosen, const refusal& refused) {
  constexpr std::array files{"binding_overview.html", "binding_receipts.html", "binding_mappings.html",
                             "binding_drift.html"};
  auto part = f.include("PANEL", files.at(chosen.index()));
  std::visit(
      [&](const auto& found) {
        if constexpr (std::is_same_v<std::decay_t<decltype(found)>, std::monostate>)
          put_overview(part, r, v, s, refused);
        else
          put_rows(part, a, r, at, found);
      },
      chosen);
}

// ---- the page

void put_head(fields f, const request& r, const standing& s, const refusal& refused) {
  const auto& b = s->binding.row;
  const auto health = tracker::name_of(s->report.health);
  f.set("NAME", tracker::shortened(b.display_label, longest_shown));
  f.set("PROVIDER", tracker::name_of(b.provider)).set("STATE", tracker::name_of(b.state));
  const auto badge = badge_of(s->report);
  f.set("HEALTH", health).set("HEALTH_WORD", badge.word).set("TONE", badge.tone);
  f.set("BECAUSE", because(s->report, b.last_snapshot_at, total_of(b.tally.drift_open), r.received_at));
  if (!refused.why.empty()) f.show("PROBLEM").set("PROBLEM_TEXT", refused.why);
  if (s->last_run && s->last_run->status == tracker::run_status::rejected)
    f.add("REFUSED").set("REFUSED_TEXT", tracker::shortened(s->last_run->error_message.value_or("")));
  if (s->disagreeing > 0) f.add("DISAGREEING").set("DISAGREEING_COUNT", s->disagreeing);
}

asio::awaitable<response> binding_page(app& a, request& r, const visitor& v, const standing& s,
                                       const refusal& refused = {}, int status = 200) {
  address at{r};
  const auto chosen = at.filter("tab", {"receipts", "mappings", "drift"}).value_or("");
  const auto content = co_await panel_for(a, r, at, s, chosen);
  const auto title = tracker::shortened(s->binding.row.display_label, longest_shown);
  co_return page(r, v,
                 {.title = title, .section = "Connectors", .status = status, .flash = said(at, v.tracker)},
                 "binding.html", [&](fields f) {
                   put_head(f, r, s, refused);
                   for (const auto& t : tabs)
                     f.add("TAB")
                         .set("TAB_WORD", t.word)
                         .set("TAB_URL", path_of(s) + (t.name.empty() ? "" : "?tab=" + std::string{t.name}))
                         .show_if(t.name == chosen, "CURRENT");
                   put_panel(f, a, r, v, at, s, content, refused);
                 });
}

asio::awaitable<response> show_binding(app& a, request& r) {
  auto by = co_await visit_tracker(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  const auto found = co_await find_binding(a, r);
  if (!found) co_return problem_page(found.error(), r, &v);
  co_return co_await binding_page(a, r, v, *found);
}

// ---- buttons

doctrine_choice doctrine_in(const sent_form& form) {
  return {form.field("mode"), form.field("title_owner"), form.field("assignee_owner")};
}

/// Only what differs from the binding as it is.
result<patch_binding> read_change(const sent_form& form, const tracker::binding& b) {
  patch_binding p{.id = b.id};
  const auto label = std::string{trimmed(form.field("label"))};
  if (label.empty() || label.size() > longest_name)
    return invalid("label", "has to have 1 to 512 characters");
  if (label != b.display_label) p.display_label = label;
  const auto state = tracker::parse<tracker::binding_state>(form.field("state"));
  if (!state) return invalid("state", "is not one of the known values");
  if (*state != b.state) p.state = state;
  const auto chosen = doctrine_in(form);
  if (chosen == choice_of(b)) return p;
  p.follows_snapshots = chosen.mode.empty();
  auto doctrine = doctrine_of(chosen, b.effective);
  if (!doctrine) return doctrine.error();
  p.doctrine = std::move(*doctrine);
  return p;
}

asio::awaitable<response> change(app& a, request& r) {
  auto sent_by = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto found = co_await find_binding(a, r);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  result<tracker::binding_view> now = error{errc::internal};
  if (auto wanted = read_change(form, (*found)->binding.row))
    now = co_await command(a, r, std::move(*wanted));
  else
    now = wanted.error();
  if (now) co_return see_other(with_said(path_of(*found), "changed"));
  const refusal refused{because(now.error()), true, form.field("label"), form.field("state"),
                        doctrine_in(form)};
  co_return co_await binding_page(a, r, form.by, *found, refused, traits_of(now.error().code()).http_status);
}

asio::awaitable<response> unbind(app& a, request& r) {
  auto sent_by = co_await sent_to_tracker(a, r);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto found = co_await find_binding(a, r);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  refusal refused{.why = "That is not what the workspace is called: nothing was changed.",
                  .confirm = form.field("confirm")};
  if (trimmed(refused.confirm) != trimmed((*found)->binding.row.workspace))
    co_return co_await binding_page(a, r, form.by, *found, refused, 400);
  const auto gone = co_await command(a, r, delete_binding{(*found)->binding.row.id});
  if (gone) co_return see_other(with_said("/dashboard/connectors", "unbound"));
  refused.why = because(gone.error());
  co_return co_await binding_page(a, r, form.by, *found, refused, traits_of(gone.error().code()).http_status);
}

}  // namespace

void add_dashboard_binding_routes(std::vector<route>& table, app* a) {
  constexpr std::string_view one = "/dashboard/connectors/bindings/{id}",
                             to_change = "/dashboard/connectors/bindings/{id}/change",
                             to_unbind = "/dashboard/connectors/bindings/{id}/unbind";
  table.push_back(page_route(a, one, "bindingPage", "A binding and what came through it", show_binding));
  table.push_back(
      button_route(a, to_change, "changeBindingFromPage", "Change its label, state or policy", change));
  table.push_back(button_route(a, to_unbind, "unbindFromPage", "Detach it", unbind));
}

}  // namespace connectord::web
