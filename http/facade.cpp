#include "http/facade.hpp"

#include "base/crypto.hpp"
#include "domain/tracker/input.hpp"
#include "http/tracker_problem.hpp"

namespace connectord::web {
namespace {

constexpr object_reader::text_rules name_rules{.min = 1, .max = 512, .trim = false};
constexpr std::string_view unknown_provider = "is not a known provider";

void write_texts(json_writer& w, std::string_view name, const std::vector<std::string>& texts) {
  w.key(name).open_array();
  for (const auto& t : texts) w.value(t);
  w.close_array();
}

std::optional<std::string> time_of(const tracker::issue_content& c) {
  return c.updated_at ? std::optional{tracker::to_rfc3339(*c.updated_at)} : std::nullopt;
}

}  // namespace

tracker::provider read_provider(object_reader& body) {
  const auto text = body.text("provider", {});
  const auto known = tracker::read_provider(text);
  if (!known && body.ok()) body.refuse("provider", unknown_provider);
  return known.value_or(tracker::provider{});
}

tracker::facade_route read_route(query_reader& q) {
  tracker::facade_route r;
  const auto text = q.text("provider");
  const auto known = text ? tracker::read_provider(*text) : std::nullopt;
  if (known)
    r.provider = *known;
  else if (q.ok())
    q.refuse("provider", text ? unknown_provider : "is required");
  r.binding_ref = q.text("binding_ref");
  r.project_slug = q.text("project_slug");
  return r;
}

tracker::facade_route read_route(object_reader& body, routing need) {
  tracker::facade_route r;
  r.provider = read_provider(body);
  r.binding_ref = body.optional_text("binding_ref", name_rules);
  r.project_slug = body.optional_text("project_slug", name_rules);
  if (need == routing::required && !r.named() && body.ok())
    body.refuse("binding_ref", "is required, unless there is a project_slug");
  return r;
}

tracker::project_identity read_identity(object_reader& body) {
  tracker::project_identity who;
  const auto* nested = body.optional_object("project_identity");
  if (nested == nullptr) {
    if (!body.has("project_identity") || body.is_null("project_identity"))
      body.refuse("project_identity", "is required");
    return who;
  }
  object_reader identity{*nested, "project_identity"};
  const auto id = identity.text("uuid", {});
  const auto parsed = uuid::parse(id);
  if (!parsed && identity.ok()) identity.refuse("uuid", "must be a UUID");
  who.project_uuid = parsed.value_or(uuid{});
  who.slug = identity.text("slug", {.min = 1, .max = 200});
  who.repo_slug = identity.optional_text("repo_slug", name_rules);
  body.adopt(identity);
  return who;
}

result<std::optional<idempotency>> facade_key(const request& r, const json::object& body) {
  if (!r.header("idempotency-key")) return std::optional<idempotency>{};
  const auto key = well_formed_key(r);
  if (!key) return error{errc::idempotency_key_invalid};
  return std::optional{idempotency{r.tenant().str() + " POST " + std::string{r.route->path},
                                   std::string{*key}, to_hex(bytes_of(sha256(canonical_json(body))))}};
}

void write_context(json_writer& w, const tracker::place& at) {
  w.key("provider_context").open();
  for (const auto& [name, value] : tracker::context_of(at)) w.member(name, value);
  w.close();
}

void write_routed(json_writer& w, const tracker::routed& at) {
  const auto* b = at.binding();
  if (!at.by_slug || b == nullptr) return;
  w.member("binding_ref", b->row.ref).member("display_label", b->row.display_label);
  write_context(w, tracker::place_of(*b));
}

void write_identity_path(json_writer& w, const tracker::routed& at) {
  w.key("identity_path");
  const auto* b = at.binding();
  if (b == nullptr) {
    w.value(nullptr);
    return;
  }
  w.open().member("type", "installation").member("installation_id", at.installation);
  w.raw_member("user_link_id", "null").member("provider", name_of(b->row.provider));
  w.member("provider_account_id", b->row.workspace).close();
}

void write_mapping(json_writer& w, const tracker::link_view& v) {
  const auto& l = v.link;
  const auto status = v.issue ? std::optional{name_of(v.issue->status)} : std::nullopt;
  w.open().member("wp_id", l.wp.wp_id).member("system", l.target.system);
  w.member("workspace", l.target.workspace).member("external_id", l.target.id);
  w.member("external_key", l.external_key).member("external_url", l.external_url);
  w.member("created_at", l.created_at).member("updated_at", l.updated_at);
  w.member("mission_slug", l.wp.mission.empty() ? std::nullopt : std::optional{l.wp.mission});
  w.member("mapping_id", l.id.text()).member("state", name_of(l.state)).member("external_status", status);
  w.close();
}

void write_item(json_writer& w, const tracker::issue_content& c) {
  const int priority = c.priority.value_or(0);
  w.open().key("ref").open().member("system", c.ref.system).member("workspace", c.ref.workspace);
  w.member("id", c.ref.id).member("key", c.key).member("url", c.url).close();
  w.member("title", c.title).member("body", c.body).member("status", name_of(c.status));
  w.member("issue_type", name_of(c.type)).member("priority", priority < 0 || priority > 4 ? 0 : priority);
  write_texts(w, "assignees", c.assignees);
  write_texts(w, "labels", c.labels);
  w.raw_member("parent_ref", "null").raw_member("links", "[]").raw_member("custom_fields", "{}");
  w.raw_member("created_at", "null").member("updated_at", time_of(c));
  w.raw_member("provider_metadata", "{}").close();
}

void write_ticket(json_writer& w, const tracker::issue_content& c, bool exact) {
  const auto& key = c.key ? *c.key : c.ref.id;
  const auto status = name_of(c.status);
  w.open().member("external_issue_id", c.ref.id).member("external_issue_key", key).member("identifier", key);
  w.member("title", c.title).member("status", status).key("state").open().member("name", status).close();
  w.member("url", c.url.value_or("")).member("match_type", exact ? "exact" : "text").member("body", c.body);
  w.raw_member("team", "null").key("assignee");
  if (c.assignees.empty())
    w.value(nullptr);
  else
    w.open().member("id", c.assignees.front()).member("name", c.assignees.front()).close();
  w.raw_member("created_at", "null").member("updated_at", time_of(c)).close();
}

}  // namespace connectord::web
