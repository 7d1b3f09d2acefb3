#include "domain/oauth/answer.hpp"

#include "base/form.hpp"
#include "base/json.hpp"
#include "domain/retry_hint.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace connectord::oauth {
namespace {

using namespace std::string_view_literals;

/// Refusals after which the grant is gone until the user consents again.
constexpr std::array permanent{"invalid_grant"sv,          "invalid_client"sv,       "unauthorized_client"sv,
                               "access_denied"sv,          "bad_refresh_token"sv,    "revoked"sv,
                               "unsupported_grant_type"sv, "invalid_refresh_token"sv};
constexpr seconds longest_life{10LL * 365 * 86'400};  // keeps hostile numbers out of the arithmetic of times
constexpr seconds unnamed_pause{60};                  // after a 429 that names none
constexpr std::size_t max_token = 16 * 1024;

failure malformed(int status) {
  return {.status = status, .error = "malformed_response", .reason{}, .retry_after{}};
}

std::string_view error_name(call_failure f) {
  return f == call_failure::too_large ? name_of(call_failure::malformed_response) : name_of(f);
}

/// The answer as an object, whether it is JSON or a form.
std::optional<json::object> document_of(const http_response& response) {
  if (auto object = parse_json_object(response.body)) return std::move(*object);
  const auto type = response.header("content-type");
  if (!type || !type->starts_with("application/x-www-form-urlencoded") || !is_utf8(response.body))
    return std::nullopt;
  const auto fields = form_decoded(response.body);
  if (!fields) return std::nullopt;
  json::object out;
  for (const auto& [name, value] : *fields)
    if (is_utf8(name) && is_utf8(value)) out[name] = value;
  return out;
}

std::string_view text_of(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
}

/// Goes into a header as it is: visible ASCII only.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= max_token &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<double> number_of(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) return value->to_number<double>();
  const auto text = trimmed(text_of(o, name));
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<timestamp> expiry_of(const json::object& o, timestamp now) {
  const auto life = number_of(o, "expires_in");
  if (!life || !(*life > 0)) return std::nullopt;
  const auto bounded = std::min(*life, static_cast<double>(longest_life.count()));
  return now + milliseconds{std::llround(bounded * 1000)};
}

/// Separated by spaces or commas, whatever the provider asks for.
std::vector<std::string> scopes_of(const json::object& o) {
  std::vector<std::string> out;
  auto text = text_of(o, "scope");
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(" ,"), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// An OAuth refusal by its name; 5xx and 429 speak for themselves, whatever the body says.
failure refusal_of(std::string_view name, const http_response& response, timestamp now) {
  auto out = failure_of(response, now).value_or(failure{.status = response.status, .error = "http_error"});
  const auto* known = std::ranges::find(permanent, name);
  if (known == permanent.end() || out.status >= 500 || out.kind == failure_class::rate_limited) return out;
  out.kind = failure_class::permanent;
  out.reason = *known;
  if (*known == "invalid_grant" || *known == "invalid_client") out.error = *known;
  return out;
}

bool says_no(const json::object& o) {
  const auto* ok = o.if_contains("ok");
  return o.contains("error") || (ok != nullptr && ok->is_bool() && !ok->get_bool());
}

}  // namespace

error as_error(const failure& f, std::string_view provider) {
  auto out = error{errc::provider_error}.with("provider",
                                              {{"name", provider}, {"status", f.status}, {"error", f.error}});
  if (f.kind != failure_class::rate_limited) return out;
  return std::move(out).retry_in(static_cast<int>(f.retry_after.value_or(unnamed_pause).count()));
}

std::optional<failure> failure_of(const http_response& response, timestamp now) {
  failure out{.status = response.status, .error = "http_error", .reason{}, .retry_after{}};
  if (response.failure != call_failure::none) {
    out.error = error_name(response.failure);
    return out;
  }
  if (response.ok()) return std::nullopt;
  if (response.status == 429) {
    out.error = "rate_limited";
    out.kind = failure_class::rate_limited;
  }
  if (response.status == 429 || response.status == 503) out.retry_after = retry_after(response, now);
  return out;
}

token_answer read_token_answer(const http_response& response, timestamp now) {
  if (response.failure != call_failure::none) return *failure_of(response, now);
  const auto document = document_of(response);
  if (document && says_no(*document)) return refusal_of(text_of(*document, "error"), response, now);
  if (const auto failed = failure_of(response, now)) return *failed;
  if (!document) return malformed(response.status);
  const auto access = text_of(*document, "access_token"), refresh = text_of(*document, "refresh_token");
  if (!is_token(access) || refresh.size() > max_token) return malformed(response.status);
  token_set out{.access = secret{std::string{access}},
                .refresh{},
                .expires_at = expiry_of(*document, now),
                .scopes = scopes_of(*document),
                .document = secret{json::serialize(*document)}};
  if (!refresh.empty()) out.refresh = secret{std::string{refresh}};
  return out;
}

}  // namespace connectord::oauth
