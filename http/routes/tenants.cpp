#include "http/app.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

#include <array>

/// Tenants and their tokens: operators only.
namespace connectord::web {
namespace {

constexpr std::array scopes{"connections:read", "connections:write", "sync:write",      "jobs:read",
                            "signals:read",     "signals:write",     "deliveries:read", "deliveries:write",
                            "tracker:read",     "tracker:write",     "tracker:admin",   "*"};
constexpr std::size_t most_metadata = 16 * 1024;

bool is_slug(std::string_view s) {
  if (s.empty() || s.size() > 63 || s.front() == '-' || s.back() == '-') return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word && (c != '-' || s[i - 1] == '-')) return false;
  }
  return true;
}

std::optional<std::string> read_metadata(object_reader& r) {
  const auto* metadata = r.optional_object("metadata");
  if (metadata == nullptr) return std::nullopt;
  auto text = canonical_json(*metadata);
  if (text.size() > most_metadata) r.refuse("metadata", "is over 16 KiB");
  return text;
}

std::optional<std::string> read_slug(object_reader& r) {
  auto slug = r.optional_text("slug", {});
  if (slug && !is_slug(*slug))
    r.refuse("slug", "must match [a-z0-9](-?[a-z0-9])* and have at most 63 characters");
  return slug;
}

std::string enveloped(const tenant& t, std::string_view trace_id, timestamp now) {
  std::string body;
  json_writer w{body};
  w.open().key("data");
  write(w, t);
  write_meta(w, trace_id, now);
  w.close();
  return body;
}

asio::awaitable<response> create(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  create_tenant c;
  c.row.name = reader.text("name", {1, 255, true});
  if (const auto id = reader.optional_text("id", {})) {
    const auto parsed = tenant_id::parse(*id);
    if (!parsed) reader.refuse("id", "must be a UUID");
    c.row.id = parsed.value_or(tenant_id{});
  } else {
    c.row.id = tenant_id::make();
  }
  c.row.slug = read_slug(reader);
  c.row.metadata = read_metadata(reader).value_or("{}");
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  auto key = idempotency_of(r, *body);
  if (!key) co_return refuse(key.error(), r);
  c.row.created_at = c.row.updated_at = r.received_at;
  c.key = std::move(*key);
  c.kept_for = a.facts.idempotency;
  c.render = [trace = r.trace_id, now = r.received_at](const tenant& t) {
    return kept_answer{201, enveloped(t, trace, now), "/api/v1/tenants/" + t.id.str()};
  };
  const auto made = co_await ask_registry<created_tenant>(a, r, c);
  const bool mismatch = !made && made.error().code() == errc::idempotency_key_reused;
  if (mismatch || (made && made->kept))
    a.meters.idempotency_replays({mismatch ? "mismatch" : "replayed"}).Increment();
  if (!made) co_return refuse(made.error(), r);
  const auto answer = made->kept ? *made->kept : c.render(made->row);
  auto out = response::json(answer.status, answer.body).with("Location", answer.location);
  co_return made->kept ? std::move(out).with("Idempotency-Replayed", "true") : std::move(out);
}

asio::awaitable<response> list_all(app& a, request& r) {
  query_reader q{r.query};
  tenant_filter f;
  f.slug = q.text("slug");
  if (const auto status = q.one_of("status", {"active", "suspended"}))
    f.status = *status == "active" ? tenant_status::active : tenant_status::suspended;
  const auto bound = f.slug.value_or("") + "|" + (f.status ? std::string{name_of(*f.status)} : "");
  const auto at = page_of(a, r, q, bound);
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  const auto page = co_await ask_registry<rows_page<tenant>>(a, r, list_tenants{f, at});
  if (!page) co_return refuse(page.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("data").open_array();
  for (const auto& t : page->rows) write(w, t);
  w.close_array();
  std::optional<position> last;
  if (page->more) last = position{to_millis(page->rows.back().created_at), page->rows.back().id.str()};
  w.member("next_cursor", next_cursor(a, r, bound, last));
  write_meta(w, r.trace_id, r.received_at);
  w.close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> get(app& a, request& r) {
  const auto id = path_id<tenant_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto row = co_await ask_registry<tenant>(a, r, get_tenant{*id});
  co_return row ? response::json(200, enveloped(*row, r.trace_id, r.received_at)) : refuse(row.error(), r);
}

asio::awaitable<response> patch(app& a, request& r) {
  const auto id = path_id<tenant_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  object_reader reader{*body};
  patch_tenant p{*id,
                 reader.optional_text("name", {1, 255, true}),
                 reader.has("slug"),
                 read_slug(reader),
                 read_metadata(reader),
                 r.received_at};
  if (reader.is_null("name")) reader.refuse("name", "must be a string");
  if (const auto ok = reader.finish(); !ok) co_return refuse(ok.error(), r);
  const auto row = co_await ask_registry<tenant>(a, r, p);
  co_return row ? response::json(200, enveloped(*row, r.trace_id, r.received_at)) : refuse(row.error(), r);
}

asio::awaitable<response> remove(app& a, request& r) {
  const auto id = path_id<tenant_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto gone = co_await ask_registry<nothing>(a, r, delete_tenant{*id, r.received_at});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

result<tenant_token> read_token(const request& r, const json::object& body, const tenant_id& t) {
  object_reader reader{body};
  tenant_token row;
  row.tenant = t;
  row.name = reader.text("name", {1, 100, true});
  row.scopes = reader.texts("scopes", {});
  if (row.scopes.empty() && reader.ok()) reader.refuse("scopes", "must not be empty");
  for (const auto& s : row.scopes)
    if (std::ranges::find(scopes, s) == scopes.end()) reader.refuse("scopes", "names an unknown scope");
  std::ranges::sort(row.scopes);
  row.scopes.erase(std::ranges::unique(row.scopes).begin(), row.scopes.end());
  row.expires_at = reader.optional_time("expires_at");
  if (row.expires_at && *row.expires_at <= r.received_at)
    reader.refuse("expires_at", "must be in the future");
  row.created_at = r.received_at;
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return row;
}

asio::awaitable<response> create_token_for(app& a, request& r) {
  const auto id = path_id<tenant_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto row = read_token(r, *body, *id);
  if (!row) co_return refuse(row.error(), r);
  const secret value{"cdt_" + random_token(32)};
  row->id = token_id::make();
  row->prefix = std::string{value.reveal().substr(0, 8)};
  const create_token c{*row, to_hex(bytes_of(sha256(value.reveal())))};
  const auto stored = co_await ask_registry<tenant_token>(a, r, c);
  if (!stored) co_return refuse(stored.error(), r);
  std::string out;
  json_writer w{out};
  w.open().key("data");
  write(w, *stored, &value);
  write_meta(w, r.trace_id, r.received_at);
  w.close();
  co_return response::json(201, std::move(out));
}

asio::awaitable<response> tokens(app& a, request& r) {
  const auto id = path_id<tenant_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto rows = co_await ask_registry<std::vector<tenant_token>>(a, r, list_tokens{*id});
  if (!rows) co_return refuse(rows.error(), r);
  std::string out;
  json_writer w{out};
  w.open().key("data").open_array();
  for (const auto& t : *rows) write(w, t);
  w.close_array();
  write_meta(w, r.trace_id, r.received_at);
  w.close();
  co_return response::json(200, std::move(out));
}

asio::awaitable<response> revoke(app& a, request& r) {
  const auto id = path_id<tenant_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto token = path_id<token_id>(r, "token_id");
  if (!token) co_return refuse(token.error(), r);
  const auto gone = co_await ask_registry<nothing>(a, r, revoke_token{*id, *token, r.received_at});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

}  // namespace

void add_tenant_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text, answer ok,
                       std::vector<int> errors, asio::awaitable<response> (*f)(app&, request&),
                       std::string_view schema = {}) {
    route r{m, path, id, "tenants", text, operators_only, {ok}, std::move(errors)};
    if (!schema.empty()) {
      r.payload = payload::json;
      r.body_schema = schema;
    }
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  add(verb::get, "/api/v1/tenants", "listTenants", "Tenants, oldest first", {200, "TenantList", "A page"},
      {400}, list_all);
  table.back().parameters = {
      {"slug", R"({"type":"string"})", "Exact slug"},
      {"status", R"({"type":"string","enum":["active","suspended"]})", "Status"},
      {"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"},
      {"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"}};
  add(verb::post, "/api/v1/tenants", "createTenant", "Make a tenant", {201, "TenantEnvelope", "Made"},
      {409, 422}, create, "CreateTenant");
  table.back().parameters = {{"Idempotency-Key", R"({"type":"string","maxLength":255})",
                              "Same key and body, same answer", false, "header"}};
  add(verb::get, "/api/v1/tenants/{id}", "getTenant", "One tenant", {200, "TenantEnvelope", "The tenant"},
      {400, 404}, get);
  add(verb::patch, "/api/v1/tenants/{id}", "patchTenant", "Change name, slug or metadata",
      {200, "TenantEnvelope", "Changed"}, {404, 409}, patch, "PatchTenant");
  add(verb::delete_, "/api/v1/tenants/{id}", "deleteTenant", "Erase a tenant and all it has",
      {204, "", "Erased"}, {400, 404}, remove);
  add(verb::get, "/api/v1/tenants/{id}/tokens", "listTokens", "Tokens of a tenant",
      {200, "TokenList", "All of them"}, {400, 404}, tokens);
  add(verb::post, "/api/v1/tenants/{id}/tokens", "createToken",
      "Make a tenant token; its secret is shown once", {201, "NewTokenEnvelope", "Made"}, {404},
      create_token_for, "CreateToken");
  add(verb::delete_, "/api/v1/tenants/{id}/tokens/{token_id}", "revokeToken", "Revoke a token at once",
      {204, "", "Revoked"}, {400, 404}, revoke);
}

}  // namespace connectord::web
