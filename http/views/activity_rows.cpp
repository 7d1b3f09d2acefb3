#include "http/views/activity_rows.hpp"

#include "http/views/words.hpp"

namespace connectord::web {

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

}  // namespace connectord::web
