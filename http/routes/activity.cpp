#include "http/feed_bells.hpp"
#include "http/list.hpp"
#include "http/team.hpp"
#include "http/tracker_filters.hpp"

#include <charconv>
#include <limits>

/// The activity feed: as a list, and as a stream.
namespace connectord::web {
namespace {

constexpr std::int64_t any_seq = std::numeric_limits<std::int64_t>::max();
constexpr int rows_at_once = 100, most_behind = 1000;
constexpr std::size_t longest_search = 200;

tracker::activity_filter read_filter(list_reader& q, bool with_tracker) {
  tracker::activity_filter f;
  f.projects = q.ids("project");
  f.wp_ids = q.texts("wp_id");
  f.bindings = q.ids_of<tracker::binding_id>("binding_id");
  f.providers = providers(q);
  f.types = q.texts("type");
  f.from = q.time("from"), f.to = q.time("to");
  f.text = q.text("q");
  if (f.text && code_points(*f.text) > longest_search) q.refuse("q", "must have at most 200 characters");
  f.since = q.integer("since_seq", 0, any_seq);
  f.until = q.integer("until_seq", 0, any_seq);
  f.with_tracker = with_tracker;
  return f;
}

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  list_activity l;
  l.filter = read_filter(q, r.who->tracker_on);
  const auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  l.at = *at;
  const auto page = co_await read(a, r, std::move(l));
  if (!page) co_return refuse(page.error(), r);
  std::optional<sort_key> last;
  if ((*page)->more) last = sort_key{(*page)->next};
  co_return list_answer_until(q, (*page)->rows, last,
                              [](json_writer& w, const tracker::activity& row) { write(w, row); });
}

/// Header or parameter; the header is what a browser sends when it comes back.
std::optional<std::int64_t> last_seen(const request& r, list_reader& q) {
  const auto from_query = q.integer("last_event_id", 0, any_seq);
  const auto sent = r.header("last-event-id");
  if (!sent) return from_query;
  std::int64_t seq = 0;
  const auto* end = sent->data() + sent->size();
  const auto parsed = std::from_chars(sent->data(), end, seq);
  if (parsed.ec == std::errc{} && parsed.ptr == end && seq >= 0) return seq;
  q.refuse("Last-Event-ID", "must be the id of an event");
  return std::nullopt;
}

void append_frame(std::string& out, const tracker::activity& row) {
  ((out += "id: ") += std::to_string(row.seq)) += '\n';
  ((out += "event: ") += row.type) += "\ndata: ";
  json_writer w{out};
  write(w, row);
  out += "\n\n";
}

/// What one open stream is after. It ends when its reader is too far behind, its credential is no longer
/// good, or the service drains.
struct follower {
  app& a;
  request& r;
  follow_activity next;
  feed_bells::seat seat;

  /// False when the stream is over. Pages, so that memory stays bounded however far behind the reader is.
  asio::awaitable<bool> catch_up(stream& out) {
    for (int sent = 0; sent < most_behind;) {
      r.deadline = std::chrono::steady_clock::now() + seconds{30};
      const auto found = co_await read(a, r, next);
      if (!found) co_return false;
      std::string frames;
      for (const auto& row : (*found)->page.rows) append_frame(frames, row);
      if (!frames.empty() && !co_await out.write(frames)) co_return false;
      next.after = (*found)->seen;
      if (!(*found)->page.more) co_return true;
      sent += static_cast<int>((*found)->page.rows.size());
    }
    co_return false;
  }

  asio::awaitable<void> run(stream& out) {
    while (co_await catch_up(out)) {
      const bool rung = co_await out.wait(seat.bell(), a.facts.tracker.heartbeat);
      if (!out.open()) co_return;
      if (rung) continue;
      r.received_at = now_utc();
      const auto who = co_await a.auth->admit(r.route->access, r);
      if (!who || !co_await out.write(": still here\n\n")) co_return;
    }
  }
};

asio::awaitable<response> follow(app& a, request& r) {
  list_reader q{a, r};
  follow_activity from;
  from.filter = read_filter(q, true);
  from.after = last_seen(r, q);
  from.limit = rows_at_once;
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  auto seat = a.bells->take(r.tenant());
  if (!seat) co_return refuse(error{errc::rate_limited, "The team has too many open streams."}, r);
  // Where the feed ends now, before the reader is told that it is listening.
  if (!from.after) {
    const auto end = co_await read(a, r, from);
    if (!end) co_return refuse(end.error(), r);
    from.after = (*end)->seen;
  }
  auto state = std::make_shared<follower>(a, r, std::move(from), std::move(*seat));
  co_return response::streamed("text/event-stream", [state](stream& out) { return state->run(out); });
}

}  // namespace

void add_activity_routes(std::vector<route>& table, app* a) {
  const auto filters = [] {
    return std::vector<parameter>{
        {"project", R"({"type":"string"})", "Projects, comma-separated"},
        {"wp_id", R"({"type":"string"})", "Work packages, comma-separated"},
        {"binding_id", R"({"type":"string"})", "Bindings, comma-separated"},
        {"provider", R"({"type":"string"})", "Providers of bindings, comma-separated"},
        {"type", R"({"type":"string"})", "Types, comma-separated"},
        {"q", R"({"type":"string","maxLength":200})",
         "Part of the summary, the actor's name or the kind's words, in any letter case"},
        {"from", R"({"type":"string","format":"date-time"})", "Recorded then or later"},
        {"to", R"({"type":"string","format":"date-time"})", "Recorded then or before"},
        {"since_seq", R"({"type":"integer","minimum":0})", "From this one on"},
        {"until_seq", R"({"type":"integer","minimum":0})", "Up to this one"}};
  };
  auto& list =
      table.emplace_back(team_route(verb::get, "/api/v1/activity", "listActivity", "The feed, newest first",
                                    team_with("tracker:read"), {200, "ActivityList", "A page"}));
  list.tag = "projects";
  list.parameters = paged(filters());
  list.handle = on(a, list_all);
  auto& live = table.emplace_back(team_route(
      verb::get, "/api/v1/activity/stream", "streamActivity", "The feed as it grows, as server-sent events",
      team_with("tracker:read"), {200, "", "One event a row", "text/event-stream"}, {429}));
  live.tag = "projects";
  live.parameters = filters();
  live.parameters.push_back(
      {"Last-Event-ID", R"({"type":"integer","minimum":0})", "Starts behind this row", false, "header"});
  live.parameters.push_back(
      {"last_event_id", R"({"type":"integer","minimum":0})", "The same, for readers that set no headers"});
  live.handle = on(a, follow);
}

}  // namespace connectord::web
