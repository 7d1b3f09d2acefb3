#pragma once

#include "domain/tracker/model.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a client publishes: a body is read once, strictly, before anything is stored (contract
/// tracker-api, 4.2, 4.3).
namespace connectord::tracker {

struct resource_key {
  std::string type, id;
  friend bool operator==(const resource_key&, const resource_key&) = default;
};

/// Everything that decides where a snapshot lands (4.4).
struct snapshot_route {
  tracker::provider provider{};
  std::string workspace;
  std::optional<resource_key> resource;
  std::optional<std::string> project_uuid_text;  ///< as sent; nothing for null or absent
  std::optional<uuid> project_uuid;              ///< nothing also for a text that is no UUID
  std::optional<std::string> project_slug;       ///< shown, never used to route

  /// Under which an Idempotency-Key is unique (4.3).
  std::string scope() const;
};

struct snapshot_warning {
  std::string code, message, path;
  std::string details{"{}"};  ///< a JSON object, as text
  std::size_t at = 0;         ///< place in the body, for document order
};

/// A row that links a work package to an issue of this provider.
struct mapping_row {
  std::size_t index = 0;  ///< in the body's array: `mappings[index]`
  std::size_t at = 0;     ///< see snapshot_warning
  std::string wp_id;
  identity target;
  std::optional<std::string> key, url;
};

struct snapshot_counts {
  int issues = 0, issues_ignored = 0;  ///< sent, and of those left out as another system's
  int mappings = 0, mappings_ignored = 0;
};

struct snapshot_body {
  snapshot_route route;
  doctrine reported;
  std::vector<issue_content> issues;  ///< without those of other systems
  std::vector<mapping_row> mappings;  ///< likewise
  snapshot_counts counts;
  std::vector<snapshot_warning> warnings;                ///< in document order
  std::size_t project_uuid_at = 0, project_slug_at = 0;  ///< for warnings that routing adds
  std::string digest;                                    ///< `body_digest`: lower hex
};

/// 400 `invalid_json`: no UTF-8, no JSON, no object, or nested too deep.
struct unreadable_body {};

/// 413 `payload_too_large`.
struct oversized_body {
  std::string_view limit;  ///< "issues" or "mappings"
  std::size_t max = 0, actual = 0;
};

struct field_error {
  std::string path;  ///< `issues[3].ref.id`
  field_code code{};
  std::string message;  ///< a sentence for people; names the path, never a value
};

/// 400 `validation_error`. The route stands if every member of it was valid: such a body may still be
/// recorded as a rejected run of the binding that it would have hit (4.6).
struct refused_body {
  std::vector<field_error> errors;  ///< the first 50, in document order
  std::optional<snapshot_route> route;
};

using snapshot_reading = std::variant<snapshot_body, refused_body, oversized_body, unreadable_body>;

/// Reads inflated bytes. Of duplicate members the last one counts; unknown members only count for the digest.
snapshot_reading read_snapshot(std::string_view text, const policy& limits);

/// Sorts into document order and keeps the first 100: for a list that ingestion has added to.
void in_document_order(std::vector<snapshot_warning>& warnings);

}  // namespace connectord::tracker
