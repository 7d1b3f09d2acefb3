#include "http/views/activity_rows.hpp"

#include "base/form.hpp"
#include "http/views/words.hpp"

namespace connectord::web {
namespace {

constexpr int most_recent = 5;

}  // namespace

bool shows(const visitor& v, const tracker::activity& row) {
  return v.tracker || (!row.of_the_tracker() && row.type != "feature_flag_changed");
}

void put_activity(fields f, std::string_view slot, const tracker::activity& row, timestamp now) {
  auto part = f.include(slot, "activity_row.html");
  part.set("TYPE", row.type).set("TYPE_WORD", worded(row.type)).set("TONE", tone_of_activity(row.type));
  part.set("SEQ", row.seq).set("SUMMARY", row.summary).set("ACTOR", row.actor.name);
  const bool linked = row.url && row.url->starts_with("/dashboard/");
  part.show_if(!linked, "PLAIN");
  if (linked) part.show("LINK").set("URL", *row.url);
  put_time(part, "AT", row.recorded_at, now);
}

asio::awaitable<recent_rows> recent_activity(app& a, request& r, const visitor& v, const uuid& project,
                                             std::string_view wp_id) {
  form_fields asked;
  asked.emplace_back("project", project.text());
  list_activity newest;
  newest.filter.projects = {project};
  newest.filter.with_tracker = v.tracker;
  newest.at.limit = most_recent;
  if (!wp_id.empty()) {
    newest.filter.wp_ids = {std::string{wp_id}};
    asked.emplace_back("wp_id", wp_id);
  }
  auto rows = co_await read(a, r, std::move(newest));
  co_return recent_rows{std::move(rows), "/dashboard/activity?" + form_encoded(asked)};
}

void put_recent(fields f, const visitor& v, const recent_rows& recent, const request& r) {
  f.set("FEED_URL", recent.feed_url);
  if (!recent.rows) return put_failure(f, "RECENT_FAILED", recent.rows.error(), r);
  bool any = false;
  for (const auto& row : (*recent.rows)->rows) {
    if (!shows(v, row)) continue;
    put_activity(f, "EVENT", row, r.received_at);
    any = true;
  }
  f.show(any ? "EVENTS" : "QUIET");
}

}  // namespace connectord::web
