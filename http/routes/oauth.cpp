#include "base/crypto.hpp"
#include "base/form.hpp"
#include "domain/oauth/callback.hpp"
#include "http/consent.hpp"
#include "http/shapes.hpp"
#include "http/views/page.hpp"

/// Consent: where the user is sent, where the provider sends them back, and new tokens on demand.
namespace connectord::web {
namespace {

const oauth::client* client_of(const app& a, std::string_view provider) {
  const auto found = a.clients->find(provider);
  return found == a.clients->end() ? nullptr : &found->second;
}

asio::awaitable<response> start(app& a, request& r) {
  const auto begun = co_await begin_consent(a, r, r.param("provider"));
  if (!begun) co_return refuse(begun.error(), r);
  std::string body;
  json_writer{body}.open().member("authorize_url", begun->authorize_url).close();
  co_return response::json(200, std::move(body));
}

/// The state names the tenant; it is spent before anything else is looked at, so that of two callbacks
/// one goes on, and a denial spends it too.
asio::awaitable<result<stored_connection>> end_consent(app& a, request& r) {
  const auto* definition = a.catalog.find(r.param("provider"));
  const auto query = form_decoded(r.query);
  if (!query) co_return invalid("query", "has a broken escape");
  const auto presented = oauth::presented_state(definition, *query);
  if (!presented) co_return presented.error();
  const auto digest = to_hex(bytes_of(sha256(*presented)));
  const auto consumed =
      co_await ask_registry<spent_state>(a, r, spend_state{digest, definition->slug, r.received_at});
  if (!consumed) co_return consumed.error();
  const auto* client = client_of(a, definition->slug);
  const oauth::client unconfigured;
  auto given =
      oauth::decide_callback(*definition, client ? *client : unconfigured, *query, consumed->verdict);
  if (!given) co_return given.error();
  const auto tenant = consumed->row->tenant;
  auto meta = admitted(a, r, tenant);
  if (!meta) co_return meta.error();
  r.deadline = std::chrono::steady_clock::now() + a.facts.oauth_patience;
  meta->deadline = r.deadline;
  meta->caller = "oauth";  // the state is the credential
  const auto made = co_await command(
      a, r, tenant,
      tenant_command{std::move(*meta),
                     mutation{complete_oauth{*consumed->row, std::move(*given), r.received_at}}});
  if (!made) co_return made.error();
  co_return std::get<stored_connection>(made->value);
}

constexpr std::string_view left_from_dashboard = "connectord_consent=1";

bool is_at_dashboard(const request& r) {
  return r.header("cookie").value_or("").find(left_from_dashboard) != std::string_view::npos;
}

/// Goes on by itself: a redirect would still count as the provider's, and the session's strict cookie would
/// stay behind.
response back_to_dashboard(const request& r, const result<stored_connection>& made) {
  if (!made) return problem_page(made.error(), r, nullptr);
  const auto next = "/dashboard/connectors/" + made->row.id.str() + "?said=connected";
  return door_page(
      "Connected", "connected.html",
      [&](fields f) { f.set("PROVIDER", made->row.provider).set("NEXT", next); }, 200, next);
}

asio::awaitable<response> callback(app& a, request& r) {
  const auto made = co_await end_consent(a, r);
  if (is_at_dashboard(r)) co_return back_to_dashboard(r, made);
  if (!made) co_return refuse(made.error(), r);
  std::string body;
  json_writer w{body};
  w.open().key("connection");
  write_connection(w, a, *made);
  w.close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> refresh(app& a, request& r) {
  const auto id = path_id<connection_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  r.deadline = std::chrono::steady_clock::now() + a.facts.oauth_patience;
  const auto made = co_await command(a, r, force_refresh{*id, refresh_cause::force, r.received_at});
  if (!made) co_return refuse(made.error(), r);
  std::string body;
  json_writer w{body};
  write_connection(w, a, *made);
  co_return response::json(200, std::move(body));
}

}  // namespace

asio::awaitable<result<started_oauth>> begin_consent(app& a, request& r, std::string_view provider) {
  const auto* definition = a.catalog.find(provider);
  if (definition == nullptr)
    co_return error{errc::not_found, "There is no provider " + std::string{provider} + "."};
  if (!definition->oauth) co_return invalid("provider", "has no OAuth");
  if (client_of(a, definition->slug) == nullptr)
    co_return invalid("provider", "has no client id and secret configured");
  co_return co_await command(a, r, start_oauth{definition->slug, r.received_at});
}

std::string consent_cookie(const app& a, std::string_view provider) {
  auto out = std::string{left_from_dashboard} + "; Path=/connect/" + std::string{provider} +
             "/callback; HttpOnly; SameSite=Lax; Max-Age=600";
  if (a.facts.public_base_url.starts_with("https://")) out += "; Secure";
  return out;
}

void add_oauth_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text, access who,
                       answer ok, std::vector<int> errors, asio::awaitable<response> (*f)(app&, request&)) {
    route r{m, path, id, "connections", text, who, {ok}, std::move(errors)};
    r.handle = on(a, f);
    table.push_back(std::move(r));
  };
  add(verb::post, "/connect/{provider}", "startOAuth", "Where to send the user for consent",
      tenant_with("connections:write"), {200, "AuthorizeUrl", "The provider's page"}, {400, 404}, start);
  add(verb::get, "/connect/{provider}/callback", "completeOAuth", "Where the provider sends the user back",
      access{}, {200, "ConnectionEnvelope", "Connected"}, {400, 404, 502}, callback);
  table.back().answers.push_back({200, "", "A page that leads back to the dashboard", page_type});
  table.back().parameters = {{"state", R"({"type":"string"})", "As it was issued"},
                             {"code", R"({"type":"string"})", "Of the consent"},
                             {"error", R"({"type":"string"})", "Of a denial"},
                             {"iss", R"({"type":"string"})", "Issuer, RFC 9207"}};
  add(verb::post, "/connections/{id}/refresh", "refreshConnection", "Exchange the refresh token now",
      tenant_with("connections:write"), {200, "Connection", "With new tokens"}, {400, 404, 409, 502},
      refresh);
}

}  // namespace connectord::web
