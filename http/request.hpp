#pragma once

#include "base/ip_network.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "domain/delivery.hpp"
#include "http/auth.hpp"
#include "http/dialect.hpp"
#include "http/path.hpp"
#include "http/request_gate.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace connectord::web {

struct route;

/// One request on its way through admission, body and handler. Head and path are views into the
/// connection's buffer, so it stays where it is and lives until its answer is written.
class request {
 public:
  request() = default;
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  verb method = verb::get;  ///< HEAD is served by the handler of GET and stays HEAD here
  web::head head;
  web::path path;
  std::string_view query;  ///< raw, without `?`
  std::string body;
  ip_address peer{};  ///< of the socket; see client_address() for what a proxy says
  std::string trace_id;
  std::optional<std::string> traceparent;  ///< as it came in; propagated upstream
  timestamp received_at{};
  steady_time deadline{};  ///< for whoever is asked on the way
  const web::route* route = nullptr;
  web::dialect dialect = web::dialect::connectors;  ///< of errors
  /// Set before the handler runs, except on public routes and those with a proof of their own.
  std::optional<principal> who;

  std::string_view target() const noexcept { return head.target; }
  /// The first field of that name, which is given in lower case.
  std::optional<std::string_view> header(std::string_view lower) const noexcept { return head.find(lower); }
  /// Of the route's template: `/connections/{id}` has `param("id")`, decoded.
  std::string_view param(std::string_view name) const noexcept;
  /// The tenant the call is for. Only on routes whose access demands one.
  const tenant_id& tenant() const { return *who->tenant; }
  /// Every header, names in lower case.
  header_list all_headers() const;

  std::size_t body_limit() const noexcept { return body_limit_; }
  /// PAYLOAD_TOO_LARGE when the declared length is over it already. For admission hooks that know
  /// a narrower limit than the route's.
  result<> limit_body(std::size_t bytes);

  /// The text of a JSON body, parsed by nobody yet. The tracker's paths take application/json alone, and
  /// gzip: the body is inflated in place, PAYLOAD_TOO_LARGE beyond the limit, INVALID_BODY when it breaks.
  result<std::string_view> json_text();
  /// UNSUPPORTED_MEDIA_TYPE or INVALID_BODY.
  result<json::object> json_body();
  /// An empty body without content type counts as `{}`.
  result<json::object> optional_json_body();

  void reset();

 private:
  std::size_t body_limit_ = 0;
};

}  // namespace connectord::web
