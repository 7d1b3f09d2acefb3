#include "http/problem.hpp"

#include "base/json.hpp"

#include <boost/json/serialize.hpp>

namespace connectord::web {

response problem(const error& e, std::string_view trace_id) {
  const auto& traits = traits_of(e.code());
  response out{traits.http_status, "application/problem+json"};
  json_writer w{out.body};
  w.open().member("code", traits.code).member("message", e.message());
  if (!e.details().empty()) w.raw_member("details", json::serialize(e.details()));
  w.member("retry_after", e.retry_after() ? std::optional<std::int64_t>{*e.retry_after()} : std::nullopt);
  w.member("trace_id", trace_id).close();
  if (e.retry_after()) out.headers.emplace_back("Retry-After", std::to_string(*e.retry_after()));
  if (out.status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

}  // namespace connectord::web
