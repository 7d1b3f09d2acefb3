#include "http/tracker_json.hpp"

#include "domain/tracker/health.hpp"
#include "domain/tracker/input.hpp"

namespace connectord::web {
namespace {

using tracker::name_of;

template <class Id>
std::optional<std::string_view> text_of(const std::optional<Id>& id) {
  return id ? std::optional{id->text()} : std::nullopt;
}
std::optional<std::string> text_of(const std::optional<tracker::external_time>& t) {
  return t ? std::optional{tracker::to_rfc3339(*t)} : std::nullopt;
}
std::optional<std::string_view> mission_of(const tracker::wp_ref& wp) {
  return wp.mission.empty() ? std::nullopt : std::optional<std::string_view>{wp.mission};
}

void write_texts(json_writer& w, std::string_view name, const std::vector<std::string>& texts) {
  w.key(name).open_array();
  for (const auto& t : texts) w.value(std::string_view{t});
  w.close_array();
}

void write_owners(json_writer& w, std::string_view name, const tracker::doctrine& d) {
  w.key(name).open();
  for (const auto& [field, owner] : d.field_owners) w.member(field, name_of(owner));
  w.close();
}

void write_project(json_writer& w, const std::optional<tracker::project_ref>& p) {
  w.key("project");
  if (!p)
    w.value(nullptr);
  else
    w.open()
        .member("id", p->id.text())
        .member("uuid", text_of(p->project_uuid))
        .member("slug", p->slug)
        .close();
}

void write_counts(json_writer& w, const tracker::binding_view& b) {
  const auto& n = b.row.tally;
  w.member("issues", n.issues).member("issues_absent", n.issues_absent).member("mappings", n.links);
  w.member("drift_open", total_of(n.drift_open));
}

void write_doctrine(json_writer& w, const tracker::binding& b) {
  w.key("doctrine").open().member("mode", name_of(b.effective.mode));
  write_owners(w, "field_owners", b.effective);
  w.member("source", name_of(b.source));
  w.member("reported_mode", b.reported ? std::optional{name_of(b.reported->mode)} : std::nullopt);
  write_owners(w, "reported_field_owners", b.reported.value_or(tracker::doctrine{}));
  w.close();
}

void write_identity(json_writer& w, const tracker::identity& i) {
  w.member("system", i.system).member("workspace", i.workspace);
}

}  // namespace

void write_kinds(json_writer& w, const tracker::drift_by_kind& open) {
  w.open();
  for (const auto& [kind, n] : open) w.member(name_of(kind), n);
  w.close();
}

void write(json_writer& w, const tracker::receipt& r, std::string_view status) {
  const auto state = name_of(r.state);
  w.open().member("receipt_id", r.id.text()).member("status", status.empty() ? state : status);
  w.member("state", state).member("idempotency_key", r.key).member("key_reused", r.revision > 1);
  w.member("revision", r.revision).member("body_digest", r.body_digest);
  w.member("received_at", r.received_at).member("applied_at", r.applied_at).member("sequence", r.sequence);
  w.member("provider", name_of(r.provider)).member("workspace", r.workspace);
  write_project(w, r.project);
  w.member("binding_id", text_of(r.binding)).member("binding_ref", r.binding_ref);
  w.member("binding_created", r.binding_created);
  w.key("routing").open().member("matched_by", name_of(r.matched)).member("fallback_used", r.fallback_used);
  w.close().raw_member("counts", r.counts).raw_member("warnings", r.warnings);
  w.raw_member("effects", r.effects).close();
}

void write(json_writer& w, const tracker::resource& r) {
  w.open().member("id", r.id.text()).member("binding_id", r.binding.text());
  w.member("provider", name_of(r.provider)).member("workspace", r.workspace);
  w.member("resource_type", r.type).member("resource_id", r.external_id).member("state", name_of(r.state));
  w.member("created_at", r.created_at).member("updated_at", r.updated_at).close();
}

void write(json_writer& w, const tracker::binding_view& v) {
  const auto& b = v.row;
  w.open().member("id", b.id.text()).member("binding_ref", b.ref);
  write_project(w, v.project);
  w.member("provider", name_of(b.provider)).member("workspace", b.workspace);
  w.member("display_label", b.display_label).member("state", name_of(b.state));
  w.member("origin", name_of(b.origin));
  write_doctrine(w, b);
  w.member("health", name_of(b.health)).key("resources").open_array();
  for (const auto& r : v.resources) write(w, r);
  w.close_array().key("counts").open();
  write_counts(w, v);
  w.close().member("sequence", b.sequence).member("last_snapshot_at", b.last_snapshot_at);
  w.member("last_receipt_id", text_of(b.last_receipt)).member("created_at", b.created_at);
  w.member("updated_at", b.updated_at).close();
}

void write_views(json_writer& w, const std::vector<tracker::sighting>& views) {
  w.open().member("agree", tracker::agree(views));
  for (const auto name : tracker::words<tracker::view>::all) {
    const auto seen = std::ranges::find(views, name, [](const auto& s) { return name_of(s.view); });
    w.key(name);
    if (seen == views.end()) {
      w.value(nullptr);
      continue;
    }
    w.open().member("status", name_of(seen->status)).member("updated_at", text_of(seen->updated_at));
    w.member("seen_at", seen->seen_at);
    write_texts(w, "unmapped", seen->unmapped);
    w.close();
  }
  w.close();
}

void write(json_writer& w, const tracker::issue_view& v) {
  const auto& i = v.issue;
  const auto& c = i.content;
  w.open().member("id", i.id.text()).member("binding_id", i.binding.text());
  write_identity(w, c.ref);
  w.member("external_id", c.ref.id).member("external_key", c.key).member("url", c.url);
  w.member("title", c.title).member("body", c.body).member("status", name_of(c.status));
  w.member("issue_type", name_of(c.type));
  w.member("priority", c.priority ? std::optional<std::int64_t>{*c.priority} : std::nullopt);
  write_texts(w, "assignees", c.assignees);
  write_texts(w, "labels", c.labels);
  w.member("updated_at", text_of(c.updated_at)).member("presence", name_of(i.presence));
  w.member("first_seen_at", i.first_seen_at).member("last_seen_at", i.last_seen_at);
  w.member("last_receipt_id", text_of(i.last_receipt)).key("linked").open_array();
  for (const auto& l : v.links) {
    w.open().member("mapping_id", l.id.text()).member("wp_id", l.wp.wp_id);
    w.member("mission_slug", mission_of(l.wp)).close();
  }
  w.close_array();
  if (v.views) {
    w.key("views");
    write_views(w, *v.views);
  }
  w.close();
}

void write(json_writer& w, const tracker::queue_item& q) {
  const auto& to = q.route;
  w.open().member("id", q.id.text()).member("receipt_id", q.receipt.text());
  w.member("provider", name_of(to.provider)).member("workspace", to.workspace);
  w.member("external_resource_type", to.resource ? std::optional{to.resource->type} : std::nullopt);
  w.member("external_resource_id", to.resource ? std::optional{to.resource->id} : std::nullopt);
  w.member("project_uuid", to.project_uuid_text).member("project_slug", to.project_slug);
  w.member("issue_count", q.issue_count).member("mapping_count", q.mapping_count);
  w.member("reason", name_of(q.reason)).member("state", name_of(q.state));
  w.member("received_at", q.received_at).member("resolved_at", q.resolved_at).close();
}

void write(json_writer& w, const tracker::sync_run& run) {
  w.open().member("id", run.id.text()).member("binding_id", run.binding.text());
  w.member("receipt_id", text_of(run.receipt)).member("trigger", name_of(run.cause));
  w.member("status", name_of(run.status)).member("started_at", run.started_at);
  w.member("finished_at", run.finished_at);
  w.member("duration_ms", to_millis(run.finished_at) - to_millis(run.started_at));
  w.raw_member("counts", run.counts).member("error_code", run.error_code);
  w.member("error_message", run.error_message).close();
}

void write(json_writer& w, const binding_health::answer& h, const tracker::policy& rules) {
  const auto& b = h.binding.row;
  w.open().member("binding_id", b.id.text()).member("health", name_of(h.report.health));
  w.key("reasons").open_array();
  for (const auto reason : h.report.reasons) w.value(name_of(reason));
  w.close_array().member("checked_at", h.checked_at).member("last_snapshot_at", b.last_snapshot_at);
  w.member("last_snapshot_age_seconds", tracker::age_seconds(b.last_snapshot_at, h.checked_at));
  w.member("consecutive_failures", b.tally.failures).key("last_sync_run");
  if (h.last_run)
    write(w, *h.last_run);
  else
    w.value(nullptr);
  w.key("counts").open();
  write_counts(w, h.binding);
  w.key("drift_open_by_kind");
  write_kinds(w, h.binding.row.tally.drift_open);
  w.close().key("thresholds").open().member("stale_after_seconds", rules.stale_after.count());
  w.member("disconnected_after_seconds", rules.disconnected_after.count());
  w.member("degraded_after_failures", rules.degraded_after);
  w.member("missing_after_snapshots", rules.missing_after).close();
  w.key("views").open().member("disagreeing", h.disagreeing).close().close();
}

void write(json_writer& w, const queue_resolution& r) {
  w.open().key("queue_item");
  write(w, r.item);
  w.key("binding");
  write(w, r.binding);
  w.key("receipt");
  write(w, r.receipt);
  w.close();
}

}  // namespace connectord::web
