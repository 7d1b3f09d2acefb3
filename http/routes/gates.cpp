#include "http/gates.hpp"
#include "base/crypto.hpp"
#include "http/list.hpp"
#include "http/team.hpp"

#include <algorithm>

/// GitHub gates, and the deliveries that come to them (contract tracker-api, 8). None of this knows of the
/// flag.
namespace connectord::web {

const std::string_view gate_provider = tracker::name_of(tracker::provider::github);

namespace {

constexpr std::size_t most_body = 1 << 20;
constexpr std::size_t secret_bytes = 32;

// ---- gates

void write_gate(json_writer& w, const app& a, const tracker::gate& g, const secret* shown = nullptr) {
  w.open().member("id", g.id.text()).member("project_id", g.project.text());
  w.member("repo_full_name", g.repository);
  w.member("webhook_url", a.facts.public_base_url + "/api/v1/webhooks/github/" + g.id.str() + "/");
  if (shown) w.member("webhook_secret", shown->reveal());
  w.member("state", "active").member("created_at", g.created_at).close();
}

bool is_repository(std::string_view name) {
  const auto slash = name.find('/');
  const auto printable = [](char c) { return c > ' ' && c < 127; };
  return slash != name.npos && slash > 0 && slash + 1 < name.size() &&
         name.find('/', slash + 1) == name.npos && std::ranges::all_of(name, printable);
}

result<create_gate> read_gate(const json::object& body) {
  object_reader reader{body};
  create_gate what;
  const auto project = reader.text("project_id", {});
  const auto id = uuid::parse(project);
  if (!id && reader.ok()) reader.refuse("project_id", "must be a UUID");
  what.project = id.value_or(uuid{});
  what.repository = reader.text("repo_full_name", {.max = 255});
  if (reader.ok() && !is_repository(what.repository)) reader.refuse("repo_full_name", "must be owner/name");
  const auto own = reader.optional_text("webhook_secret", {.min = 1, .max = 255});
  what.webhook_secret = secret{own ? *own : random_token(secret_bytes)};
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return what;
}

asio::awaitable<response> create(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto what = read_gate(*body);
  if (!what) co_return refuse(what.error(), r);
  const auto made = co_await command(a, r, std::move(*what));
  if (!made) co_return refuse(made.error(), r);
  std::string out;
  json_writer w{out};
  write_gate(w, a, made->row, &made->webhook_secret);
  co_return tracker_json(201, std::move(out));
}

asio::awaitable<response> list_all(app& a, request& r) {
  list_reader q{a, r};
  const auto at = q.at();
  if (!at) co_return refuse(at.error(), r);
  const auto gates = co_await read(a, r, list_gates{*at});
  if (!gates) co_return refuse(gates.error(), r);
  co_return list_answer(
      q, **gates, [&a](json_writer& w, const auto& g) { write_gate(w, a, g); },
      [](const auto& g) {
        return sort_key{to_millis(g.created_at), g.id.str()};
      });
}

asio::awaitable<response> get(app& a, request& r) {
  const auto id = tracker::gate_id::parse(r.param("id"));
  if (!id) co_return refuse(error{errc::not_found}, r);
  const auto gate = co_await read(a, r, get_gate{*id});
  if (!gate) co_return refuse(gate.error(), r);
  std::string out;
  json_writer w{out};
  write_gate(w, a, **gate);
  co_return tracker_json(200, std::move(out));
}

asio::awaitable<response> remove(app& a, request& r) {
  const auto id = tracker::gate_id::parse(r.param("id"));
  if (!id) co_return refuse(error{errc::not_found}, r);
  const auto gone = co_await command(a, r, delete_gate{*id});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

// ---- deliveries

/// A delivery names its gate and nothing else: whose that is, the store knows.
asio::awaitable<result<tracker::gate>> gate_of(app& a, request& r) {
  const auto id = tracker::gate_id::parse(r.param("binding_uuid"));
  if (!id) co_return error{errc::not_found};
  co_return co_await ask_registry<tracker::gate>(a, r, find_gate{*id});
}

asio::awaitable<result<>> admit(app& a, request& r) {
  const auto gate = co_await gate_of(a, r);
  co_return gate ? result<>{} : gate.error();
}

std::optional<std::string> text_of(const request& r, std::string_view name) {
  const auto value = r.header(name);
  return value && !value->empty() ? std::optional{std::string{*value}} : std::nullopt;
}

response shown(const taken_gate_delivery& t) {
  std::string body;
  json_writer w{body};
  w.open();
  if (t.duplicate || t.finding == tracker::gate_finding::pong) {
    w.member("status", t.duplicate ? "duplicate" : "pong").close();
    return tracker_json(200, std::move(body));
  }
  if (!t.event_id)
    w.member("status", "ignored").close();
  else
    w.member("status", "accepted")
        .member("event_type", t.event_type)
        .member("event_id", t.event_id->text())
        .close();
  return tracker_json(202, std::move(body));
}

result<> within_limit(app& a, const tracker::gate_id& id) {
  const auto wait = a.gates.admit("gate", id.text(), {}, std::chrono::steady_clock::now());
  if (!wait) return {};
  a.meters.webhook_rate_limited({"gate"}).Increment();
  return error{errc::rate_limited}.retry_in(*wait);
}

asio::awaitable<response> take(app& a, request& r) {
  const auto gate = co_await gate_of(a, r);
  if (!gate) co_return refuse(gate.error(), r);
  if (const auto ok = within_limit(a, gate->id); !ok) co_return refuse(ok.error(), r);
  auto meta = admitted(a, r, gate->tenant);
  if (!meta) co_return refuse(meta.error(), r);
  take_gate_delivery what{*gate,
                          {text_of(r, "x-github-event"), text_of(r, "x-github-delivery"),
                           text_of(r, "x-hub-signature-256"), std::move(r.body)}};
  change_gates change{std::move(what), actor_of(r), r.received_at};
  const auto taken =
      co_await command(a, r, gate->tenant, tenant_command{std::move(*meta), mutation{std::move(change)}});
  if (!taken) co_return refuse(unless_late(r, taken.error()), r);
  co_return shown(std::get<taken_gate_delivery>(std::get<gate_outcome>(taken->value)));
}

void add_delivery_route(std::vector<route>& table, app* a) {
  auto& r = table.emplace_back(team_route(verb::post, "/api/v1/webhooks/github/{binding_uuid}",
                                          "takeGateDelivery", "A check of GitHub's, proven by its signature",
                                          by_proof, {202, "GateAnswer", "Durable, or nothing that is shown"},
                                          {400, 403, 404, 413, 429}));
  r.answers.push_back({200, "GateAnswer", "A ping, or a delivery that came before"});
  r.payload = payload::raw;
  r.body_limit = most_body;
  r.admit = before(a, admit);
  r.handle = on(a, take);
}

}  // namespace

void add_gate_routes(std::vector<route>& table, app* a) {
  auto& list =
      table.emplace_back(team_route(verb::get, "/api/v1/connectors/github", "listGates", "GitHub gates",
                                    team_with("tracker:read"), {200, "GateList", "Oldest first"}));
  list.parameters = paged();
  list.handle = on(a, list_all);
  auto& made = table.emplace_back(team_route(verb::post, "/api/v1/connectors/github", "createGate",
                                             "Watch the checks of a repository", team_with("tracker:admin"),
                                             {201, "NewGate", "With its secret, this once"}, {404}));
  made.payload = payload::json;
  made.body_schema = "CreateGate";
  made.handle = on(a, create);
  table
      .emplace_back(team_route(verb::get, "/api/v1/connectors/github/{id}", "getGate", "A GitHub gate",
                               team_with("tracker:read"), {200, "Gate", "As it is"}, {404}))
      .handle = on(a, get);
  table
      .emplace_back(team_route(verb::delete_, "/api/v1/connectors/github/{id}", "deleteGate",
                               "Stop watching; deliveries find nothing from now on",
                               team_with("tracker:admin"), {204}, {404}))
      .handle = on(a, remove);
  add_delivery_route(table, a);
}

}  // namespace connectord::web
