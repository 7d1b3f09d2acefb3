#include "http/tracker_shapes.hpp"

#include "domain/tracker/drift.hpp"
#include "domain/tracker/input.hpp"

namespace connectord::web {
namespace {

std::optional<std::string_view> text_or_null(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

template <class Id>
std::optional<std::string_view> text_of(const std::optional<Id>& id) {
  return id ? std::optional{id->text()} : std::nullopt;
}

/// With as many digits as it has.
void write_external_time(json_writer& w, const std::optional<tracker::external_time>& t) {
  if (!t)
    w.raw("null");
  else
    w.value(std::string_view{tracker::to_rfc3339(*t)});
}

}  // namespace

void write(json_writer& w, const tracker::feature_flag& f) {
  w.open().member("key", f.key).member("enabled", f.enabled);
  w.member("description", "Issue-tracker snapshots, bindings and drift").member("updated_at", f.updated_at);
  w.close();
}

namespace {

void write_ref(json_writer& w, const std::optional<tracker::wp_ref>& wp) {
  w.member("wp_id", wp ? std::optional{wp->wp_id} : std::nullopt);
  w.member("mission_slug", wp ? text_or_null(wp->mission) : std::nullopt);
}

}  // namespace

void write(json_writer& w, const project_view& p) {
  const auto& row = p.row;
  w.open().member("id", row.id.text());
  w.member("project_uuid", row.project_uuid ? std::optional{row.project_uuid->str()} : std::nullopt);
  w.member("slug", row.slug).member("name", row.name).member("work_package_count", p.tally.work_packages);
  w.member("created_at", row.created_at).member("updated_at", row.updated_at).key("tracker");
  if (p.tracker)
    write(w, *p.tracker);
  else
    w.raw("null");
  w.close();
}

void write(json_writer& w, const work_package_view& v) {
  const auto& wp = v.row;
  w.open().member("project_id", wp.project.text());
  write_ref(w, wp.ref);
  w.member("title", wp.title).member("lane", tracker::name_of(wp.lane)).member("assignee", wp.assignee);
  w.member("priority", wp.priority ? std::optional<std::int64_t>{*wp.priority} : std::nullopt);
  w.member("created_at", wp.created_at).member("updated_at", wp.updated_at).key("tracker");
  if (v.tracker)
    write(w, *v.tracker, wp);
  else
    w.raw("null");
  w.close();
}

void write(json_writer& w, const tracker::activity& a) {
  w.open().member("id", a.id.text()).member("seq", a.seq).member("type", a.type);
  w.member("occurred_at", a.occurred_at).member("recorded_at", a.recorded_at);
  w.member("project_id", a.project ? std::optional{a.project->text()} : std::nullopt);
  w.member("project_slug", a.project_slug);
  write_ref(w, a.wp);
  w.member("binding_id", a.binding ? std::optional{a.binding->text()} : std::nullopt);
  w.key("actor").open().member("kind", tracker::name_of(a.actor.kind)).member("name", a.actor.name).close();
  w.member("summary", a.summary).member("url", a.url).raw_member("payload", a.payload).close();
}

void write(json_writer& w, const tracker::project_summary& s) {
  const auto* oldest = s.bindings.empty() ? nullptr : &s.bindings.front();
  w.open().member("health", tracker::name_of(s.health)).member("sync_state", s.queued ? "queued" : "idle");
  w.member("provider", oldest ? std::optional{tracker::name_of(oldest->provider)} : std::nullopt);
  w.member("workspace", oldest ? std::optional{oldest->workspace} : std::nullopt);
  w.member("last_snapshot_at", s.last_snapshot_at).member("issue_count", s.issues);
  w.member("mapping_count", s.mappings).member("drift_open", s.drift_open);
  w.key("drift_open_by_kind").open();
  for (const auto& [kind, count] : s.drift_open_by_kind) w.member(tracker::name_of(kind), count);
  w.close().key("bindings").open_array();
  for (const auto& b : s.bindings) {
    w.open().member("id", b.id.text()).member("binding_ref", b.ref);
    w.member("provider", tracker::name_of(b.provider)).member("workspace", b.workspace);
    w.member("state", tracker::name_of(b.state)).member("health", tracker::name_of(b.health));
    w.member("last_snapshot_at", b.last_snapshot_at).close();
  }
  w.close_array().close();
}

void write(json_writer& w, const tracker::link_view& l) {
  const auto& row = l.link;
  w.open().member("id", row.id.text()).member("binding_id", row.binding.text());
  w.member("project_id", row.project.text());
  write_ref(w, row.wp);
  w.member("system", row.target.system).member("workspace", row.target.workspace);
  w.member("external_id", row.target.id).member("external_key", row.external_key);
  w.member("external_url", row.external_url).member("source", tracker::name_of(row.source));
  w.member("state", tracker::name_of(row.state)).member("claimed_at", row.claimed_at);
  w.member("absent_count", row.absent_count).member("in_latest_snapshot", row.in_latest_snapshot());
  w.member("drift_open", row.drift_open).key("issue");
  if (l.issue) {
    w.open().member("id", l.issue->id.text()).member("key", l.issue->key).member("title", l.issue->title);
    w.member("status", tracker::name_of(l.issue->status)).member("url", l.issue->url);
    write_external_time(w.key("updated_at"), l.issue->updated_at);
    w.member("presence", tracker::name_of(l.issue->presence)).close();
  } else {
    w.raw("null");
  }
  w.member("created_at", row.created_at).member("updated_at", row.updated_at).close();
}

void write(json_writer& w, const tracker::drift_record& d) {
  w.open().member("id", d.id.text()).member("binding_id", d.binding.text());
  w.member("project_id", d.project.text()).member("mapping_id", text_of(d.link));
  w.member("kind", tracker::name_of(d.kind)).member("severity", tracker::name_of(d.severity));
  w.member("field", d.field);
  write_ref(w, d.wp);
  w.key("external");
  if (d.external)
    w.open()
        .member("system", d.external->system)
        .member("workspace", d.external->workspace)
        .member("id", d.external->id)
        .member("key", d.external_key)
        .member("url", d.external_url)
        .close();
  else
    w.raw("null");
  w.member("spec_kitty_value", d.local_value).member("external_value", d.external_value);
  w.member("owner", tracker::name_of(d.owner)).member("direction", tracker::name_of(d.direction));
  w.member("manual_review_required", d.direction == tracker::direction::manual_review);
  w.member("state", tracker::name_of(d.state)).member("resolution", tracker::name_of(d.resolution));
  w.member("opened_at", d.opened_at).member("updated_at", d.updated_at).member("resolved_at", d.resolved_at);
  w.member("opened_by_receipt_id", text_of(d.opened_by));
  w.member("resolved_by_receipt_id", text_of(d.resolved_by)).close();
}

void write(json_writer& w, const tracker::work_package_summary& s, const tracker::work_package& wp) {
  w.open().member("state", s.state ? tracker::name_of(*s.state) : "not_mapped");
  w.member("expected_external_status", tracker::name_of(tracker::expected_status(wp.lane)));
  w.member("drift_open", s.drift.size()).key("links").open_array();
  for (const auto& l : s.links) write(w, l);
  w.close_array().key("drift").open_array();
  for (const auto& d : s.drift) write(w, d);
  w.close_array().close();
}

}  // namespace connectord::web
