#include "http/openapi.hpp"

#include "base/embedded.hpp"
#include "base/json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace connectord::web {
namespace {

json::object schema_ref(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string{name}}};
}

json::object header_doc(std::string_view doc, std::string_view schema = R"({"type":"string"})") {
  return {{"description", doc}, {"schema", json::parse(schema)}};
}

std::string_view meaning_of(int status) {
  switch (status) {
    case 400: return "A header, parameter, path id or body member is invalid, or the body is unreadable.";
    case 401: return "The credential or the proof of the delivery is missing or wrong.";
    case 403: return "The credential does not allow this.";
    case 404: return "There is no such row for this tenant, or no such provider.";
    case 408: return "The request did not arrive in time.";
    case 409: return "The request conflicts with the current state.";
    case 413: return "The body is over the limit.";
    case 415: return "The body is not JSON.";
    case 422: return "The idempotency key was used with another body, or the message is quarantined.";
    case 429: return "Too many requests.";
    case 500: return "Something unforeseen went wrong.";
    case 501: return "The provider has no webhooks.";
    case 502: return "The provider failed.";
    case 503: return "The service, the tenant or the store is not available.";
    default: return "The request was refused.";
  }
}

std::string_view error_type(dialect d) {
  return d == dialect::connectors || d == dialect::tracker ? "application/problem+json" : "application/json";
}
std::string_view error_schema(dialect d) { return d == dialect::connectors ? "ApiError" : "TrackerError"; }

/// Pages refuse people in HTML; what no route came to see, such as a body over the limit, is refused as
/// everywhere.
bool is_page(const route& r) {
  return r.path.starts_with("/dashboard") ||
         std::ranges::any_of(r.answers, [](const answer& a) { return a.type.starts_with("text/html"); });
}

bool needs_bearer(access_kind k) { return k != access_kind::public_ && k != access_kind::proof; }
bool names_team(access_kind k) { return k == access_kind::team || k == access_kind::credential; }

/// Errors that every route of this access and payload can answer with, besides its own.
std::set<int> errors_of(const route& r) {
  std::set<int> all(r.errors.begin(), r.errors.end());
  all.insert({500, 503});
  if (needs_bearer(r.access.kind)) all.insert({401, 403});
  if (r.access.kind == access_kind::tenant) all.insert({400, 429});
  if (r.access.kind == access_kind::tenant && r.method != verb::get) all.insert(404);
  if (names_team(r.access.kind)) all.insert({400, 404, 429});
  if (is_page(r)) all.insert({400, 401, 403, 404, 429});
  if (r.access.kind == access_kind::proof) all.insert(401);
  if (r.payload != payload::none) all.insert({400, 408, 413});
  if (r.payload == payload::json || r.payload == payload::optional_json) all.insert(415);
  return all;
}

json::object parameter_doc(const parameter& p) {
  json::object out{{"name", p.name}, {"in", p.in}, {"required", p.required || p.in == "path"}};
  if (!p.doc.empty()) out["description"] = p.doc;
  out["schema"] = json::parse(p.schema);
  return out;
}

json::array parameters_of(const route& r) {
  json::array out;
  for (const auto segment : template_segments(r.path)) {
    if (!segment.starts_with('{')) continue;
    const auto name = segment.substr(1, segment.size() - 2);
    const bool declared = std::any_of(r.parameters.begin(), r.parameters.end(),
                                      [&](const parameter& p) { return p.in == "path" && p.name == name; });
    if (declared) continue;
    const bool id = name == "id" || name.ends_with("_id");
    out.push_back(parameter_doc(
        {name, id ? R"({"type":"string","format":"uuid"})" : R"({"type":"string"})", {}, true, "path"}));
  }
  if (r.access.kind == access_kind::tenant)
    out.push_back(parameter_doc({"X-Tenant-Id", R"({"type":"string","format":"uuid"})",
                                 "The tenant. Required with an operator token; with a tenant token it may be "
                                 "absent and must otherwise be the token's own.",
                                 false, "header"}));
  if (names_team(r.access.kind))
    for (const auto name : {"X-Tenant-Id", "X-Team-Slug"})
      out.push_back(parameter_doc({name, R"({"type":"string"})",
                                   "The team. An operator token needs one of the two; with a tenant token "
                                   "it must be the token's own.",
                                   false, "header"}));
  for (const auto& p : r.parameters) out.push_back(parameter_doc(p));
  return out;
}

json::object a_text() { return {{"schema", json::object{{"type", "string"}}}}; }

json::object content_of_error(const route& r) {
  json::object out{{error_type(r.dialect), json::object{{"schema", schema_ref(error_schema(r.dialect))}}}};
  if (is_page(r)) out["text/html"] = a_text();
  return out;
}

/// Answers of one status may come in several types.
void add_answer(json::object& out, const answer& a, const json::object& headers) {
  auto& one = out[std::to_string(a.status)];
  if (!one.is_object())
    one = json::object{{"description", a.doc.empty() ? std::string_view{"Success."} : a.doc},
                       {"headers", headers}};
  if (a.schema.empty() && a.type == "application/json") return;
  auto& content = one.as_object()["content"];
  if (!content.is_object()) content = json::object{};
  content.as_object()[a.type] = a.schema.empty() ? a_text() : json::object{{"schema", schema_ref(a.schema)}};
}

json::object responses_of(const route& r) {
  json::object out;
  const json::object trace{{"x-trace-id", json::object{{"$ref", "#/components/headers/x-trace-id"}}}};
  for (const auto& a : r.answers) add_answer(out, a, trace);
  if (is_page(r)) add_answer(out, {303, {}, "To another page, such as the sign-in."}, trace);
  for (const int status : errors_of(r)) {
    json::object headers = trace;
    headers["Retry-After"] = json::object{{"$ref", "#/components/headers/Retry-After"}};
    out[std::to_string(status)] = json::object{{"description", meaning_of(status)},
                                               {"headers", std::move(headers)},
                                               {"content", content_of_error(r)}};
  }
  return out;
}

json::value security_of(const route& r) {
  const json::object bearer{{"bearer_auth", json::array{}}};
  switch (r.access.kind) {
    case access_kind::public_: return json::array{};
    case access_kind::proof: return json::array{json::object{}, bearer};  // proof in headers, or an operator
    case access_kind::operator_:
    case access_kind::tenant:
    case access_kind::team:
    case access_kind::credential: break;
  }
  return json::array{bearer};
}

json::object operation(const route& r) {
  json::object out{{"operationId", r.operation_id}, {"tags", json::array{r.tag}}, {"summary", r.summary}};
  if (!r.access.scope.empty()) out["description"] = "Scope: `" + std::string{r.access.scope} + "`.";
  out["security"] = security_of(r);
  if (auto parameters = parameters_of(r); !parameters.empty()) out["parameters"] = std::move(parameters);
  if (r.payload == payload::raw) {
    json::object any{{"schema", json::object{{"type", "string"}, {"format", "binary"}}}};
    out["requestBody"] = json::object{{"required", true}, {"content", json::object{{"*/*", std::move(any)}}}};
  } else if (r.payload != payload::none) {
    out["requestBody"] = json::object{
        {"required", r.payload == payload::json},
        {"content", json::object{{"application/json", json::object{{"schema", schema_ref(r.body_schema)}}}}}};
  }
  out["responses"] = responses_of(r);
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

/// Every code that errors of a dialect can have, in the order of the table.
json::array codes_of(dialect d) {
  json::array out;
  const auto first_of_the_tracker = errc::invalid_cursor;
  for (int i = 0; i <= static_cast<int>(errc::queue_full); ++i) {
    const auto code = static_cast<errc>(i);
    if (d == dialect::connectors && code >= first_of_the_tracker) break;
    const json::string text{d == dialect::connectors ? traits_of(code).code : traits_of(code).tracker_code};
    if (std::ranges::find(out, text) == out.end()) out.emplace_back(text);
  }
  return out;
}

void name_codes(json::object& schemas, std::string_view schema, json::array codes) {
  auto& properties = schemas.at(schema).as_object().at("properties").as_object();
  for (const auto member : {"code", "error_code"})
    if (auto* found = properties.if_contains(member)) found->as_object()["enum"] = codes;
}

/// The assets schemas.json and *.schemas.json together.
json::object component_schemas() {
  json::object all;
  for (const auto& f : embedded::assets()) {
    if (f.name != "schemas.json" && !f.name.ends_with(".schemas.json")) continue;
    const auto schemas = json::parse(f.content);
    for (const auto& [name, schema] : schemas.as_object())
      if (!all.emplace(name, schema).second)
        throw std::logic_error("schema declared twice: " + std::string{name});
  }
  name_codes(all, "ApiError", codes_of(dialect::connectors));
  name_codes(all, "TrackerError", codes_of(dialect::tracker));
  return all;
}

/// Empty for a tag that nobody explains; the linter of the document finds those.
std::string_view meaning_of(std::string_view tag) {
  struct entry {
    std::string_view tag, meaning;
  };
  constexpr std::array all{
      entry{"connections", "Accounts of a tenant at providers: consent, tokens, secrets"},
      entry{"projects", "Projects of a team, their work packages, and the feed of what happens to them"},
      entry{"dashboard", "Pages for people, and the way in"},
      entry{"deliveries", "Webhooks as they arrived, with their receipts"},
      entry{"grounded signals", "Strong signals with scores and evidence"},
      entry{"jobs", "Runs of syncs"},
      entry{"operations", "The live tree, tenants at work, deliveries that nobody owns"},
      entry{"service", "Health, documents, metrics, providers, settings"},
      entry{"signals", "Normalised changes"},
      entry{"tenants", "Tenants and their tokens"},
      entry{"tracker", "Projects and work packages beside their external issues"},
      entry{"webhooks", "Where providers deliver"}};
  for (const auto& e : all)
    if (e.tag == tag) return e.meaning;
  return {};
}

}  // namespace

std::string openapi_document(const router& routes, std::string_view version) {
  json::object paths;
  std::set<std::string_view> tags;
  for (const auto& r : routes.routes()) {
    auto& entry = paths[r.path];
    if (!entry.is_object()) entry = json::object{};
    entry.as_object()[lower_case(text_of(r.method))] = operation(r);
    tags.insert(r.tag);
  }
  json::array tag_list;
  for (const auto tag : tags) {
    json::object entry{{"name", tag}};
    if (const auto meaning = meaning_of(tag); !meaning.empty()) entry["description"] = meaning;
    tag_list.push_back(std::move(entry));
  }
  const json::object document{
      {"openapi", "3.1.0"},
      {"info",
       json::object{{"title", "Poblysh connectors"},
                    {"version", version},
                    {"description", "Connections to providers, webhook intake, signals and their state."}}},
      {"servers", json::array{json::object{{"url", json::string{"/"}}}}},
      {"tags", std::move(tag_list)},
      {"security", json::array{json::object{{"bearer_auth", json::array{}}}}},
      {"paths", std::move(paths)},
      {"components",
       json::object{
           {"securitySchemes",
            json::object{{"bearer_auth", json::object{{"type", "http"},
                                                      {"scheme", "bearer"},
                                                      {"description",
                                                       "An operator token, or a tenant token "
                                                       "(`cdt_` and 43 URL-safe characters)."}}}}},
           {"headers",
            json::object{{"x-trace-id", header_doc("Names this request in logs and errors.")},
                         {"Retry-After", header_doc("Seconds; present when `retry_after` is a number.",
                                                    R"({"type":"integer","minimum":0})")}}},
           {"schemas", component_schemas()}}}};
  return json::serialize(document);
}

}  // namespace connectord::web
