#include "http/team.hpp"
#include "http/views/activity_rows.hpp"
#include "http/views/address.hpp"
#include "http/views/export.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

/// The feed as a page, and as files of what the page shows.
namespace connectord::web {
namespace {

constexpr std::size_t longest_file = 10'000;  ///< rows
constexpr int rows_of_a_page = 50, rows_at_once = 1000, most_reads = 100;
constexpr std::size_t longest_search = 200;

/// What the page offers to filter by; clients' events may be of other types, too.
constexpr std::array kinds{
    std::string_view{"WPCreated"},     std::string_view{"WPStatusChanged"},  std::string_view{"WPAssigned"},
    std::string_view{"MissionClosed"}, std::string_view{"FeatureCompleted"}, std::string_view{"GatePassed"},
    std::string_view{"GateFailed"},
};
constexpr std::array kinds_of_the_tracker{
    std::string_view{"feature_flag_changed"},         std::string_view{"tracker_snapshot_ingested"},
    std::string_view{"tracker_snapshot_queued"},      std::string_view{"tracker_snapshot_rejected"},
    std::string_view{"tracker_drift_detected"},       std::string_view{"tracker_drift_resolved"},
    std::string_view{"tracker_binding_discovered"},   std::string_view{"tracker_binding_created"},
    std::string_view{"tracker_binding_activated"},    std::string_view{"tracker_binding_disabled"},
    std::string_view{"tracker_binding_deleted"},      std::string_view{"tracker_mapping_changed"},
    std::string_view{"tracker_doctrine_changed"},     std::string_view{"tracker_health_changed"},
    std::string_view{"tracker_mission_origin_bound"},
};

bool is_gated(std::string_view type) {
  return type.starts_with("tracker_") || type == kinds_of_the_tracker.front();
}

result<std::optional<uuid>> id_in(address& at, std::string_view name) {
  const auto text = at.filter(name);
  if (!text) return std::optional<uuid>{};
  const auto id = uuid::parse(*text);
  if (!id) return invalid(name, "must be a UUID");
  return id;
}

result<std::optional<std::int64_t>> seq_in(address& at, std::string_view name) {
  const auto text = at.filter(name);
  if (!text) return std::optional<std::int64_t>{};
  std::int64_t seq = 0;
  const auto* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, seq);
  if (parsed.ec != std::errc{} || parsed.ptr != end || seq < 0)
    return invalid(name, "must be a number of a row");
  return std::optional{seq};
}

/// An instant, or a day (UTC) as date fields send it: its beginning, or its end.
result<std::optional<timestamp>> time_in(address& at, std::string_view name, std::string_view of_day) {
  const auto text = at.filter(name);
  if (!text) return std::optional<timestamp>{};
  constexpr std::size_t day_alone = 10;
  const auto time = parse_rfc3339(text->size() == day_alone ? *text + std::string{of_day} : *text);
  if (!time) return invalid(name, "must be a day or an RFC 3339 timestamp");
  return time;
}

result<> read_times(address& at, tracker::activity_filter& f) {
  const auto since = seq_in(at, "since_seq"), until = seq_in(at, "until_seq");
  if (!since) return since.error();
  if (!until) return until.error();
  const auto from = time_in(at, "from", "T00:00:00Z"), to = time_in(at, "to", "T23:59:59.999Z");
  if (!from) return from.error();
  if (!to) return to.error();
  f.since = *since, f.until = *until, f.from = *from, f.to = *to;
  return {};
}

result<tracker::activity_filter> read_filter(address& at, const visitor& v) {
  tracker::activity_filter f;
  f.with_tracker = v.tracker;
  const auto project = id_in(at, "project"), binding = id_in(at, "binding_id");
  if (!project) return project.error();
  if (!binding) return binding.error();
  if (*project) f.projects = {**project};
  if (*binding) f.bindings = {tracker::binding_id{**binding}};
  if (auto wp = at.filter("wp_id")) f.wp_ids = {std::move(*wp)};
  f.text = at.filter("q");
  if (f.text && code_points(*f.text) > longest_search)
    return invalid("q", "must have at most 200 characters");
  // What the flag gates is no filter while it is off.
  const auto provider = v.tracker ? at.filter("provider") : std::nullopt;
  if (provider && !tracker::parse<tracker::provider>(*provider))
    return invalid("provider", "is not one of the known values");
  if (provider) f.providers = {*provider};
  const auto type = at.value("type");
  if (type) f.types = {*type};
  // What the flag gates finds nothing while it is off, and is not repeated either.
  if (type && (v.tracker || !is_gated(*type))) at.filter("type");
  if (const auto ok = read_times(at, f); !ok) return ok.error();
  return f;
}

/// The filters of the page, for another address; with another end, if there is one.
std::string query_of(const address& at, std::optional<std::int64_t> until = {}) {
  const auto here = at.here();
  const auto filters = here.substr(std::min(here.find('?'), here.size() - 1) + 1);
  auto fields = form_decoded(filters).value_or(form_fields{});
  if (until) {
    std::erase_if(fields, [](const auto& f) { return f.first == "until_seq"; });
    fields.emplace_back("until_seq", std::to_string(*until));
  }
  return fields.empty() ? std::string{} : "?" + form_encoded(fields);
}

// ---- the page

void put_kinds(fields f, const visitor& v, const tracker::activity_filter& filter) {
  const auto chosen = filter.types.empty() ? std::string_view{} : std::string_view{filter.types.front()};
  bool offered = false;
  const auto offer = [&](std::string_view name) {
    auto option = f.add("KIND");
    option.set("KIND_NAME", name).set("KIND_WORD", worded(name)).show_if(name == chosen, "CHOSEN");
    offered |= name == chosen;
  };
  std::ranges::for_each(kinds, offer);
  if (v.tracker) std::ranges::for_each(kinds_of_the_tracker, offer);
  if (!chosen.empty() && !offered && !is_gated(chosen)) offer(chosen);
}

void put_projects(fields f, const std::vector<tracker::project>& known,
                  const tracker::activity_filter& filter) {
  const auto chosen = [&](const tracker::project& p) {
    return !filter.projects.empty() && (p.id == tracker::project_id{filter.projects.front()} ||
                                        p.project_uuid == filter.projects.front());
  };
  for (const auto& p : known)
    f.add("PROJECT").set("PROJECT_ID", p.id.str()).set("PROJECT_NAME", p.name).show_if(chosen(p), "CHOSEN");
}

void put_filters(fields f, const address& at, const visitor& v, const tracker::activity_filter& filter) {
  constexpr std::size_t day = 10;
  f.set("WP", at.value("wp_id").value_or("")).set("Q", filter.text.value_or(""));
  f.set("FROM", filter.from ? to_rfc3339(*filter.from).substr(0, day) : std::string{});
  f.set("TO", filter.to ? to_rfc3339(*filter.to).substr(0, day) : std::string{});
  if (!v.tracker) return;
  auto part = f.add("TRACKER");
  for (const auto name : tracker::words<tracker::provider>::all)
    part.add("PROVIDER").set("PROVIDER_NAME", name).show_if(at.value("provider") == name, "CHOSEN");
  if (const auto binding = at.value("binding_id")) part.show("OF_BINDING").set("BINDING_ID", *binding);
}

void put_rows(fields f, const visitor& v, std::span<const tracker::activity> rows, timestamp now) {
  bool any = false;
  for (const auto& row : rows) {
    if (!shows(v, row)) continue;
    put_activity(f, "EVENT", row, now);
    any = true;
  }
  f.show(any ? "SOME" : "NONE");
}

asio::awaitable<response> feed(app& a, request& r) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  address at{r};
  const auto filter = read_filter(at, v);
  if (!filter) co_return problem_page(filter.error(), r, &v);
  auto start = at.at(a, "cursor", rows_of_a_page);
  if (!start) co_return problem_page(start.error(), r, &v);
  const bool newest = !start->after;
  const auto found = co_await read(a, r, list_activity{*filter, std::move(*start)});
  if (!found) co_return problem_page(found.error(), r, &v);
  const auto projects = co_await read(a, r, name_projects{});
  co_return page(r, v, {.title = "Activity", .section = "Activity"}, "activity.html", [&](fields f) {
    put_filters(f, at, v, *filter);
    f.show_if(at.filtered(), "FILTERED").show_if(newest, "NEWEST");
    f.set("CSV_URL", "/dashboard/activity.csv" + query_of(at));
    f.set("NDJSON_URL", "/dashboard/activity.ndjson" + query_of(at));
    put_kinds(f, v, *filter);
    if (projects) put_projects(f, **projects, *filter);
    put_rows(f, v, (*found)->rows, r.received_at);
    f.show_if(!(*found)->stopped, "ENDED");
    if (!(*found)->more) return;
    f.show((*found)->stopped ? "STOPPED" : "OLDER");
    f.set("LOOKED_AT", list_activity::most_looked_at)
        .set("OLDER_URL", at.more(a, "cursor", sort_key{(*found)->next}));
  });
}

// ---- files

struct export_rows {
  std::vector<tracker::activity> rows;
  std::optional<std::int64_t> next;  ///< `until_seq` of the file that goes on
};

/// The newest that fit into one file, a page at a time, so that others get their turn in between.
asio::awaitable<result<export_rows>> read_rows(app& a, request& r, const visitor& v, list_activity l) {
  export_rows out;
  l.at.limit = rows_at_once;
  bool more = true;
  for (int reads = 0; more && out.rows.size() < longest_file && reads < most_reads; ++reads) {
    const auto found = co_await read(a, r, l);
    if (!found) co_return found.error();
    const auto& rows = (*found)->rows;
    std::ranges::copy_if(rows, std::back_inserter(out.rows), [&](const auto& row) { return shows(v, row); });
    more = (*found)->more;
    out.next.reset();
    if (more) {
      l.at.after = sort_key{(*found)->next};
      out.next = (*found)->next - 1;
    }
  }
  co_return out;
}

using formatter = std::string (*)(std::span<const tracker::activity>);

asio::awaitable<response> file(app& a, request& r, std::string_view type, formatter format) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  address at{r};
  auto filter = read_filter(at, v);
  if (!filter) co_return problem_page(filter.error(), r, &v);
  const auto found = co_await read_rows(a, r, v, list_activity{std::move(*filter), {}});
  if (!found) co_return problem_page(found.error(), r, &v);
  const std::string path{r.route->path};
  auto out =
      response::text(type, format(found->rows))
          .with("Content-Disposition", "attachment; filename=\"" + path.substr(path.rfind('/') + 1) + "\"");
  if (!found->next) co_return out;
  const auto rest = path + query_of(at, found->next);
  co_return std::move(out).with("Link", "<" + rest + ">; rel=\"next\"");
}

asio::awaitable<response> csv(app& a, request& r) { return file(a, r, "text/csv; charset=utf-8", as_csv); }

asio::awaitable<response> ndjson(app& a, request& r) { return file(a, r, "application/x-ndjson", as_ndjson); }

}  // namespace

void add_dashboard_activity_routes(std::vector<route>& table, app* a) {
  table.push_back(page_route(a, "/dashboard/activity", "activityPage", "The feed", feed));
  const auto add = [&](std::string_view path, std::string_view id, std::string_view type,
                       asio::awaitable<response> (*f)(app&, request&)) {
    auto& r = table.emplace_back(page_route(a, path, id, "What the feed's page shows, as a file", f));
    r.answers = {{200, "", "At most 10,000 rows; a Link header leads to the rest", type}};
    r.slash_optional = false;
  };
  add("/dashboard/activity.csv", "activityCsv", "text/csv", csv);
  add("/dashboard/activity.ndjson", "activityNdjson", "application/x-ndjson", ndjson);
}

}  // namespace connectord::web
