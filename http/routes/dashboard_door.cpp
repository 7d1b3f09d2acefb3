#include "http/query.hpp"
#include "http/views/visitor.hpp"

#include <array>

/// Getting in and out of the dashboard. People belong to Core: it hands them a one-time link; whoever has a
/// token may also sign in with it.
namespace connectord::web {
namespace {

struct role {
  std::string_view name;
  std::vector<std::string> scopes;
};
const std::array<role, 3>& roles() {
  static const std::array<role, 3> all{
      role{"viewer", {"tracker:read", "connections:read", "signals:read", "deliveries:read", "jobs:read"}},
      role{"editor",
           {"tracker:write", "connections:read", "connections:write", "sync:write", "signals:read",
            "deliveries:read", "deliveries:write", "jobs:read"}},
      role{"admin",
           {"tracker:admin", "connections:read", "connections:write", "sync:write", "signals:read",
            "signals:write", "deliveries:read", "deliveries:write", "jobs:read"}}};
  return all;
}

std::string digest_of(std::string_view secret) { return to_hex(bytes_of(sha256(secret))); }

std::string cookie(const app& a, std::string_view secret, seconds lives) {
  auto out = std::string{session_cookie} + "=" + std::string{secret} +
             "; Path=/dashboard; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(lives.count());
  if (a.facts.public_base_url.starts_with("https://")) out += "; Secure";
  return out;
}

std::optional<std::vector<std::string>> scopes_of(object_reader& reader) {
  std::vector<std::string> out;
  for (const auto& name : reader.texts("roles", {})) {
    const auto found = std::ranges::find(roles(), name, &role::name);
    if (found == roles().end())
      reader.refuse("roles", "must be of viewer, editor and admin");
    else
      out.insert(out.end(), found->scopes.begin(), found->scopes.end());
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  if (out.empty() && reader.ok()) reader.refuse("roles", "must not be empty");
  return out;
}

result<dashboard_door> read_door(const request& r, const json::object& body) {
  object_reader reader{body};
  dashboard_door door;
  const auto tenant = tenant_id::parse(reader.text("tenant_id", {}));
  if (!tenant && reader.ok()) reader.refuse("tenant_id", "must be a UUID");
  door.tenant = tenant.value_or(tenant_id{});
  door.who = reader.text("name", {1, 100, true});
  door.scopes = *scopes_of(reader);
  const auto path = reader.optional_text("return_path", {1, 1000}).value_or("/dashboard/connectors");
  door.return_path = safe_return(path);
  if (door.return_path != path) reader.refuse("return_path", "must be a path under /dashboard");
  constexpr auto most = std::chrono::seconds{longest_session}.count();
  door.session = seconds{reader.optional_integer("session_seconds", 60, most).value_or(most)};
  door.expires_at = r.received_at + door_open_for;
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return door;
}

/// Core asks for a link; the person's browser follows it.
asio::awaitable<response> open(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto door = read_door(r, *body);
  if (!door) co_return refuse(door.error(), r);
  const auto secret = random_token(32);
  const auto opened =
      co_await ask_registry<nothing>(a, r, open_door{*door, digest_of(secret), r.received_at});
  if (!opened) co_return refuse(opened.error(), r);
  std::string out;
  json_writer{out}
      .open()
      .member("url", a.facts.public_base_url + "/dashboard/enter/" + secret)
      .member("expires_at", door->expires_at)
      .close();
  co_return response::json(201, std::move(out));
}

/// The page goes on by itself: a redirect would still count as Core's, and the strict cookie would stay
/// behind.
asio::awaitable<response> enter(app& a, request& r) {
  const auto secret = random_token(32);
  const auto in = co_await ask_registry<entered>(
      a, r, enter_door{digest_of(r.param("secret")), digest_of(secret), r.received_at});
  if (!in) {
    if (in.error().code() != errc::not_found) co_return problem_page(in.error(), r, nullptr);
    co_return problem_page(error{errc::not_found, "This link was used already, or it is too old."}, r,
                           nullptr, "Ask where you got it for a new one.");
  }
  auto out = door_page(
      "Welcome", "entered.html",
      [&](fields f) { f.set("WHO", in->session.who).set("NEXT", in->return_path); }, 200, in->return_path);
  const auto lives = std::chrono::duration_cast<seconds>(in->session.expires_at - r.received_at);
  co_return std::move(out).with("Set-Cookie", cookie(a, secret, lives));
}

response login_page(std::string_view next, std::string_view team, std::string_view problem, int status) {
  return door_page(
      "Sign in", "login.html",
      [&](fields f) {
        f.set("NEXT", safe_return(next)).set("TEAM", team);
        if (!problem.empty()) f.show("PROBLEM").set("PROBLEM_TEXT", problem);
      },
      status);
}

asio::awaitable<response> login(app&, request& r) {
  query_reader q{r.query};
  co_return login_page(q.text("next").value_or(""), q.text("team").value_or(""), "", 200);
}

/// The same text for whatever is wrong with a token.
constexpr std::string_view wrong_token = "That token is not valid, or it is not this team's.";

asio::awaitable<result<dashboard_session>> session_for(app& a, const request& r, std::string_view token,
                                                       std::string_view team) {
  const bool by_operator = a.auth->is_operator(token);
  if (by_operator && team.empty()) co_return error{errc::tenant_required, "An operator names the team, too."};
  const auto id = tenant_id::parse(team);
  team_key named = id ? team_key{.id = id} : team_key{.slug = std::string{team}};
  if (!by_operator) named = {.token_sha256 = digest_of(token)};
  auto found = co_await find_named_team(a, named);
  if (!found && found.error().code() == errc::tenant_not_found) co_return error{errc::unauthorized};
  if (!found) co_return found.error();
  dashboard_session s{.tenant = found->row.id, .token = {}, .who = "operator", .scopes = {"*"}};
  s.created_at = s.used_at = r.received_at;
  s.expires_at = r.received_at + longest_session;
  if (by_operator) co_return s;
  auto who = principal_of(*found->token, r.received_at);
  if (!who) co_return who.error();
  const bool other = !team.empty() && team != found->row.slug.value_or("") && id != found->row.id;
  if (other || !who->may("tracker:read")) co_return error{errc::unauthorized};
  s.token = found->token->id;
  s.who = found->token->name;
  s.scopes = who->scopes;
  if (found->token->expires_at) s.expires_at = std::min(s.expires_at, *found->token->expires_at);
  co_return s;
}

asio::awaitable<response> sign_in(app& a, request& r) {
  const auto fields = form_decoded(r.body);
  if (!fields) co_return login_page("", "", "The form could not be read.", 400);
  const sent_form form{{}, *fields};
  const auto next = form.field("next"), team = form.field("team");
  const auto client =
      client_address(r.peer, r.header("x-forwarded-for").value_or(""), a.facts.trusted_proxies);
  if (const auto wait = a.logins.admit("login", "", client, std::chrono::steady_clock::now()))
    co_return login_page(next, team, "Too many attempts. Wait a minute and try again.", 429)
        .with("Retry-After", std::to_string(*wait));
  const auto row = co_await session_for(a, r, form.field("token"), team);
  if (!row) {
    const auto code = row.error().code();
    const int status = code == errc::unauthorized ? 401 : traits_of(code).http_status;
    co_return login_page(next, team, code == errc::unauthorized ? wrong_token : row.error().message(),
                         status);
  }
  const auto secret = random_token(32);
  const auto stored = co_await ask_registry<nothing>(a, r, open_session{*row, digest_of(secret)});
  if (!stored) co_return problem_page(stored.error(), r, nullptr);
  const auto lives = std::chrono::duration_cast<seconds>(row->expires_at - r.received_at);
  co_return see_other(safe_return(next)).with("Set-Cookie", cookie(a, secret, lives));
}

asio::awaitable<response> sign_out(app& a, request& r) {
  auto form = co_await sent(a, r, "");
  if (auto* instead = std::get_if<response>(&form)) co_return std::move(*instead);
  const auto& by = std::get<sent_form>(form).by;
  if (by.in_session)
    if (const auto gone = co_await ask_registry<nothing>(a, r, close_session{by.session_sha256}); !gone)
      co_return problem_page(gone.error(), r, &by);
  co_return see_other("/dashboard/login").with("Set-Cookie", cookie(a, "", seconds{0}));
}

asio::awaitable<response> part(app&, request& r) {
  auto found = asset(r.param("asset"));
  co_return found ? std::move(*found) : refuse(found.error(), r);
}

asio::awaitable<response> front(app&, request&) { co_return see_other("/dashboard/connectors"); }

}  // namespace

void add_dashboard_door_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text, answer ok,
                       asio::awaitable<response> (*f)(app&, request&)) -> route& {
    route r{m, path, id, "dashboard", text, open_to_all, {ok}, {}};
    r.handle = on(a, f);
    return table.emplace_back(std::move(r));
  };
  auto& door = add(verb::post, "/api/v1/dashboard-sessions", "openDashboard",
                   "A one-time link to the dashboard for a person that Core knows",
                   {201, "DashboardLink", "The link"}, open);
  door.access = operators_only;
  door.errors = {404};
  door.payload = payload::json;
  door.body_schema = "OpenDashboard";
  add(verb::get, "/dashboard", "dashboard", "To the first page", {303}, front);
  add(verb::get, "/dashboard/enter/{secret}", "enterDashboard", "Follow a one-time link",
      {200, "", "In", page_type}, enter);
  add(verb::get, "/dashboard/login", "loginPage", "The sign-in page", {200, "", "The form", page_type},
      login);
  add(verb::post, "/dashboard/login", "login", "Sign in with a token", {303}, sign_in).payload = payload::raw;
  add(verb::post, "/dashboard/logout", "logout", "End the session", {303}, sign_out).payload = payload::raw;
  auto& files = add(verb::get, "/dashboard/assets/{asset}", "dashboardAsset", "A file of the pages",
                    {200, "", "The file", "text/css"}, part);
  for (const auto type : {"text/javascript", "image/svg+xml", "text/plain"})
    files.answers.push_back({200, "", "The file", type});
}

}  // namespace connectord::web
