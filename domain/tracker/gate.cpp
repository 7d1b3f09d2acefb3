#include "domain/tracker/gate.hpp"

#include "base/crypto.hpp"
#include "domain/tracker/text.hpp"

#include <boost/json/value.hpp>

#include <array>

namespace connectord::tracker {
namespace {

constexpr std::string_view signature_scheme = "sha256=";

/// A text member of a nested object, without a complaint when it is not there.
std::string_view text_at(const json::object& o, std::string_view outer, std::string_view inner) {
  const auto* nested = o.if_contains(outer);
  const auto* object = nested ? nested->if_object() : nullptr;
  const auto* text = object ? object->if_contains(inner) : nullptr;
  return text && text->is_string() ? std::string_view{text->get_string()} : std::string_view{};
}

std::optional<std::int64_t> first_pull_request(const json::object& check) {
  const auto* list = check.if_contains("pull_requests");
  const auto* rows = list ? list->if_array() : nullptr;
  const auto* first = rows && !rows->empty() ? rows->front().if_object() : nullptr;
  const auto* number = first ? first->if_contains("number") : nullptr;
  return number && number->is_int64() ? std::optional{number->get_int64()} : std::nullopt;
}

struct check_run {
  std::string name, conclusion;
  std::int64_t id = 0;
  std::optional<std::string> url;
  std::optional<timestamp> completed_at;
  std::optional<std::int64_t> pull_request;
};

result<check_run> read_check(const json::object& body) {
  static const json::object nothing;
  const auto* member = body.if_contains("check_run");
  const auto& object = member && member->is_object() ? member->get_object() : nothing;
  object_reader r{object, "check_run"};
  check_run c;
  c.name = r.text("name", {.min = 1});
  c.conclusion = r.text("conclusion", {.min = 1});
  const auto id = r.optional_integer("id", 0, std::numeric_limits<std::int64_t>::max());
  if (!id && r.ok()) r.refuse("id", "is required");
  if (const auto ok = r.finish(); !ok) return ok.error();
  c.id = *id;
  if (const auto url = text_at(body, "check_run", "html_url"); !url.empty()) c.url = url;
  c.completed_at = parse_rfc3339(text_at(body, "check_run", "completed_at"));
  c.pull_request = first_pull_request(object);
  return c;
}

std::string payload_of(const check_run& c, std::string_view delivery) {
  std::string out;
  json_writer w{out};
  w.open().member("gate_name", c.name).member("gate_type", "ci").member("conclusion", c.conclusion);
  w.member("external_provider", "github").member("check_run_id", c.id).member("check_run_url", c.url);
  w.member("delivery_id", delivery).member("pr_number", c.pull_request).close();
  return out;
}

}  // namespace

std::optional<gate_finding> finding_of(std::string_view conclusion) {
  struct known {
    std::string_view conclusion;
    gate_finding finding;
  };
  static constexpr auto table = std::to_array<known>({{"success", gate_finding::passed},
                                                      {"failure", gate_finding::failed},
                                                      {"timed_out", gate_finding::failed},
                                                      {"cancelled", gate_finding::failed},
                                                      {"action_required", gate_finding::failed},
                                                      {"neutral", gate_finding::ignored},
                                                      {"skipped", gate_finding::ignored},
                                                      {"stale", gate_finding::ignored}});
  for (const auto& k : table)
    if (k.conclusion == conclusion) return k.finding;
  return std::nullopt;
}

std::string secret_scope(const tenant_id& t, const gate_id& id) { return t.str() + "|gate|" + id.str(); }

bool proves(const std::optional<std::string>& signature, std::string_view secret, std::string_view body) {
  if (!signature || !signature->starts_with(signature_scheme)) return false;
  const auto sent = from_hex(std::string_view{*signature}.substr(signature_scheme.size()));
  return sent && equal_in_constant_time(*sent, bytes_of(hmac_sha256(secret, body)));
}

result<json::object> read_delivery(const gate& g, const gate_delivery& d) {
  if (!d.event) return invalid("X-GitHub-Event", "is required");
  if (!d.id) return invalid("X-GitHub-Delivery", "is required");
  auto body = parse_json_object(d.body);
  if (!body) return body.error();
  if (text_at(*body, "repository", "full_name") != g.repository) return error{errc::repository_mismatch};
  return body;
}

result<gate_report> report_of(const gate_delivery& d, const json::object& body, timestamp now) {
  gate_report r;
  if (d.event == "ping") r.finding = gate_finding::pong;
  const auto* action = body.if_contains("action");
  const bool completed = action && action->is_string() && action->get_string() == "completed";
  if (d.event != "check_run" || !completed) return r;
  auto check = read_check(body);
  if (!check) return check.error();
  const auto finding = finding_of(check->conclusion);
  if (!finding) return error{errc::unknown_conclusion};
  r.finding = *finding;
  if (r.finding == gate_finding::ignored) return r;
  r.payload = payload_of(*check, *d.id);
  r.occurred_at = check->completed_at.value_or(now);
  r.check = std::move(check->name);
  r.conclusion = std::move(check->conclusion);
  return r;
}

activity activity_of(const gate_report& r, const project& p, timestamp now) {
  const bool passed = r.finding == gate_finding::passed;
  activity a;
  a.id = activity_id::make();
  a.type = passed ? "GatePassed" : "GateFailed";
  a.occurred_at = r.occurred_at;
  a.recorded_at = now;
  a.project = p.id;
  a.project_slug = p.slug;
  a.actor = {actor_kind::webhook, "github"};
  a.summary = shortened("Gate " + r.check + (passed ? " passed" : " failed: " + r.conclusion));
  a.url = "/dashboard/projects/" + p.id.str();
  a.payload = r.payload;
  return a;
}

}  // namespace connectord::tracker
