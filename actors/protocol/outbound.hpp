#pragma once

#include "actors/protocol/message.hpp"
#include "domain/http.hpp"
#include "domain/ids.hpp"

#include <optional>
#include <string>

namespace connectord {

/// One call to a provider. Answered with whatever came of it, also when that is nothing.
struct send_request : message {
  send_request(std::optional<tenant_id> t, std::string p, http_request r, steady_time d)
      : tenant(t), provider(std::move(p)), request(std::move(r)), deadline(d) {}

  std::optional<tenant_id> tenant;  ///< for fairness; absent for the service's own calls
  std::string provider;             ///< for the log; may be empty
  http_request request;
  steady_time deadline;  ///< the client's own limits may be shorter
};

struct http_answered : message {
  explicit http_answered(http_response r) : response(std::move(r)) {}
  http_response response;
};

using outbound_actor = typed_actor<replies<send_request, http_answered>>;  // The only way out.

}  // namespace connectord
