#include "http/views/binding_rows.hpp"

#include "domain/tracker/health.hpp"
#include "domain/tracker/text.hpp"
#include "http/views/page.hpp"
#include "http/views/words.hpp"

namespace connectord::web {
namespace {

constexpr std::size_t longest_shown = 80;

void put_binding(fields f, const app& a, const tracker::binding_view& b, timestamp now) {
  const auto& row = b.row;
  const auto health = tracker::name_of(row.health);
  f.set("ID", row.id.text()).set("URL", "/dashboard/connectors/bindings/" + row.id.str());
  f.set("NAME", tracker::shortened(row.workspace, longest_shown));
  f.set("PROVIDER", tracker::name_of(row.provider)).set("STATE", tracker::name_of(row.state));
  f.set("PROJECT", b.project.slug).set("PROJECT_URL", "/dashboard/projects/" + b.project.id.str());
  const bool warned = row.health == tracker::health::drifting;
  const auto report = tracker::assess({row.state, row.last_snapshot_at, row.tally.failures, warned ? 1 : 0},
                                      a.facts.tracker, now);
  const auto badge = badge_of(report);
  f.set("HEALTH", health).set("HEALTH_WORD", badge.word).set("TONE", badge.tone);
  f.set("WHY_TEXT", because(report, row.last_snapshot_at, total_of(row.tally.drift_open), now));
  put_time(f, "LAST", row.last_snapshot_at, now);
}

}  // namespace

void put_binding_rows(fields f, const app& a, const std::vector<tracker::binding_view>& rows, timestamp now) {
  for (const auto& b : rows) put_binding(f.add("ROW"), a, b, now);
}

}  // namespace connectord::web
