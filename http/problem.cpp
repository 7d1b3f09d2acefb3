#include "http/problem.hpp"

#include "base/json.hpp"
#include "http/tracker_problem.hpp"

#include <boost/json/serialize.hpp>

#include <array>

namespace connectord::web {

dialect dialect_at(std::string_view path) noexcept {
  struct place {
    std::string_view prefix;
    dialect spoken;
  };
  constexpr auto places = std::to_array<place>({{"/api/v1/tracker", dialect::facade},
                                                {"/api/v1/connectors", dialect::tracker},
                                                {"/api/v1/connections", dialect::tracker},
                                                {"/api/v1/projects", dialect::tracker},
                                                {"/api/v1/activity", dialect::tracker},
                                                {"/api/v1/flags", dialect::tracker},
                                                {"/api/v1/webhooks", dialect::tracker},
                                                {"/api/v1/events", dialect::batch},
                                                {"/api/v1/me", dialect::client}});
  for (const auto& p : places) {
    if (!path.starts_with(p.prefix)) continue;
    const auto rest = path.substr(p.prefix.size());
    if (rest.empty() || rest.front() == '/') return p.spoken;
  }
  return dialect::connectors;
}

std::string_view rejection_of(errc code) noexcept {
  switch (code) {
    case errc::bad_request: return "framing";
    case errc::request_timeout: return "timeout";
    case errc::uri_too_long:
    case errc::headers_too_large: return "header_limit";
    case errc::payload_too_large: return "body_limit";
    case errc::invalid_body: return "json";  // also what is nested too deep
    case errc::rate_limited: return "rate";
    case errc::queue_full:
    case errc::service_unavailable:
    case errc::database_unavailable: return "overload";
    case errc::message_quarantined:
    case errc::tenant_unavailable:
    case errc::tenant_suspended: return "quarantine";
    case errc::unauthorized:
    case errc::invalid_signature:
    case errc::gate_signature_invalid:
    case errc::forbidden:
    case errc::tenant_scope_mismatch: return "auth";
    default: return {};
  }
}

response problem(const error& e, std::string_view trace_id) {
  const auto& traits = traits_of(e.code());
  response out{traits.http_status, "application/problem+json"};
  auto wait = e.retry_after();
  if (!wait && traits.http_status == 503) wait = 1;  // whoever is refused for now hears when to come again
  json_writer w{out.body};
  w.open().member("code", traits.code).member("message", e.message());
  if (!e.details().empty()) w.raw_member("details", json::serialize(e.details()));
  w.member("retry_after", wait ? std::optional<std::int64_t>{*wait} : std::nullopt);
  w.member("trace_id", trace_id).close();
  if (wait) out.headers.emplace_back("Retry-After", std::to_string(*wait));
  if (out.status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  out.rejected_for = rejection_of(e.code());
  return out;
}

response problem(const error& e, const request& r) {
  return r.dialect == dialect::connectors ? problem(e, r.trace_id) : tracker_problem(e, r);
}

}  // namespace connectord::web
