#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace connectord {

/// The closed registry of kinds (contract, 7.1). Nothing else is ever stored.
inline constexpr std::array<std::string_view, 29> signal_kinds{"issue_created",
                                                               "issue_updated",
                                                               "issue_closed",
                                                               "issue_reopened",
                                                               "issue_resolved",
                                                               "issue_comment",
                                                               "pr_opened",
                                                               "pr_closed",
                                                               "pr_merged",
                                                               "pr_reopened",
                                                               "pr_updated",
                                                               "pr_review",
                                                               "code_pushed",
                                                               "release_published",
                                                               "message_posted",
                                                               "message_updated",
                                                               "message_deleted",
                                                               "reaction_added",
                                                               "file_created",
                                                               "file_updated",
                                                               "file_deleted",
                                                               "file_moved",
                                                               "calendar_event_created",
                                                               "calendar_event_updated",
                                                               "calendar_event_deleted",
                                                               "email_received",
                                                               "email_sent",
                                                               "email_updated",
                                                               "email_deleted"};

constexpr bool is_signal_kind(std::string_view kind) {
  for (const auto k : signal_kinds)
    if (k == kind) return true;
  return false;
}

struct signal {
  signal_id id;
  std::string provider;
  connection_id connection;
  std::string kind;
  std::string entity, entity_version;
  timestamp occurred_at{}, received_at{};
  std::string payload;     ///< a JSON object, as text
  std::string dedupe_key;  ///< unique per tenant and provider
  std::optional<delivery_id> delivery;
  std::optional<job_id> job;
};

}  // namespace connectord
