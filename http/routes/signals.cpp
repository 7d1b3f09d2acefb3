#include "http/app.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

/// Signals, and the jobs that made them.
namespace connectord::web {
namespace {

asio::awaitable<response> list_signals_of(app& a, request& r) {
  query_reader q{r.query};
  list_signals l;
  l.filter.provider = provider_of(a, q);
  l.filter.connection = q.id_of<connection_id>("connection_id");
  l.filter.kind = q.text("kind");
  if (l.filter.kind && !is_signal_kind(*l.filter.kind)) q.refuse("kind", "is not a known kind");
  l.filter.occurred_after = q.time("occurred_after");
  l.filter.occurred_before = q.time("occurred_before");
  if (q.boolean("include_payload").value_or(false)) l.with = signal_extra::payload;
  const auto bound = q.bound_to({"provider", "connection_id", "kind", "occurred_after", "occurred_before"});
  l.at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto page = co_await list<signal>(a, r, l);
  if (!page) co_return refuse(page.error(), r);
  const auto& rows = (*page)->rows;
  std::string body;
  body.reserve(rows.size() * 320);
  json_writer w{body};
  w.open().key("signals").open_array();
  for (const auto& s : rows) write(w, s, l.with == signal_extra::payload, false);
  w.close_array();
  std::optional<position> last;
  if ((*page)->more) last = position{to_millis(rows.back().occurred_at), rows.back().id.str()};
  w.member("next_cursor", next_cursor(a, r, bound, last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> get_one_signal(app& a, request& r) {
  const auto id = path_id<signal_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await row<signal>(a, r, get_signal{*id});
  if (!found) co_return refuse(found.error(), r);
  std::string body;
  json_writer w{body};
  write(w, *found, true, true);
  co_return response::json(200, std::move(body));
}

template <class Enum>
std::optional<Enum> chosen(query_reader& q, std::string_view name,
                           std::initializer_list<std::string_view> words) {
  const auto text = q.one_of(name, words);
  if (!text) return std::nullopt;
  return static_cast<Enum>(std::ranges::find(words, *text) - words.begin());
}

asio::awaitable<response> list_jobs_of(app& a, request& r) {
  query_reader q{r.query};
  list_jobs l;
  l.filter.status = chosen<job_status>(q, "status", {"queued", "running", "succeeded", "failed"});
  l.filter.type = chosen<job_type>(q, "job_type", {"full", "incremental", "webhook"});
  l.filter.provider = provider_of(a, q);
  l.filter.connection = q.id_of<connection_id>("connection_id");
  l.filter.started_after = q.time("started_after");
  l.filter.finished_after = q.time("finished_after");
  const auto bound =
      q.bound_to({"status", "job_type", "provider", "connection_id", "started_after", "finished_after"});
  l.at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto page = co_await list<job>(a, r, l);
  if (!page) co_return refuse(page.error(), r);
  const auto& rows = (*page)->rows;
  std::string body;
  json_writer w{body};
  w.open().key("jobs").open_array();
  for (const auto& j : rows) write(w, j, false);
  w.close_array();
  std::optional<position> last;
  if ((*page)->more) last = position{to_millis(rows.back().scheduled_at), rows.back().id.str()};
  w.member("next_cursor", next_cursor(a, r, bound, last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> get_one_job(app& a, request& r) {
  const auto id = path_id<job_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await row<job>(a, r, get_job{*id});
  if (!found) co_return refuse(found.error(), r);
  std::string body;
  json_writer w{body};
  write(w, *found, true);
  co_return response::json(200, std::move(body));
}

constexpr std::string_view any_text = R"({"type":"string"})", any_id = R"({"type":"string","format":"uuid"})",
                           any_time = R"({"type":"string","format":"date-time"})";

}  // namespace

void add_signal_routes(std::vector<route>& table, app* a) {
  const auto add = [&](std::string_view path, std::string_view id, std::string_view tag,
                       std::string_view text, std::string_view scope, answer ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&),
                       std::vector<parameter> parameters = {}) {
    route r{
        verb::get, path, id, tag, text, tenant_with(scope), {ok}, std::move(errors), std::move(parameters)};
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  const parameter limit{"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"};
  const parameter cursor{"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"};
  add("/signals", "listSignals", "signals", "Signals, newest first", "signals:read",
      {200, "SignalList", "A page"}, {400}, list_signals_of,
      {{"provider", any_text, "Slug"},
       {"connection_id", any_id, "Connection"},
       {"kind", any_text, "One of the 29 kinds"},
       {"occurred_after", any_time, "Inclusive"},
       {"occurred_before", any_time, "Inclusive"},
       {"include_payload", R"({"type":"boolean","default":false})", "With payloads"},
       limit,
       cursor});
  add("/signals/{id}", "getSignal", "signals", "One signal with its payload", "signals:read",
      {200, "SignalDetail", "The signal"}, {400, 404}, get_one_signal);
  add("/jobs", "listJobs", "jobs", "Jobs, the latest first", "jobs:read", {200, "JobList", "A page"}, {400},
      list_jobs_of,
      {{"status", R"({"type":"string","enum":["queued","running","succeeded","failed"]})", "Status"},
       {"job_type", R"({"type":"string","enum":["full","incremental","webhook"]})", "Type"},
       {"provider", any_text, "Slug"},
       {"connection_id", any_id, "Connection"},
       {"started_after", any_time, "Inclusive"},
       {"finished_after", any_time, "Inclusive"},
       limit,
       cursor});
  add("/jobs/{id}", "getJob", "jobs", "One job with its error", "jobs:read", {200, "JobDetail", "The job"},
      {400, 404}, get_one_job);
}

}  // namespace connectord::web
