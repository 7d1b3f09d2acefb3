#include "base/crypto.hpp"
#include "http/facade.hpp"

/// What the facade offers for binding, and what it binds.
namespace connectord::web {
namespace {

using tracker::name_of;

// ---- offers

void write_offer(json_writer& w, const offered& o) {
  const auto& [what, token] = o;
  const auto* bound = what.bound ? &*what.bound : nullptr;
  w.open().member("candidate_token", token).member("display_label", what.label);
  w.member("provider", name_of(what.at.provider));
  write_context(w, what.at);
  w.member("binding_ref", bound ? std::optional{bound->ref} : std::nullopt);
  w.member("bound_project_slug", bound ? std::optional{bound->project_slug} : std::nullopt);
  w.member("bound_at", bound ? std::optional{bound->since} : std::nullopt).close();
}

asio::awaitable<response> resources(app& a, request& r) {
  query_reader q{r.query};
  const auto asked = read_route(q);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto offers = co_await command(a, r, offer_resources{asked.provider});
  if (!offers) co_return refuse(offers.error(), r);
  std::string body;
  json_writer w{body};
  w.open().member("installation_id", offers->installation).member("provider", name_of(asked.provider));
  w.key("resources").open_array();
  for (const auto& o : offers->entries) write_offer(w, o);
  w.close_array().close();
  co_return tracker_json(200, std::move(body));
}

std::string_view match_of(const proposed_binding& p) {
  if (p.bound || p.exact) return "exact";
  return p.candidates.empty() ? "none" : "candidates";
}

std::string proposal(const proposed_binding& p) {
  using text = std::optional<std::string>;
  const auto label = p.bound   ? text{p.bound->row.display_label}
                     : p.exact ? text{p.exact->what.label}
                               : text{};
  std::string body;
  json_writer w{body};
  w.open()
      .member("match_type", match_of(p))
      .member("candidate_token", p.exact ? text{p.exact->token} : text{});
  w.member("binding_ref", p.bound ? text{p.bound->row.ref} : text{}).member("display_label", label);
  w.member("project_slug", p.project_slug).key("candidates").open_array();
  std::int64_t position = 0;
  for (const auto& c : p.candidates) {
    w.open().member("candidate_token", c.token).member("display_label", c.what.label);
    w.member("confidence", name_of(c.confidence)).member("match_reason", c.reason);
    w.member("sort_position", position++).close();
  }
  w.close_array().close();
  return body;
}

asio::awaitable<response> resolve(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  propose_binding what;
  what.provider = read_provider(reader);
  what.who = read_identity(reader);
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  const auto proposed = co_await command(a, r, std::move(what));
  co_return proposed ? tracker_json(200, proposal(*proposed)) : refuse(proposed.error(), r);
}

// ---- binding

std::string confirmed(const tracker::binding_view& b) {
  std::string body;
  json_writer w{body};
  w.open().member("binding_ref", b.row.ref).member("display_label", b.row.display_label);
  w.member("provider", name_of(b.row.provider));
  write_context(w, tracker::place_of(b));
  w.member("bound_at", b.row.created_at).member("project_slug", b.project.slug).close();
  return body;
}

asio::awaitable<response> confirm(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto key = facade_key(r, *body);
  if (!key) co_return refuse(key.error(), r);
  object_reader reader{*body};
  confirm_binding what;
  what.provider = read_provider(reader);
  what.who = read_identity(reader);
  what.token_sha256 = to_hex(bytes_of(sha256(reader.text("candidate_token", {.min = 1, .max = 200}))));
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  co_return co_await keyed(a, r, std::move(what), std::move(*key), confirmed);
}

std::string_view guidance(tracker::validity v) {
  switch (v) {
    case tracker::validity::mapping_deleted: return "The binding is gone. Bind the project again.";
    case tracker::validity::mapping_disabled: return "The binding is disabled. Enable it, or bind again.";
    case tracker::validity::project_mismatch:
      return "The binding is another project's or provider's. Bind this project.";
    default: return {};
  }
}

asio::awaitable<response> validate(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  validate_binding q;
  q.provider = read_provider(reader);
  q.binding_ref = reader.text("binding_ref", {.min = 1, .max = 512});
  q.project_uuid = read_identity(reader).project_uuid;
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  const auto ref = q.binding_ref;
  const auto found = co_await read(a, r, std::move(q));
  if (!found) co_return refuse(found.error(), r);
  const auto& [validity, view] = **found;
  std::string out;
  json_writer w{out};
  w.open().member("valid", view.has_value()).member("binding_ref", ref);
  if (view) {
    w.member("display_label", view->row.display_label).member("provider", name_of(view->row.provider));
    write_context(w, tracker::place_of(*view));
  } else {
    w.member("reason", name_of(validity)).member("guidance", guidance(validity));
  }
  w.close();
  co_return tracker_json(200, std::move(out));
}

// ---- mission origins

std::optional<std::string> given(object_reader& body, std::string_view name) {
  auto text = body.optional_text(name, {.max = 255});
  return text && text->empty() ? std::nullopt : text;
}

bind_origin read_origin(object_reader& body) {
  bind_origin what;
  what.route = read_route(body, routing::required);
  const auto p = what.route.provider;
  if (body.ok() && !tracker::has_origins(p)) body.refuse("provider", "has no issues that missions come from");
  const auto id = given(body, "mission_id"), feature = given(body, "feature_slug"),
             slug = given(body, "mission_slug");
  const auto& key = id ? id : feature ? feature : slug;
  if (!key && body.ok()) body.refuse("mission_id", "is required, unless there is a mission_slug");
  auto& o = what.wanted;
  o.mission_key = key.value_or("");
  o.mission_slug = slug ? slug : feature;
  o.provider = p;
  o.issue_id = body.text("external_issue_id", {.min = 1, .max = 512});
  o.issue_key = body.text("external_issue_key", {.min = 1, .max = 512});
  o.issue_url = body.text("external_issue_url", {.max = 4096});
  o.title = body.text("external_title", {.min = 1, .max = 4096});
  o.status = body.text("external_status", {.max = 512});
  return what;
}

std::string bound(const bound_origin& b) {
  std::string body;
  json_writer w{body};
  w.open().member("origin_link_id", b.row.id.text()).member("bound_at", b.row.bound_at);
  w.member("mission_slug", b.row.mission_slug).member("already_bound", !b.created);
  write_routed(w, b.at);
  w.close();
  return body;
}

asio::awaitable<response> bind_mission(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto key = facade_key(r, *body);
  if (!key) co_return refuse(key.error(), r);
  object_reader reader{*body};
  auto what = read_origin(reader);
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  co_return co_await keyed(a, r, std::move(what), std::move(*key), bound);
}

const parameter idempotency_header{"Idempotency-Key", R"({"type":"string","maxLength":255})",
                                   "The same key and body get the same answer again", false, "header"};

}  // namespace

void add_facade_bind_routes(std::vector<route>& table, app* a) {
  const auto asks = [&](std::string_view path, std::string_view id, std::string_view summary,
                        std::string_view scope, std::string_view schema, answer ok, std::vector<int> errors,
                        asio::awaitable<response> (*f)(app&, request&)) -> route& {
    auto& r = table.emplace_back(
        team_route(verb::post, path, id, summary, tracker_with(scope), ok, std::move(errors)));
    r.payload = payload::json;
    r.body_schema = schema;
    r.handle = on(a, f);
    return r;
  };
  auto& list = table.emplace_back(team_route(verb::get, "/api/v1/tracker/resources", "facadeResources",
                                             "What of a provider can be bound", tracker_with("tracker:read"),
                                             {200, "FacadeResources", "All, with fresh tokens"}, {422}));
  list.parameters = {{"provider", R"({"type":"string"})", "The tracker", true}};
  list.handle = on(a, resources);
  asks("/api/v1/tracker/bind-resolve", "facadeBindResolve", "What fits a project", "tracker:read",
       "FacadeBindResolve", {200, "FacadeProposal", "Best first"}, {400, 422}, resolve);
  asks("/api/v1/tracker/bind-confirm", "facadeBindConfirm", "Bind a candidate to a project", "tracker:write",
       "FacadeBindConfirm", {200, "FacadeConfirmed", "Bound"}, {400, 409, 422}, confirm)
      .parameters = {idempotency_header};
  asks("/api/v1/tracker/bind-validate", "facadeBindValidate", "Whether a binding still holds", "tracker:read",
       "FacadeBindValidate", {200, "FacadeVerdict", "Whether it does"}, {400, 422}, validate);
  asks("/api/v1/tracker/mission-origin/bind", "facadeBindOrigin", "The issue that a mission comes from",
       "tracker:write", "FacadeBindOrigin", {200, "FacadeOrigin", "Bound, now or before"},
       {400, 404, 409, 422}, bind_mission)
      .parameters = {idempotency_header};
}

}  // namespace connectord::web
