#pragma once

#include "base/json.hpp"
#include "domain/connection.hpp"
#include "domain/provider/draft_signal.hpp"
#include "domain/provider/tracker_issue.hpp"
#include "domain/provider/verify.hpp"

namespace connectord::provider {

/// Everything that one delivery says.
struct examination {
  std::optional<std::string> challenge;  ///< to be answered; nothing is stored then
  std::optional<std::string> event_type, provider_delivery_id;
  std::string dedupe_id;
  std::string body_sha256;  ///< hex
  bool body_is_json = false;
  std::vector<identity> candidates;                    ///< best first
  std::optional<std::string> connection_hint;          ///< the delivery names the connection itself
  delivery_status outcome = delivery_status::ignored;  ///< processed, ignored or failed
  std::optional<std::string> error;  ///< why it failed, or which items of a batch did; no content
  std::vector<draft_signal> signals;
  bool queues_sync = false, revokes_connection = false;
  bool unmapped = false;              ///< understood, but no rule knows the event
  std::vector<tracker_issue> issues;  ///< only where they are asked for
};

/// Pure and total: every body, whatever its bytes, has exactly one outcome.
examination examine(const definition& provider, const webhook_request& request, bool with_issues = false);

/// By which deliveries find a connection; goes to the unique index when the connection is stored.
std::vector<identity> identities_of(const definition& provider, std::string_view external_id,
                                    const json::object& metadata);

}  // namespace connectord::provider
