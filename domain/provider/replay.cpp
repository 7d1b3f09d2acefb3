#include "domain/provider/replay.hpp"

#include "domain/provider/examine.hpp"

#include <boost/json/serialize.hpp>

namespace connectord::provider {
namespace {

constexpr std::size_t most_calls = 10'000;
constexpr timestamp recorded_at = from_millis(1'767'225'600'000);  // 2026-01-01, where none is named

json::value maybe(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

error refusal(std::string_view field, std::string_view what) {
  return error{errc::validation_failed, std::string{field} + ": " + std::string{what}};
}

/// One line a member, in the words of `object_reader`.
error refusal_of(const error& problems) {
  std::string text;
  for (const auto& [name, reason] : problems.details())
    if (name != "field" && reason.is_string())
      (((text += text.empty() ? "" : "\n") += name) += ": ") += reason.as_string();
  return error{errc::validation_failed, std::move(text)};
}

header_list read_headers(object_reader& in) {
  header_list out;
  const auto* headers = in.optional_object("headers");
  if (headers == nullptr) return out;
  for (const auto& header : *headers) {
    if (!header.value().is_string())
      in.refuse("headers." + std::string{header.key()}, "must be a text");
    else
      out.emplace_back(header.key(), header.value().as_string());
  }
  return out;
}

result<http_response> read_answer(const json::value& recorded, std::string path) {
  const auto* object = recorded.if_object();
  if (object == nullptr) return refusal(path, "must be an object");
  http_response out;
  object_reader in{*object, std::move(path)};
  out.status = static_cast<int>(in.optional_integer("status", 100, 599).value_or(200));
  out.headers = read_headers(in);
  if (auto text = in.optional_text("body_text", {}))
    out.body = std::move(*text);
  else if (const auto* body = object->if_contains("body"))
    out.body = json::serialize(*body);
  if (const auto finished = in.finish(); !finished) return refusal_of(finished.error());
  return out;
}

json::array texts(const std::vector<std::string>& all) {
  json::array out;
  for (const auto& one : all) out.push_back(json::string{one});
  return out;
}

json::object shown_signal(const draft_signal& s) {
  auto payload = parse_json_object(s.payload).value();
  if (auto* raw = payload.if_contains("raw"); raw != nullptr && raw->is_object())
    *raw = "object of " + std::to_string(raw->as_object().size());
  return {{"kind", s.kind},
          {"entity", s.entity},
          {"version", s.entity_version},
          {"occurred_at", to_rfc3339(s.occurred_at)},
          {"dedupe_key", s.dedupe_key},
          {"payload", std::move(payload)}};
}

json::array shown_signals(const std::vector<draft_signal>& signals) {
  json::array out;
  for (const auto& s : signals) out.push_back(shown_signal(s));
  return out;
}

json::object shown_issue(const tracker_issue& issue) {
  const auto& c = issue.content;
  json::object out{
      {"system", c.ref.system},
      {"id", c.ref.id},
      {"identities", texts(issue.identities)},
      {"workspaces", texts(issue.workspaces)},
      {"resources", texts(issue.resources)},
      {"key", maybe(c.key)},
      {"url", maybe(c.url)},
      {"title", c.title},
      {"body", maybe(c.body)},
      {"status", tracker::name_of(c.status)},
      {"type", tracker::name_of(c.type)},
      {"priority", c.priority ? json::value(*c.priority) : json::value(nullptr)},
      {"assignees", texts(c.assignees)},
      {"labels", texts(c.labels)},
      {"updated_at", c.updated_at ? json::value(to_rfc3339(std::chrono::floor<milliseconds>(*c.updated_at)))
                                  : json::value(nullptr)}};
  if (issue.deleted) out["deleted"] = true;
  if (!issue.unmapped.empty()) out["unmapped"] = texts(issue.unmapped);
  return out;
}

json::array shown_issues(const std::vector<tracker_issue>& issues) {
  json::array out;
  for (const auto& one : issues) out.push_back(shown_issue(one));
  return out;
}

json::object shown(const examination& e) {
  if (e.challenge) return {{"challenge", *e.challenge}};
  json::array candidates;
  for (const auto& c : e.candidates) candidates.push_back(json::array{c.kind, c.value});
  json::object out{{"event_type", maybe(e.event_type)},
                   {"provider_delivery_id", maybe(e.provider_delivery_id)},
                   {"dedupe_id", e.dedupe_id},
                   {"candidates", std::move(candidates)},
                   {"outcome", name_of(e.outcome)}};
  if (e.connection_hint) out["connection_hint"] = *e.connection_hint;
  if (e.error) out["error"] = *e.error;
  if (!e.body_is_json) out["body_is_json"] = false;
  if (e.unmapped) out["unmapped"] = true;
  if (e.queues_sync) out["queues_sync"] = true;
  if (e.revokes_connection) out["revokes_connection"] = true;
  out["signals"] = shown_signals(e.signals);
  if (!e.issues.empty()) out["issues"] = shown_issues(e.issues);
  return out;
}

json::object shown(const sync_trace& run) {
  constexpr std::string_view classes[]{"unauthorized", "rate_limited", "transient", "permanent"};
  json::array calls;
  std::size_t items = 0, unmapped = 0, rejected = 0;
  for (const auto& c : run.calls) {
    calls.push_back(json::string{c.method + " " + c.url});
    if (!c.body.empty()) calls.push_back(parse_json(c.body).value());
  }
  for (const auto& page : run.pages) {
    items += page.items;
    unmapped += page.unmapped;
    rejected += page.rejected.size();
  }
  json::object out{{"calls", std::move(calls)}, {"pages", run.pages.size()}, {"items", items}};
  if (unmapped > 0) out["unmapped"] = unmapped;
  if (rejected > 0) out["rejected"] = rejected;
  if (run.failure) {
    out["failure"] = classes[static_cast<std::size_t>(run.failure->what)];
    out["message"] = run.failure->message;
    if (run.failure->hint) out["hint"] = run.failure->hint->count();
  }
  out["cursor"] = parse_json(run.cursor()).value();
  out["signals"] = shown_signals(run.signals());
  json::array issues, resources;
  for (const auto& page : run.pages) {
    for (const auto& one : page.issues) issues.push_back(shown_issue(one));
    for (const auto& [ids, workspaces, label] : page.resources)
      resources.push_back({{"ids", texts(ids)}, {"workspaces", texts(workspaces)}, {"label", label}});
  }
  if (!issues.empty()) out["issues"] = std::move(issues);
  if (!resources.empty()) out["resources"] = std::move(resources);
  return out;
}

}  // namespace

result<recorded_delivery> read_delivery(const json::object& fixture) {
  recorded_delivery out;
  object_reader in{fixture};
  out.received_at = in.optional_time("received_at").value_or(recorded_at);
  if (auto key = in.optional_text("secret", {.min = 1})) out.key = secret{std::move(*key)};
  out.proof.variant = in.optional_text("variant", {}).value_or("");
  const auto* request = in.optional_object("request");
  if (request == nullptr) in.refuse("request", "is required");
  if (const auto finished = in.finish(); !finished) return refusal_of(finished.error());
  object_reader sent{*request, "request"};
  out.headers = read_headers(sent);
  if (const auto text = sent.optional_text("body_text", {}))
    out.body = *text;
  else if (const auto* body = request->if_contains("body"))
    out.body = json::serialize(*body);
  else
    sent.refuse("body", "is required, or body_text");
  if (const auto finished = sent.finish(); !finished) return refusal_of(finished.error());
  return out;
}

result<recorded_sync> read_sync(const json::object& fixture) {
  recorded_sync out;
  object_reader in{fixture};
  const auto* connection = in.optional_object("connection");
  if (connection == nullptr) in.refuse("connection", "is required");
  if (const auto* cursor = in.optional_object("cursor")) out.cursor = json::serialize(*cursor);
  out.discovery = in.optional_boolean("discovery").value_or(false);
  const auto* answers = fixture.if_contains("answers");
  if (answers == nullptr || !answers->is_array()) in.refuse("answers", "must be a list");
  if (const auto finished = in.finish(); !finished) return refusal_of(finished.error());
  object_reader account{*connection, "connection"};
  out.context.external_id = account.text("external_id", {});
  if (const auto* metadata = account.optional_object("metadata")) out.context.metadata = *metadata;
  out.context.region = account.optional_text("region", {}).value_or("");
  if (const auto finished = account.finish(); !finished) return refusal_of(finished.error());
  for (const auto& one : answers->as_array()) {
    auto answer = read_answer(one, "answers[" + std::to_string(out.answers.size()) + "]");
    if (!answer) return answer.error();
    out.answers.push_back(std::move(*answer));
  }
  return out;
}

result<meaning> replay(const definition& provider, const recorded_delivery& delivery) {
  const webhook_request request{delivery.headers, delivery.body, delivery.received_at};
  if (delivery.key) {
    const auto proven = verify(provider, delivery.proof, delivery.key->reveal(), request, nullptr);
    if (!proven) {
      const auto why = proven.error();  // by value: nothing may point into the temporary
      return refusal("secret",
                     "does not prove the delivery: " + std::string{why.details().at("reason").as_string()});
    }
  }
  const auto found = examine(provider, request, true);
  meaning out{shown(found), {}, found.issues.size()};
  for (const auto& s : found.signals) out.kinds.insert(s.kind);
  if (found.queues_sync) out.kinds.emplace(name_of(rule_effect::queue_sync));
  if (found.revokes_connection) out.kinds.emplace(name_of(rule_effect::revoke_connection));
  return out;
}

result<meaning> replay(const definition& provider, const recorded_sync& recorded) {
  if (recorded.discovery && !provider.tracker) return refusal("discovery", "the definition has no tracker");
  std::size_t next = 0;
  const auto answer = [&](const auto&) {
    const auto at = next++;
    return at < recorded.answers.size() ? recorded.answers[at]
                                        : http_response{.failure = call_failure::network_error};
  };
  const auto run =
      recorded.discovery
          ? follow(sync_run::discovery(provider, recorded.context, {}, recorded_at), answer, recorded_at)
          : run_sync(provider, recorded.context, recorded.cursor, answer, recorded_at);
  if (next > recorded.answers.size())
    return refusal("answers",
                   "no answer was recorded for " + run.calls.back().method + " " + run.calls.back().url);
  if (next < recorded.answers.size())
    return refusal("answers[" + std::to_string(next) + "]", "was not asked for");
  meaning out{shown(run), {}};
  for (const auto& page : run.pages) {
    out.issues += page.issues.size();
    out.resources += page.resources.size();
  }
  for (const auto& s : run.signals()) out.kinds.insert(s.kind);
  return out;
}

std::vector<draft_signal> sync_trace::signals() const {
  std::vector<draft_signal> out;
  for (const auto& page : pages) out.insert(out.end(), page.signals.begin(), page.signals.end());
  return out;
}

sync_trace run_sync(const definition& provider, sync_context context, std::string_view cursor,
                    const answering& answer, timestamp now, std::size_t most_pages, sync_limits limits) {
  return follow({provider, std::move(context), cursor, limits, now}, answer, now, most_pages);
}

sync_trace follow(sync_run run, const answering& answer, timestamp now, std::size_t most_pages) {
  sync_trace out;
  while (out.pages.size() < most_pages && out.calls.size() < most_calls) {
    auto request = run.next();
    if (auto* failure = std::get_if<sync_failure>(&request)) {
      out.failure = std::move(*failure);
      break;
    }
    out.calls.push_back(std::get<http_request>(request));
    auto step = run.take(answer(out.calls.back()), now);
    if (auto* failure = std::get_if<sync_failure>(&step)) {
      out.failure = std::move(*failure);
      break;
    }
    auto* page = std::get_if<sync_page>(&step);
    if (page == nullptr) continue;
    out.pages.push_back(std::move(*page));
    if (!out.pages.back().more || out.pages.back().limit_reached) break;
  }
  out.without_progress = run.without_progress();
  return out;
}

}  // namespace connectord::provider
