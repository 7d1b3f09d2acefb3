#include "http/feed_bells.hpp"
#include "http/query.hpp"
#include "http/team.hpp"
#include "http/views/visitor.hpp"

/// What keeps open pages up to date: a stream that says that something changed, and never what.
namespace connectord::web {
namespace {

/// A busy team's pages are not asked for again more often than this; what comes meanwhile is told at its end.
constexpr std::chrono::milliseconds between_events{400};

/// Where the page's own reading ended: the header is what a browser sends when it comes back.
result<std::optional<page_mark>> last_seen(const request& r) {
  query_reader q{r.query};
  std::optional<page_mark> seen;
  const auto from = [&](std::string_view name, const std::optional<std::string>& text) {
    if (!text) return;
    if (const auto mark = page_mark::parse(*text))
      seen = mark;
    else
      q.refuse(name, "must be the id of an event");
  };
  from("last_event_id", q.text("last_event_id"));
  if (const auto sent = r.header("last-event-id")) from("Last-Event-ID", std::string{*sent});
  if (const auto ok = q.finish(); !ok) return ok.error();
  return seen;
}

/// One open stream. It ends with its session, and with the service.
struct watcher {
  app& a;
  request& r;
  page_mark seen;
  feed_bells::seat seat;

  /// However much there is, one event stands for all of it; none for rows that the flag hides.
  asio::awaitable<bool> tell(stream& out) {
    const bool changed = a.bells->changed_after(r.tenant(), seen.edition);
    const auto next = co_await read(a, r, follow_activity{{}, seen.seq, 1});
    if (!next) co_return false;
    if ((*next)->page.rows.empty() && !changed) {
      seen.seq = (*next)->seen;
      co_return true;
    }
    const auto now = co_await page_end(a, r);
    if (!now) co_return false;
    seen = *now;
    if (!co_await out.write("id: " + seen.text() + "\nevent: changed\ndata: {}\n\n")) co_return false;
    co_await out.wait(seat.rest(), between_events);
    co_return out.open();
  }

  asio::awaitable<bool> welcome() {
    r.received_at = now_utc();
    r.deadline = std::chrono::steady_clock::now() + seconds{30};
    co_return co_await still_welcome(a, r);
  }

  asio::awaitable<void> run(stream& out) {
    while (co_await welcome() && co_await tell(out)) {
      const bool rung = co_await out.wait(seat.bell(), a.facts.tracker.heartbeat);
      if (!out.open()) co_return;
      if (!rung && !co_await out.write(": still here\n\n")) co_return;
    }
  }
};

asio::awaitable<response> events(app& a, request& r) {
  auto in = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&in)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(in);
  auto seen = last_seen(r);
  if (!seen) co_return problem_page(seen.error(), r, &v);
  auto seat = a.bells->take(r.tenant(), true);
  if (!seat)
    co_return problem_page(error{errc::rate_limited, "The team has too many open streams."}.retry_in(1), r,
                           &v);
  if (!*seen) {
    const auto now = co_await page_end(a, r);
    if (!now) co_return problem_page(now.error(), r, &v);
    *seen = *now;
  }
  auto state = std::make_shared<watcher>(a, r, **seen, std::move(*seat));
  co_return response::streamed("text/event-stream", [state](stream& out) { return state->run(out); });
}

}  // namespace

void add_dashboard_event_routes(std::vector<route>& table, app* a) {
  auto& r = table.emplace_back(page_route(a, "/dashboard/events", "dashboardEvents",
                                          "Says when an open page is no longer up to date", events));
  r.answers = {{200, "", "An event whenever something changed", "text/event-stream"}};
}

}  // namespace connectord::web
