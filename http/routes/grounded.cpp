#include "domain/grounding.hpp"
#include "http/app.hpp"
#include "http/outbound_target.hpp"
#include "http/query.hpp"
#include "http/shapes.hpp"

#include <limits>

/// Grounded signals, and how a tenant wants them made.
namespace connectord::web {
namespace {

constexpr std::size_t longest_url = 2048, longest_recommendation = 4000;

template <class T, class... Context>
response rendered(const T& value, const Context&... context) {
  std::string body;
  json_writer w{body};
  write(w, value, context...);
  return response::json(200, std::move(body));
}

std::optional<grounded_status> status_of(std::string_view name) {
  for (const auto s : {grounded_status::draft, grounded_status::recommended, grounded_status::actioned})
    if (connectord::name_of(s) == name) return s;
  return std::nullopt;
}

/// The tenant is named twice here, and one of them is checked against the other.
std::optional<tenant_id> tenant_named(query_reader& q) {
  auto named = q.id_of<tenant_id>("tenant_id");
  if (!named && q.ok()) q.refuse("tenant_id", "is required");
  return named;
}

asio::awaitable<result<grounded_page>> page_from(app& a, request& r, list_grounded l) {
  auto answer = co_await rows(a, r, std::move(l));
  if (answer) co_return answer->get<grounded_page>();
  if (answer.error().code() == errc::tenant_not_found) co_return grounded_page{};
  co_return answer.error();
}

asio::awaitable<response> list_all(app& a, request& r) {
  query_reader q{r.query};
  const auto named = tenant_named(q);
  list_grounded l;
  if (const auto name = q.one_of("status", {"draft", "recommended", "actioned"}))
    l.filter.status = status_of(*name);
  l.filter.min_score = q.number("min_score", 0, 1);
  l.offset = q.integer("offset", 0, std::numeric_limits<std::int64_t>::max()).value_or(0);
  const auto bound = q.bound_to({"status", "min_score"});
  l.at = page_of(a, r, q, bound);
  if (l.at.after && l.offset > 0) q.refuse("offset", "does not go together with cursor");
  if (const auto ok = q.finish(); !ok) co_return refuse(ok.error(), r);
  if (*named != r.tenant()) co_return refuse(error{errc::tenant_scope_mismatch}, r);
  const auto page = co_await page_from(a, r, l);
  if (!page) co_return refuse(page.error(), r);
  const auto& [listed, total] = *page;
  std::string body;
  json_writer w{body};
  w.open().key("data").open_array();
  for (const auto& g : listed.rows) write(w, g, r.tenant());
  w.close_array().key("pagination").open().member("total", total).member("limit", l.at.limit);
  w.member("offset", l.offset).member("has_more", listed.more).close();
  std::optional<position> last;
  if (listed.more) last = position{to_millis(listed.rows.back().created_at), listed.rows.back().id.str()};
  w.member("next_cursor", next_cursor(a, r, bound, last)).close();
  co_return response::json(200, std::move(body));
}

asio::awaitable<response> get(app& a, request& r) {
  const auto id = path_id<grounded_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto found = co_await row<grounded_signal>(a, r, get_grounded{*id});
  co_return found ? rendered(*found, r.tenant()) : refuse(found.error(), r);
}

result<patch_grounded> read_patch(const request& r, const grounded_id& id, const json::object& body) {
  object_reader reader{body};
  patch_grounded p{.id = id, .status{}, .recommendation{}, .now = r.received_at};
  const auto name = reader.text("status", {});
  if (const auto status = status_of(name))
    p.status = *status;
  else if (reader.ok())
    reader.refuse("status", "must be one of draft, recommended, actioned");
  p.names_recommendation = reader.has("recommendation");
  p.recommendation = reader.optional_text("recommendation", {0, longest_recommendation});
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return p;
}

asio::awaitable<response> patch(app& a, request& r) {
  const auto id = path_id<grounded_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  auto change = read_patch(r, *id, *body);
  if (!change) co_return refuse(change.error(), r);
  const auto changed = co_await command(a, r, std::move(*change));
  co_return changed ? rendered(*changed, r.tenant()) : refuse(changed.error(), r);
}

asio::awaitable<response> remove(app& a, request& r) {
  const auto id = path_id<grounded_id>(r, "id");
  if (!id) co_return refuse(id.error(), r);
  const auto gone = co_await command(a, r, delete_grounded{*id, r.received_at});
  co_return gone ? response::empty() : refuse(gone.error(), r);
}

asio::awaitable<response> get_config(app& a, request& r) {
  const auto own = co_await rows(a, r, get_signal_config{});
  if (own) co_return rendered(own->get<signal_config>());
  if (own.error().code() == errc::tenant_not_found) co_return rendered(signal_config{});
  co_return refuse(own.error(), r);
}

bool leads_home(std::string_view host) {
  const auto address = parse_ip(host);
  return address ? is_loopback(*address) : host == "localhost";
}

/// The URL alone; where its host leads is checked with every call.
std::optional<std::string_view> fault_of_url(std::string_view url, bool relaxed) {
  const auto parsed = target::parse(url);
  if (!parsed || url.find('#') != url.npos)
    return "must be an absolute URL without user, password and fragment";
  if (!parsed->tls && !(relaxed && leads_home(parsed->host))) return "must be an https URL";
  return std::nullopt;
}

std::optional<dimensions> read_weights(object_reader& reader) {
  const auto* given = reader.optional_object("scoring_weights");
  if (given == nullptr) return std::nullopt;
  dimensions weights{};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto* weight = given->if_contains(dimension_names[i]);
    if (weight == nullptr || !weight->is_number()) {
      reader.refuse("scoring_weights", "must hold all six weights as numbers");
      return std::nullopt;
    }
    weights[i] = weight->to_number<double>();
  }
  if (const auto fault = grounding::fault_of(weights)) reader.refuse("scoring_weights", *fault);
  return weights;
}

result<put_signal_config> read_config(const request& r, const json::object& body, bool relaxed) {
  object_reader reader{body};
  put_signal_config c{.wanted{}, .now = r.received_at};
  if (const auto threshold = reader.optional_number("weak_signal_threshold", 0, 1))
    c.wanted.threshold = *threshold;
  if (const auto weights = read_weights(reader)) c.wanted.weights = *weights;
  c.wanted.webhook_url = reader.optional_text("webhook_url", {1, longest_url});
  if (c.wanted.webhook_url)
    if (const auto fault = fault_of_url(*c.wanted.webhook_url, relaxed)) reader.refuse("webhook_url", *fault);
  if (const auto ok = reader.finish(); !ok) return ok.error();
  return c;
}

asio::awaitable<response> put_config(app& a, request& r) {
  const auto body = r.json_body();
  if (!body) co_return refuse(body.error(), r);
  const bool relaxed = a.facts.profile == "local" || a.facts.profile == "test";
  auto wanted = read_config(r, *body, relaxed);
  if (!wanted) co_return refuse(wanted.error(), r);
  const auto stored = co_await command(a, r, std::move(*wanted));
  co_return stored ? rendered(*stored) : refuse(stored.error(), r);
}

}  // namespace

void add_grounded_routes(std::vector<route>& table, app* a) {
  const auto add = [&](verb m, std::string_view path, std::string_view id, std::string_view text,
                       std::string_view scope, answer ok, std::vector<int> errors,
                       asio::awaitable<response> (*f)(app&, request&), std::string_view body_schema = {}) {
    route r{m, path, id, "grounded signals", text, tenant_with(scope), {ok}, std::move(errors)};
    r.handle = on(a, f);
    if (!body_schema.empty()) r.payload = payload::json;
    r.body_schema = body_schema;
    table.push_back(std::move(r));
  };
  add(verb::get, "/grounded-signals", "listGroundedSignals", "Grounded signals, newest first", "signals:read",
      {200, "GroundedSignalList", "A page"}, {400}, list_all);
  table.back().parameters = {
      {"tenant_id", R"({"type":"string","format":"uuid"})", "The tenant once more", true},
      {"status", R"({"type":"string","enum":["draft","recommended","actioned"]})", "Status"},
      {"min_score", R"({"type":"number","minimum":0,"maximum":1})", "Least total"},
      {"limit", R"({"type":"integer","minimum":1,"maximum":100,"default":50})", "Page size"},
      {"offset", R"({"type":"integer","minimum":0,"default":0})", "Rows to pass over; not with cursor"},
      {"cursor", R"({"type":"string","maxLength":1000})", "From next_cursor"}};
  add(verb::get, "/grounded-signals/{id}", "getGroundedSignal", "One grounded signal", "signals:read",
      {200, "GroundedSignal", "The grounded signal"}, {400, 404}, get);
  add(verb::patch, "/grounded-signals/{id}", "patchGroundedSignal", "Set status and recommendation",
      "signals:write", {200, "GroundedSignal", "Changed"}, {404}, patch, "PatchGroundedSignal");
  add(verb::delete_, "/grounded-signals/{id}", "deleteGroundedSignal", "Remove a grounded signal",
      "signals:write", {204, "", "Removed"}, {400, 404}, remove);
  add(verb::get, "/signal-config", "getSignalConfig", "How signals are grounded", "signals:read",
      {200, "SignalConfig", "The configuration"}, {}, get_config);
  add(verb::put, "/signal-config", "putSignalConfig", "Replace it; what is absent gets its default",
      "signals:write", {200, "SignalConfig", "Replaced"}, {}, put_config, "PutSignalConfig");
}

}  // namespace connectord::web
