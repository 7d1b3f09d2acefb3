#include "http/app.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

/// Connections and their webhook secrets.
namespace connectord::web {
namespace {

std::string rendered(const app& a, const stored_connection& c) {
  std::string body;
  json_writer w{body};
  write_connection(w, a, c);
  return body;
}

std::string rendered(const app& a, const connection_list& all, const connection& c) {
  const auto job = all.syncing.find(c.id);
  return rendered(a, {c, false, job == all.syncing.end() ? std::nullopt : std::optional{job->second}});
}

asio::awaitable<response> list_all(app& a, request& r) {
  query_reader q{r.query};
  const auto provider = provider_of(a, q);
  const auto status = q.one_of("status", {"active", "error", "revoked", "all"}).value_or("active");
  const auto bound = provider.value_or("") + "|" + status;
  const auto at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto all = co_await connections(a, r);
  if (!all) co_return refuse(all.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("connections").open_array();
  int shown = 0;
  bool more = false;
  position last;
  for (const auto& c : all->rows) {
    const position here{to_millis(c.created_at), c.id.str()};
    const bool before = at.after && std::tie(here.sort, here.id) <= std::tie(at.after->sort, at.after->id);
    const bool other =
        (provider && c.provider != *provider) || (status != "all" && name_of(c.status) != status);
    if (before || other) continue;
    if (shown == at.limit) {
      more = true;
      break;
    }
    w.raw(rendered(a, *all, c));
    last = here;
    ++shown;
  }
  w.close_array()
      .member("next_cursor", next_cursor(a, r, bound, more ? std::optional{last} : std::nullopt))
      .close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> get(app& a, request& r) {
  const auto id = path_id<connection_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto all = co_await connections(a, r);
  if (!all) co_return refuse(all.error(), r);
  for (const auto& c : all->rows)
    if (c.id == *id) co_return response::json(200, rendered(a, *all, c));
  co_return refuse(error{errc::not_found}, r);
}

result<create_connection> read_new(const app& a, const request& r, const json::object& body) {
  object_reader reader{body};
  create_connection c;
  c.now = r.received_at;
  c.wanted.provider = reader.text("provider", {});
  if (reader.ok() && a.catalog.find(c.wanted.provider) == nullptr)
    reader.refuse("provider", "is not a known provider");
  c.wanted.external_id = reader.text("external_id", {1, 255});
  c.wanted.display_name = reader.optional_text("display_name", {0, 255});
  if (const auto* metadata = reader.optional_object("metadata")) {
    if (metadata->contains("sync")) reader.refuse("metadata.sync", "cannot be set here");
    c.wanted.metadata = canonical_json(*metadata);
  }
  if (auto secret_text = reader.optional_text("webhook_secret", {16, 255}))
    c.webhook_secret = secret{std::move(*secret_text)};
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return c;
}

asio::awaitable<response> create(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto wanted = read_new(a, r, *body);
  if (!wanted) co_return refuse(wanted.error(), r);
  auto key = idempotency_of(r, *body);
  if (!key) co_return refuse(key.error(), r);
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return refuse(meta.error(), r);
  tenant_command c{std::move(*meta), mutation{std::move(*wanted)}};
  c.provision = r.who->is_operator && a.facts.auto_provision;
  c.key = std::move(*key);
  c.render = [&a](const outcome& o) {
    const auto& stored = std::get<stored_connection>(o);
    return kept_answer{stored.created ? 201 : 200, rendered(a, stored),
                       "/connections/" + stored.row.id.str()};
  };
  const auto render = c.render;
  const auto made = co_await command(a, r, r.tenant(), std::move(c));
  if (!made) co_return refuse(made.error(), r);
  const auto answer = made->replayed ? std::get<kept_answer>(made->value) : render(made->value);
  auto out = response::json(answer.status, answer.body).with("Location", answer.location);
  co_return made->replayed ? std::move(out).with("Idempotency-Replayed", "true") : std::move(out);
}

result<connection_patch> read_patch(const json::object& body) {
  object_reader reader{body};
  connection_patch p;
  p.names_display_name = reader.has("display_name");
  p.display_name = reader.optional_text("display_name", {0, 255});
  if (const auto* metadata = reader.optional_object("metadata")) p.metadata = canonical_json(*metadata);
  if (reader.has("status")) {
    p.activate = reader.optional_text("status", {}) == "active";
    if (!p.activate) reader.refuse("status", "only active can be set");
  }
  if (!reader.has("display_name") && !reader.has("metadata") && !reader.has("status"))
    reader.refuse("body", "names nothing to change");
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return p;
}

asio::awaitable<response> patch(app& a, request& r) {
  const auto id = path_id<connection_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto change = read_patch(*body);
  if (!change) co_return refuse(change.error(), r);
  const auto changed = co_await command(a, r, patch_connection{*id, std::move(*change), r.received_at});
  co_return changed ? response::json(200, rendered(a, *changed)) : refuse(changed.error(), r);
}

asio::awaitable<response> remove(app& a, request& r) {
  const auto id = path_id<connection_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto gone = co_await command(a, r, delete_connection{*id, r.received_at});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

asio::awaitable<response> rotate(app& a, request& r) {
  const auto id = path_id<connection_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto made = co_await command(a, r, rotate_webhook_secret{*id, r.received_at});
  if (!made) co_return refuse(made.error(), r);
  std::string body;
  json_writer w{body};
  w.open().member("webhook_secret", made->value.reveal());
  w.member("webhook_url", a.facts.public_base_url + "/webhooks/" + made->provider + "/" + r.tenant().str());
  w.member("previous_valid_until", made->previous_valid_until).close();
  co_return response::json(200, std::move(body));
}

}  // namespace

void add_connection_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text,
                       std::string_view scope, std::vector<answer> ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&)) {
    route r{m, path, id, "connections", text, tenant_with(scope), std::move(ok), std::move(errors)};
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  add(verb::get, "/connections", "listConnections", "Connections, oldest first", "connections:read",
      {{200, "ConnectionList", "A page"}}, {400}, list_all);
  table.back().parameters = {
      {"provider", R"({"type":"string"})", "Slug"},
      {"status", R"({"type":"string","enum":["active","error","revoked","all"],"default":"active"})",
       "Status"},
      {"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"},
      {"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"}};
  add(verb::post, "/connections", "createConnection", "Make or update a webhook-only connection",
      "connections:write", {{201, "Connection", "Made"}, {200, "Connection", "It existed and was updated"}},
      {409, 422}, create);
  table.back().payload = payload::json;
  table.back().body_schema = "CreateConnection";
  table.back().parameters = {{"Idempotency-Key", R"({"type":"string","maxLength":255})",
                              "Same key and body, same answer", false, "header"}};
  add(verb::get, "/connections/{id}", "getConnection", "One connection", "connections:read",
      {{200, "Connection", "The connection"}}, {400, 404}, get);
  add(verb::patch, "/connections/{id}", "patchConnection", "Change name, metadata or status",
      "connections:write", {{200, "Connection", "Changed"}}, {404, 409}, patch);
  table.back().payload = payload::json;
  table.back().body_schema = "PatchConnection";
  add(verb::delete_, "/connections/{id}", "deleteConnection", "Revoke a connection and erase its secrets",
      "connections:write", {{204, "", "Revoked"}}, {400, 404}, remove);
  add(verb::post, "/connections/{id}/webhook-secret", "rotateWebhookSecret",
      "Make a new webhook secret; shown once", "connections:write", {{200, "WebhookSecret", "The secret"}},
      {400, 404, 409}, rotate);
}

}  // namespace connectord::web
