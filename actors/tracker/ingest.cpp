#include "actors/tracker/ingest.hpp"

#include "actors/tracker/abort.hpp"
#include "actors/tracker/apply.hpp"
#include "actors/tracker/bindings.hpp"
#include "actors/tracker/feed.hpp"
#include "actors/tracker/receipt_json.hpp"
#include "actors/tracker/route.hpp"
#include "base/json.hpp"
#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/queue.hpp"
#include "storage/tracker/receipts.hpp"
#include "storage/tracker/runs.hpp"

#include <algorithm>
#include <utility>

namespace connectord::tracker {
namespace {

/// What published clients compute: such a key may come again with another body.
bool computed_key(std::string_view key) {
  constexpr auto hex = [](char x) { return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'f'); };
  return key.size() == 64 && std::ranges::all_of(key, hex);
}

receipt new_receipt(const ingest_snapshot& asked, int revision, timestamp received) {
  const auto& body = asked.snapshot->body;
  receipt r;
  r.id = snapshot_id::make();
  r.scope = body.route.scope();
  r.key = asked.key;
  r.body_digest = body.digest;
  r.raw_sha256 = asked.snapshot->raw_sha256;
  r.revision = revision;
  r.received_at = received;
  r.provider = body.route.provider;
  r.workspace = body.route.workspace;
  return r;
}

void warn_of_override(const snapshot_body& body, const project_ref& landed,
                      std::vector<snapshot_warning>& warnings) {
  const auto& sent = body.route;
  if (sent.project_uuid_text && sent.project_uuid != landed.project_uuid)
    warnings.push_back({"project_overridden_by_resource", "The resource is mapped to another project.",
                        "project_uuid", "{}", body.project_uuid_at});
  if (sent.project_slug && *sent.project_slug != landed.slug)
    warnings.push_back({"project_slug_overridden", "The resource is mapped to a project of another slug.",
                        "project_slug", "{}", body.project_slug_at});
  in_document_order(warnings);
}

/// The pending item of the scope gives way to a newer snapshot.
result<> supersede(change& c, std::string_view scope) {
  auto item = storage::find_pending(c.db, c.tenant, scope);
  if (!item) return item.error();
  if (!*item) return {};
  auto& old = **item;
  old.state = queue_state::superseded;
  old.resolved_at = c.now;
  if (const auto ok = storage::update_queue_item(c.db, c.tenant, old); !ok) return ok;
  auto waiting = storage::find_receipt(c.db, c.tenant, old.receipt);
  if (!waiting) return waiting.error();
  (*waiting)->state = receipt_state::superseded;
  if (const auto ok = storage::update_receipt(c.db, c.tenant, **waiting); !ok) return ok;
  return storage::drop_body(c.db, c.tenant, old.receipt);
}

activity queued_row(const change& c, const receipt& r, queue_reason why) {
  auto a = told_by(
      c, "tracker_snapshot_queued",
      "A snapshot of " + std::string{name_of(r.provider)} + ":" + r.workspace + " waits for a project");
  json_writer w{a.payload = {}};
  w.open().member("receipt_id", r.id.text()).member("reason", name_of(why)).close();
  return a;
}

result<snapshot_outcome> queue(change& c, const ingest_snapshot& asked, receipt r, queue_reason why) {
  const auto& body = asked.snapshot->body;
  if (const auto ok = supersede(c, r.scope); !ok) return ok.error();
  const auto pending = storage::count_pending(c.db, c.tenant);
  if (!pending) return pending.error();
  if (*pending >= c.rules.queue_max) return error{errc::queue_full}.retry_in(60);
  r.state = receipt_state::queued;
  r.counts = counts_json({.issues = body.counts.issues,
                          .issues_ignored = body.counts.issues_ignored,
                          .mappings = body.counts.mappings,
                          .mappings_ignored = body.counts.mappings_ignored});
  r.warnings = warnings_json(body.warnings);
  r.effects = no_effects;
  queue_item item{.id = queue_id::make(),
                  .receipt = r.id,
                  .scope = r.scope,
                  .route = body.route,
                  .issue_count = body.counts.issues,
                  .mapping_count = body.counts.mappings,
                  .reason = why,
                  .received_at = r.received_at};
  if (const auto ok = storage::insert_receipt(c.db, c.tenant, r); !ok) return ok.error();
  if (const auto ok = storage::keep_body(c.db, c.tenant, r.id, asked.snapshot->packed); !ok)
    return ok.error();
  if (const auto ok = storage::insert_queue_item(c.db, c.tenant, item); !ok) return ok.error();
  if (const auto made = storage::ensure_installation(c.db, c.tenant, r.provider, c.now); !made)
    return made.error();
  auto row = queued_row(c, r, why);
  if (const auto ok = storage::append_activity(c.db, c.tenant, {&row, 1}); !ok) return ok.error();
  return snapshot_outcome{std::move(r)};
}

result<snapshot_outcome> first_answer(change& c, const ingest_snapshot& asked, receipt r) {
  const auto& to = asked.snapshot->body.route;
  auto found = route(c, to);
  if (!found) return found.error();
  r.fallback_used = found->fallback_used;
  if (!found->binding && !found->owner) return queue(c, asked, std::move(r), found->reason);
  r.matched = found->how;
  r.binding_created = found->owner.has_value();
  auto b = found->owner ? make_binding(c, *found->owner, to.provider, to.workspace, binding_state::discovered,
                                       binding_origin::snapshot)
                        : open_binding(c, std::move(*found->binding));
  if (!b) return b.error();
  auto landed = land(*b, {*asked.snapshot, std::move(r)});
  if (!landed) return landed.error();
  return snapshot_outcome{std::move(*landed)};
}

void tell_ingested(binding_change& b, const receipt& r) {
  std::string payload;
  json_writer w{payload};
  w.open().member("receipt_id", r.id.text()).member("sequence", *r.sequence);
  w.member("matched_by", name_of(r.matched)).raw_member("counts", r.counts);
  w.member("key_reused", r.revision > 1).close();
  tell(b, "tracker_snapshot_ingested",
       "Snapshot " + std::to_string(*r.sequence) + " of " + b.row.display_label, std::move(payload));
}

result<> store_landed(binding_change& b, const arrival& from) {
  auto& c = b.c;
  const auto& r = from.row;
  const auto stored =
      from.stored ? storage::update_receipt(c.db, c.tenant, r) : storage::insert_receipt(c.db, c.tenant, r);
  if (!stored) return stored;
  const auto kept = storage::keep_newest_body(c.db, c.tenant, b.row.id, *r.sequence, r.id,
                                              from.snapshot.packed, c.rules.bodies_kept);
  if (!kept) return kept;
  sync_run run{.id = run_id::make(), .binding = b.row.id, .receipt = r.id, .cause = from.cause};
  run.started_at = from.cause == run_trigger::snapshot ? r.received_at : c.now;
  run.finished_at = c.now;
  run.counts = r.counts;
  return storage::insert_run(c.db, c.tenant, run);
}

}  // namespace

result<snapshot_outcome> ingest(change& c, const ingest_snapshot& asked, timestamp received) {
  const auto& body = asked.snapshot->body;
  auto known = storage::find_receipts(c.db, c.tenant, body.route.scope(), asked.key, body.digest);
  if (!known) return known.error();
  if (known->same) return snapshot_outcome{std::move(*known->same), true};
  if (known->revision > 0 && !computed_key(asked.key)) return error{errc::idempotency_key_conflict};
  auto done = first_answer(c, asked, new_receipt(asked, known->revision + 1, received));
  if (done) abort_at(c.rules, abort_before_commit);
  return done;
}

result<receipt> land(binding_change& b, arrival from) {
  auto& c = b.c;
  auto& r = from.row;
  const auto& to = from.snapshot.body.route;
  b.by = r.id;
  if (to.resource)
    if (const auto ok = discover_resource(b, *to.resource); !ok) return ok.error();
  auto did = apply(b, from.snapshot);
  if (!did) return did.error();
  if (r.matched == matched_by::resource) warn_of_override(from.snapshot.body, b.project, did->warnings);
  if (const auto ok = settle_drift(b); !ok) return ok.error();
  auto& n = did->counts;
  n.drift_opened = static_cast<int>(b.opened.size());
  n.drift_resolved = static_cast<int>(b.resolved.size());
  n.drift_open = static_cast<int>(total_of(b.row.tally.drift_open));
  r.state = receipt_state::applied;
  r.applied_at = c.now;
  r.sequence = b.row.sequence;
  r.binding = b.row.id;
  r.binding_ref = b.row.ref;
  r.project = b.project;
  r.counts = counts_json(n);
  r.warnings = warnings_json(did->warnings);
  tell_ingested(b, r);
  if (const auto ok = conclude(b); !ok) return ok.error();
  r.effects = effects_json(*did, b);
  if (const auto ok = store_landed(b, from); !ok) return ok.error();
  return std::move(r);
}

result<> note_rejection(change& c, const note_rejected& refused) {
  auto found = route(c, refused.route);
  if (!found) return found.error();
  if (!found->binding) return {};
  auto b = open_binding(c, std::move(*found->binding));
  if (!b) return b.error();
  sync_run run{.id = run_id::make(), .binding = b->row.id, .status = run_status::rejected};
  run.started_at = run.finished_at = c.now;
  run.error_code = refused.code;
  run.error_message = refused.message;
  if (const auto ok = storage::insert_run(c.db, c.tenant, run); !ok) return ok;
  if (b->row.tally.failures++ == 0) {
    std::string payload;
    json_writer w{payload};
    w.open().member("error_code", refused.code).member("error_message", refused.message).close();
    tell(*b, "tracker_snapshot_rejected", "A snapshot of " + b->row.display_label + " was refused",
         std::move(payload));
  }
  // Health follows with the next sweep.
  if (const auto ok = storage::update_binding(c.db, c.tenant, b->row, c.now); !ok) return ok;
  return storage::append_activity(c.db, c.tenant, b->feed);
}

}  // namespace connectord::tracker
