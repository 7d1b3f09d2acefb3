#include "http/shapes.hpp"

#include "base/crypto.hpp"
#include "domain/grounding.hpp"
#include "domain/sync_state.hpp"

#include <array>

namespace connectord::web {
namespace {

void write_texts(json_writer& w, std::string_view name, const std::vector<std::string>& texts) {
  w.key(name).open_array();
  for (const auto& t : texts) w.value(std::string_view{t});
  w.close_array();
}

template <class Id>
std::optional<std::string> text_of(const std::optional<Id>& id) {
  return id ? std::optional{id->str()} : std::nullopt;
}

/// A connection without tokens is webhook-only: there is nothing to sync with.
std::string_view sync_state(const connection& c, const sync_record& r, std::optional<job_status> job,
                            bool can_sync) {
  if (!can_sync || !c.access_ciphertext || c.status != connection_status::active) return "disabled";
  if (job) return name_of(*job);
  return r.stalled ? "stalled" : "idle";
}

void write_sync(json_writer& w, const connection& c, std::optional<job_status> job,
                std::int64_t default_interval, bool can_sync) {
  const auto r = read_sync(c.metadata);
  w.key("sync").open().member("state", sync_state(c, r, job, can_sync));
  w.member("interval_seconds", r.interval ? r.interval->count() : default_interval);
  w.member("next_run_at", c.next_run_at).member("last_success_at", r.last_success_at);
  w.member("last_error", r.last_error).member("runs_without_progress", r.runs_without_progress).close();
}

void write_members(json_writer& w, const delivery& d) {
  w.member("id", d.id.text()).member("receipt_id", d.receipt.text()).member("provider", d.provider);
  w.member("connection_id", text_of(d.connection)).member("status", connectord::name_of(d.status));
  w.member("event_type", d.event_type).member("provider_delivery_id", d.provider_delivery_id);
  w.member("body_sha256", d.body_sha256).member("body_bytes", d.body_bytes);
  w.member("duplicates", d.duplicates).member("attempts", d.attempts);
  w.member("received_at", d.received_at).member("processed_at", d.processed_at).member("error", d.error);
}

std::string_view phase_name(const tenant& t, const tenant_health& h) {
  if (t.status == tenant_status::suspended) return "suspended";
  switch (h.phase) {
    case tenant_phase::running: return "running";
    case tenant_phase::restarting:
    case tenant_phase::unavailable: return "restarting";
    case tenant_phase::idle:
    case tenant_phase::passivating: return "idle";
  }
  return "idle";
}

}  // namespace

std::string_view name_of(connection_status s) {
  constexpr std::array names{"active", "error", "revoked"};
  return names[static_cast<std::size_t>(s)];
}
std::string_view name_of(tenant_status s) { return s == tenant_status::active ? "active" : "suspended"; }
std::string_view name_of(job_type t) {
  constexpr std::array names{"full", "incremental", "webhook"};
  return names[static_cast<std::size_t>(t)];
}
std::string_view name_of(job_status s) {
  constexpr std::array names{"queued", "running", "succeeded", "failed"};
  return names[static_cast<std::size_t>(s)];
}

void write(json_writer& w, const connection& c, std::optional<job_status> job,
           std::int64_t default_sync_interval, bool can_sync) {
  w.open().member("id", c.id.text()).member("provider", c.provider).member("external_id", c.external_id);
  w.member("display_name", c.display_name).member("status", name_of(c.status));
  w.member("status_reason", c.status_reason).member("expires_at", c.expires_at);
  write_texts(w, "scopes", c.scopes);
  w.raw_member("metadata", c.metadata);
  w.member("has_access_token", c.access_ciphertext.has_value());
  w.member("has_refresh_token", c.refresh_ciphertext.has_value()).member("token_encryption_version", 2);
  const auto key = c.access_ciphertext ? keyring::key_id_of(*c.access_ciphertext) : std::nullopt;
  w.member("token_key_id", key);
  write_sync(w, c, job, default_sync_interval, can_sync);
  w.member("created_at", c.created_at).member("updated_at", c.updated_at).close();
}

void write(json_writer& w, const tenant& t) {
  w.open().member("id", t.id.text()).member("slug", t.slug).member("name", t.name);
  w.member("status", name_of(t.status)).raw_member("metadata", t.metadata);
  w.member("created_at", t.created_at).member("updated_at", t.updated_at).close();
}

void write(json_writer& w, const tenant_token& t, const secret* value) {
  w.open().member("id", t.id.text()).member("name", t.name);
  write_texts(w, "scopes", t.scopes);
  w.member("prefix", t.prefix).member("created_at", t.created_at).member("expires_at", t.expires_at);
  w.member("last_used_at", t.last_used_at).member("revoked_at", t.revoked_at);
  if (value != nullptr) w.member("secret", value->reveal());
  w.close();
}

void write(json_writer& w, const job& j, bool in_detail) {
  w.open().member("id", j.id.text()).member("provider_slug", j.provider);
  w.member("connection_id", j.connection.text()).member("job_type", name_of(j.type));
  w.member("status", name_of(j.status)).member("priority", j.priority).member("attempts", j.attempts);
  w.member("scheduled_at", j.scheduled_at).member("retry_after", j.retry_after);
  w.member("started_at", j.started_at)
      .member("finished_at", j.finished_at)
      .member("created_at", j.created_at);
  if (in_detail) {
    w.key("error");
    if (j.error)
      w.open()
          .member("type", j.error->type)
          .member("message", j.error->message)
          .member("at", j.error->at)
          .member("backoff_seconds", j.error->backoff_seconds)
          .close();
    else
      w.value(nullptr);
    w.member("signals_emitted", j.signals_emitted);
  }
  w.close();
}

void write(json_writer& w, const signal& s, bool with_payload, bool in_detail) {
  w.open().member("id", s.id.text()).member("provider_slug", s.provider);
  w.member("connection_id", s.connection.text()).member("kind", s.kind);
  w.member("occurred_at", s.occurred_at).member("received_at", s.received_at);
  if (with_payload) w.raw_member("payload", s.payload);
  if (in_detail) {
    w.member("dedupe_key", s.dedupe_key).member("delivery_id", text_of(s.delivery));
    w.member("job_id", text_of(s.job));
  }
  w.close();
}

void write(json_writer& w, const delivery& d) {
  w.open();
  write_members(w, d);
  w.close();
}

void write_detail(json_writer& w, const delivery_detail& d, std::string_view registry_version) {
  w.open();
  write_members(w, d.row);
  w.key("headers").open();
  for (const auto& [name, value] : d.row.headers)
    if (is_utf8(value)) w.member(name, value);
  w.close();
  const bool is_json = parse_json(d.row.body).has_value();
  w.raw_member("payload", is_json ? std::string_view{d.row.body} : "null");
  w.member("body_base64", is_json ? std::nullopt : std::optional{to_base64(d.row.body)});
  w.key("receipt")
      .open()
      .member("receipt_id", d.row.receipt.text())
      .member("input_digest", d.row.body_sha256);
  w.member("connection_id", text_of(d.row.connection)).key("signal_ids").open_array();
  for (const auto& id : d.signals) w.value(id.text());
  w.close_array().member("accepted_at", d.row.received_at).member("processed_at", d.row.processed_at);
  w.member("registry_version", registry_version).close().close();
}

void write(json_writer& w, const actor_view& a) {
  w.open().member("id", a.id).member("kind", a.kind).member("tenant", text_of(a.tenant));
  w.member("parent", a.parent).member("state", a.state).member("mailbox_depth", a.mailbox_depth);
  w.member("processed", a.processed).member("restarts", a.restarts).member("last_error", a.last_error);
  w.member("since", a.since).close();
}

void write(json_writer& w, const tenant_workload& t, const tenant_health& h) {
  w.open().member("id", t.row.id.text()).member("name", t.row.name).member("status", name_of(t.row.status));
  w.member("state", phase_name(t.row, h)).member("connections", t.connections);
  w.member("queued_jobs", t.queued_jobs).member("running_jobs", t.running_jobs);
  w.member("unprocessed_deliveries", t.unprocessed_deliveries).member("restarts", h.restarts);
  w.member("last_error", h.last_error);
  w.member("since", h.since == timestamp{} ? t.row.updated_at : h.since).close();
}

void write(json_writer& w, const unrouted_delivery& u) {
  w.open().member("id", u.id.text()).member("provider", u.provider).member("received_at", u.received_at);
  w.member("body_bytes", u.body_bytes).member("event_type", u.event_type).key("identities").open_array();
  for (const auto& i : u.identities) w.open().member("kind", i.kind).member("value", i.value).close();
  w.close_array().close();
}

void write(json_writer& w, const grounded_signal& g, const tenant_id& t) {
  w.open().member("id", g.id.text()).member("signal_id", g.signal.text()).member("tenant_id", t.text());
  w.raw_member("scores", grounding::to_json(g.scores)).member("status", connectord::name_of(g.status));
  w.raw_member("evidence", g.evidence).member("recommendation", g.recommendation);
  w.member("created_at", g.created_at).member("updated_at", g.updated_at).close();
}

void write(json_writer& w, const signal_config& c) {
  w.open().member("weak_signal_threshold", c.threshold);
  w.raw_member("scoring_weights", grounding::to_json(c.weights)).member("webhook_url", c.webhook_url);
  w.member("updated_at", c.updated_at).close();
}

void write_meta(json_writer& w, std::string_view trace_id, timestamp now) {
  w.key("meta").open().member("request_id", trace_id).member("timestamp", now).close();
}

}  // namespace connectord::web
