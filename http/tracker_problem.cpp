#include "http/tracker_problem.hpp"

#include "base/json.hpp"
#include "http/problem.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

constexpr std::size_t most_errors = 50;

/// What the readers of members and parameters complain of, as a code.
std::string_view code_of(std::string_view reason) {
  struct known {
    std::string_view reason, code;
  };
  constexpr auto reasons = std::to_array<known>({{"is required", "required"},
                                                 {"is too long", "too_long"},
                                                 {"must be a string", "invalid_type"},
                                                 {"must be true or false", "invalid_type"},
                                                 {"must be an object", "invalid_type"},
                                                 {"must be an array of strings", "invalid_type"},
                                                 {"must be an RFC 3339 time", "invalid_time"},
                                                 {"must be an RFC 3339 timestamp", "invalid_time"}});
  const auto found = std::ranges::find(reasons, reason, &known::reason);
  return found == reasons.end() ? "unsupported_value" : found->code;
}

/// The readers note one detail for each offender, and name the first one in `field`.
json::object errors_of(const json::object& noted) {
  if (noted.contains("errors")) return noted;
  json::array errors;
  for (const auto& [path, reason] : noted) {
    if (path == "field" || !reason.is_string() || errors.size() == most_errors) continue;
    errors.push_back(
        json::object{{"path", path}, {"code", code_of(reason.get_string())}, {"message", reason}});
  }
  return {{"errors", std::move(errors)}};
}

json::object details_of(const error& e) {
  if (e.code() == errc::validation_failed) return errors_of(e.details());
  auto details = e.details();
  if (e.code() == errc::forbidden && details.contains("required_scope"))
    return {{"required", details.at("required_scope")}};
  return details;
}

/// Of invalid members the first one says more than the general sentence.
std::string message_of(const error& e, const json::object& details) {
  const auto* errors = details.if_contains("errors");
  if (e.has_own_message() || !errors || !errors->is_array() || errors->get_array().empty())
    return std::string{e.message()};
  const auto& first = errors->get_array().front().as_object();
  const std::string_view path = first.at("path").as_string(), message = first.at("message").as_string();
  return message.starts_with(path) ? std::string{message} : std::string{path} + " " + std::string{message};
}

std::string title_of(std::string_view code) {
  std::string title{code};
  std::ranges::replace(title, '_', ' ');
  title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

struct outcome_facts {
  bool in_doubt, retryable;
  std::optional<std::int64_t> retry_after;
};
outcome_facts facts_of(const error& e, int status) {
  outcome_facts f{e.code() == errc::commit_in_doubt, false, std::nullopt};
  f.retryable = status == 429 || status == 503 || (status == 500 && !f.in_doubt);
  if (f.retryable) f.retry_after = std::max(e.retry_after().value_or(1), 1);
  return f;
}

void write_status(json_writer& w, errc code, std::string_view category, int status) {
  if (code == errc::project_not_admitted)
    w.member("status", "rejected").member("error_category", category);
  else
    w.member("status", status);
}

}  // namespace

std::optional<std::string_view> well_formed_key(const request& r) noexcept {
  const auto key = r.header("idempotency-key");
  if (!key || key->empty() || key->size() > 255 || r.head.count("idempotency-key") != 1) return std::nullopt;
  const bool visible = std::ranges::all_of(*key, [](char c) { return c > ' ' && c < 127; });
  return visible ? key : std::nullopt;
}

response tracker_problem(const error& e, const request& r) {
  const auto& traits = traits_of(e.code());
  const bool unprocessable = e.code() == errc::validation_failed && r.dialect == dialect::facade;
  const int status = unprocessable ? 422 : traits.tracker_status;
  const auto details = details_of(e);
  const auto message = message_of(e, details);
  const auto [in_doubt, retryable, retry_after] = facts_of(e, status);
  response out{status, r.dialect == dialect::tracker ? "application/problem+json" : "application/json"};
  json_writer w{out.body};
  w.open().member("type", "urn:connectord:error:" + std::string{traits.tracker_code});
  w.member("title", title_of(traits.tracker_code));
  write_status(w, e.code(), traits.category, status);
  w.member("code", traits.tracker_code).member("error_code", traits.tracker_code);
  w.member("category", traits.category).member("message", message).member("detail", message);
  w.member("retryable", retryable).member("retry_after_seconds", retry_after);
  w.member("retry_after", retry_after).member("user_action_required", e.code() == errc::no_installation);
  w.member("source", "saas").raw_member("provider", "null").member("http_status", status);
  w.raw_member("operation_id", "null").member("idempotency_key", well_formed_key(r));
  w.member("effect_certainty", in_doubt ? "unknown" : "no_effect");
  const auto* events = e.code() == errc::project_not_admitted ? details.if_contains("events") : nullptr;
  w.raw_member("details", events ? json::serialize(*events) : json::serialize(details));
  if (r.dialect == dialect::batch) w.member("error", message);
  w.member("trace_id", r.trace_id).close();
  if (retry_after) out.headers.emplace_back("Retry-After", std::to_string(*retry_after));
  if (status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  out.rejected_for = rejection_of(e.code());
  return out;
}

}  // namespace connectord::web
