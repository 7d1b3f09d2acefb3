#include "base/log.hpp"
#include "http/app.hpp"
#include "http/key_sets.hpp"
#include "http/problem.hpp"

/// Where deliveries come in: the tenant's URL, the app's URL, and the operator's. The order of the
/// checks is that of the contract (6.1): what is cheap and what protects us comes first.
namespace connectord::web {
namespace {

/// 404 for an unknown provider, 501 for one without webhooks; then the body limit.
result<const provider::definition*> known_provider(app& a, request& r) {
  const auto* definition = a.catalog.find(r.param("provider"));
  if (definition == nullptr) return error{errc::not_found};
  if (!definition->webhooks) return error{errc::webhooks_not_supported};
  const auto facts = a.facts.providers.find(definition->slug);
  const auto limit = facts != a.facts.providers.end() && facts->second.webhook_body_limit > 0
                         ? facts->second.webhook_body_limit
                         : a.facts.webhook_body_limit;
  if (const auto fits = r.limit_body(limit); !fits) return fits.error();
  return definition;
}

result<> within_limits(app& a, const request& r, std::string_view provider, std::string_view tenant) {
  const auto client =
      client_address(r.peer, r.header("x-forwarded-for").value_or(""), a.facts.trusted_proxies);
  const auto wait = a.limiter.admit(provider, tenant, client, std::chrono::steady_clock::now());
  if (!wait) return {};
  a.meters.webhook_rate_limited({provider}).Increment();
  return error{errc::rate_limited}.retry_in(*wait);
}

asio::awaitable<result<>> admit_public(app& a, request& r) {
  const auto tenant = path_id<tenant_id>(r, "tenant_id");
  if (!tenant) co_return tenant.error();
  const auto definition = known_provider(a, r);
  if (!definition) co_return definition.error();
  if (a.auth->from_operator(r)) {
    r.who = principal{true, *tenant, {}, {}};
    co_return result<>{};
  }
  co_return within_limits(a, r, (*definition)->slug, tenant->text());
}

asio::awaitable<result<>> admit_operator(app& a, request& r) {
  const auto definition = known_provider(a, r);
  co_return definition ? result<>{} : definition.error();
}

asio::awaitable<result<>> admit_app(app& a, request& r) {
  const auto definition = known_provider(a, r);
  if (!definition) co_return definition.error();
  co_return within_limits(a, r, (*definition)->slug, "app");
}

result<ingest_webhook> delivery_of(request& r, bool proven) {
  ingest_webhook d;
  d.provider = std::string{r.param("provider")};
  d.proven = proven;
  d.headers = r.all_headers();
  d.body = std::move(r.body);
  d.now = r.received_at;
  if (const auto named = r.header("x-connection-id")) {
    d.connection = connection_id::parse(*named);
    if (!d.connection) return invalid("X-Connection-Id", "must be a UUID");
  }
  return d;
}

/// Equal for equal deliveries, so that one that ends its handler twice can be told from its neighbours.
std::uint64_t fingerprint_of(const ingest_webhook& d) {
  return (std::hash<std::string_view>{}(d.body) * 31 + std::hash<std::string_view>{}(d.provider)) | 1;
}

response shown(const ingest_outcome& o) {
  std::string body;
  json_writer w{body};
  if (const auto* echo = std::get_if<challenge_echo>(&o)) {
    w.open().member("challenge", echo->challenge).close();
    return response::json(200, std::move(body));
  }
  const auto& accepted = std::get<accepted_delivery>(o);
  w.open().member("status", "accepted").member("delivery_id", accepted.id.text());
  w.member("receipt_id", accepted.receipt.text()).member("deduplicated", accepted.deduplicated).close();
  auto out = response::json(202, std::move(body));
  return accepted.deduplicated ? std::move(out).with("Idempotency-Replayed", "true") : std::move(out);
}

/// Fetches what a proof by key set needs. Without keys the proof fails: closed, not open.
asio::awaitable<void> add_keys(app& a, const request& r, ingest_webhook& d) {
  const auto facts = a.facts.providers.find(d.provider);
  if (d.proven || a.keys == nullptr || facts == a.facts.providers.end() || facts->second.key_set_url.empty())
    co_return;
  auto kid = provider::jwt_key_id({d.headers, d.body, d.now});
  if (!kid) co_return;  // what is wrong is for the verification to say
  const auto keys = co_await a.keys->find(facts->second.key_set_url, std::move(*kid));
  if (keys)
    d.keys = *keys;
  else
    log::warn("webhook.key_set_unavailable", {{"provider", d.provider}, {"trace_id", r.trace_id}});
}

asio::awaitable<response> take(app& a, request& r, const tenant_id& tenant, bool proven, bool provision) {
  auto d = delivery_of(r, proven);
  if (!d) co_return refuse(d.error(), r);
  co_await add_keys(a, r, *d);
  auto meta = admitted(a, r, tenant, fingerprint_of(*d));
  if (!meta) co_return refuse(meta.error(), r);
  tenant_command c{std::move(*meta), mutation{std::move(*d)}};
  c.provision = provision;
  const auto taken = co_await command(a, r, tenant, std::move(c));
  if (!taken) co_return refuse(taken.error(), r);
  a.meters.accept_to_signal({}).Observe(std::chrono::duration<double>(now_utc() - r.received_at).count());
  co_return shown(std::get<ingest_outcome>(taken->value));
}

asio::awaitable<response> from_provider(app& a, request& r) {
  const auto tenant = path_id<tenant_id>(r, "tenant_id");
  co_return co_await take(a, r, *tenant, r.who.has_value(), false);
}

asio::awaitable<response> from_operator(app& a, request& r) {
  co_return co_await take(a, r, r.tenant(), true, r.who->is_operator && a.facts.auto_provision);
}

asio::awaitable<response> for_app(app& a, request& r) {
  if (const auto ok = serving(a); !ok) co_return refuse(ok.error(), r);
  auto d = delivery_of(r, false);
  if (!d) co_return refuse(d.error(), r);
  co_await add_keys(a, r, *d);
  auto meta = unlimited(r);
  meta.fingerprint = fingerprint_of(*d);
  const route_delivery m{std::move(meta), std::move(*d)};
  const auto routed_to = co_await ask(a.via, a.inbox.get(), m, r.deadline);
  if (!routed_to) co_return refuse(routed_to.error(), r);
  if (routed_to->challenge) co_return shown(challenge_echo{*routed_to->challenge});
  std::string body;
  json_writer{body}.open().member("status", "accepted").member("deliveries", routed_to->deliveries).close();
  co_return response::json(202, std::move(body));
}

}  // namespace

void add_webhook_routes(std::vector<route>& table, app* a) {
  const auto add = [&](std::string_view path, std::string_view id, std::string_view text, access who,
                       std::vector<answer> ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&),
                       asio::awaitable<result<>> (*admit)(app&, request&)) {
    route r{verb::post, path, id, "webhooks", text, who, std::move(ok), std::move(errors)};
    r.payload = payload::raw;
    r.body_limit = 25 * 1024 * 1024;  // the admission hook knows the provider's own, narrower limit
    r.handle = on(a, f);
    r.admit = before(a, admit);
    r.parameters = {{"X-Connection-Id", R"({"type":"string","format":"uuid"})",
                     "The connection, when the sender knows it", false, "header"}};
    table.push_back(std::move(r));
  };
  add("/webhooks/{provider}", "ingestAsOperator", "A delivery that the caller vouches for",
      tenant_with("deliveries:write"),
      {{202, "Accepted", "Durable"}, {200, "Challenge", "The provider's challenge"}},
      {400, 404, 413, 422, 501}, from_operator, admit_operator);
  add("/webhooks/{provider}/{tenant_id}", "ingestWebhook",
      "A delivery of a provider, proven by its signature", by_proof,
      {{202, "Accepted", "Durable"}, {200, "Challenge", "The provider's challenge"}},
      {400, 401, 404, 413, 422, 429, 501}, from_provider, admit_public);
  add("/hooks/{provider}", "ingestAppWebhook", "A delivery at the app-level URL, routed by its payload",
      by_proof, {{202, "AppAccepted", "Durable"}, {200, "Challenge", "The provider's challenge"}},
      {400, 401, 404, 413, 422, 429, 501}, for_app, admit_app);
}

}  // namespace connectord::web
