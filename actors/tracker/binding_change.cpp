#include "actors/tracker/binding_change.hpp"

#include "actors/tracker/feed.hpp"
#include "base/json.hpp"
#include "domain/tracker/drift.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/projects.hpp"
#include "storage/tracker/work_packages.hpp"

#include <algorithm>
#include <utility>

namespace connectord::tracker {
namespace {

activity row_of(const binding_change& b, std::string_view type, std::string summary, std::string payload) {
  auto a = told_by(b.c, std::string{type}, std::move(summary));
  a.project = b.project.id;
  a.project_slug = b.project.slug;
  a.binding = b.row.id;
  a.url = page_of(b.project.id);
  a.payload = std::move(payload);
  return a;
}

std::string payload_of(const drift_record& d) {
  std::string out;
  json_writer w{out};
  w.open().member("drift_id", d.id.text()).member("kind", name_of(d.kind)).member("field", d.field);
  w.member("wp_id", d.wp ? std::optional{d.wp->wp_id} : std::nullopt).member("external_key", d.external_key);
  w.member("spec_kitty_value", d.local_value).member("external_value", d.external_value);
  w.member("direction", name_of(d.direction));
  if (d.resolution) w.member("resolution", name_of(*d.resolution));
  w.close();
  return out;
}

std::string words_of(drift_kind k) {
  std::string text{name_of(k)};
  std::ranges::replace(text, '_', ' ');
  return text;
}

/// One row a record, or one for all of them when there are too many to read.
void tell_drift(binding_change& b, std::string_view type, std::string_view verb,
                std::span<const drift_record> records) {
  if (records.size() > static_cast<std::size_t>(b.c.rules.feed_burst)) {
    drift_by_kind counts;
    for (const auto& d : records) ++counts[d.kind];
    std::string payload;
    json_writer w{payload};
    w.open().member("aggregated", true).member("count", records.size()).key("by_kind").open();
    for (const auto& [kind, n] : counts) w.member(name_of(kind), n);
    w.close().close();
    return tell(b, type, std::to_string(records.size()) + " drifts " + std::string{verb}, std::move(payload));
  }
  for (const auto& d : records) {
    auto summary = words_of(d.kind) + ' ' + std::string{verb};
    if (d.wp) summary += " for " + d.wp->wp_id;
    if (d.external) summary += " (" + d.external_key.value_or(d.external->id) + ")";
    auto row = row_of(b, type, std::move(summary), payload_of(d));
    row.wp = d.wp;
    row.url = page_of(b.project.id, d.wp);
    b.feed.push_back(std::move(row));
  }
}

void tell_health(binding_change& b, const health_report& now) {
  std::string payload;
  json_writer w{payload};
  w.open()
      .member("from", name_of(b.row.health))
      .member("to", name_of(now.health))
      .key("reasons")
      .open_array();
  for (const auto reason : now.reasons) w.value(name_of(reason));
  w.close_array().close();
  tell(b, "tracker_health_changed",
       "Tracker " + b.row.display_label + " is " + std::string{name_of(now.health)}, std::move(payload));
}

int open_warnings(const drift_by_kind& open) {
  std::int64_t count = 0;
  for (const auto& [kind, n] : open)
    if (severity_of(kind) == severity::warning && kind != drift_kind::stale_snapshot) count += n;
  return static_cast<int>(count);
}

/// A deleted binding speaks of nothing any more.
result<> keep_counts(const binding_change& b) {
  auto& c = b.c;
  const auto opened = std::ssize(b.opened), resolved = std::ssize(b.resolved);
  if (opened + resolved > 0)
    if (const auto ok = storage::count_drift_of_day(c.db, c.tenant, b.row.project, c.now, opened, resolved);
        !ok)
      return ok;
  return b.row.live() ? storage::settle_mappings(c.db, c.tenant, b.row.project, b.relinked)
                      : storage::settle_all_mappings(c.db, c.tenant, b.row.project);
}

}  // namespace

health_report health_of(const stored_binding& b, const policy& rules, timestamp now) {
  return assess({b.state, b.last_snapshot_at, b.tally.failures, open_warnings(b.tally.drift_open)}, rules,
                now);
}

result<binding_change> open_binding(change& c, stored_binding row) {
  const auto project = storage::find_project(c.db, c.tenant, row.project.value());
  if (!project) return project.error();
  if (!*project) return error{errc::internal, "A binding has no project."};
  const auto& p = **project;
  return binding_change{.c = c, .row = std::move(row), .project = {p.id, p.project_uuid, p.slug}};
}

result<binding_change> open_binding(change& c, const binding_id& id) {
  auto row = storage::find_binding(c.db, c.tenant, id);
  if (!row) return row.error();
  if (!*row) return error{errc::binding_not_found};
  return open_binding(c, std::move(**row));
}

void tell(binding_change& b, std::string_view type, std::string summary, std::string payload) {
  b.feed.push_back(row_of(b, type, std::move(summary), std::move(payload)));
}

void tell_transition(binding_change& b, std::string_view type, std::optional<binding_state> from) {
  std::string payload;
  json_writer w{payload};
  w.open().member("provider", name_of(b.row.provider)).member("workspace", b.row.workspace);
  w.member("from", name_of(from)).member("to", name_of(b.row.state)).close();
  tell(b, type, "Tracker " + b.row.display_label + " is " + std::string{name_of(b.row.state)},
       std::move(payload));
}

result<> conclude(binding_change& b) {
  auto& c = b.c;
  if (!b.settled)
    if (const auto ok = settle_drift(b); !ok) return ok;
  tell_drift(b, "tracker_drift_resolved", "resolved", b.resolved);
  tell_drift(b, "tracker_drift_detected", "detected", b.opened);
  const bool live = b.row.live();
  const auto now = health_of(b.row, c.rules, c.now);
  if (live && now.health != b.row.health) {
    tell_health(b, now);
    b.row.health = now.health;
  }
  const auto due = live ? next_check(b.row.state, b.row.last_snapshot_at, c.rules, c.now) : std::nullopt;
  if (const auto stored = storage::update_binding(c.db, c.tenant, b.row, due); !stored) return stored;
  if (const auto kept = keep_counts(b); !kept) return kept;
  return storage::append_activity(c.db, c.tenant, b.feed);
}

}  // namespace connectord::tracker
