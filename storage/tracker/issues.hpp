#pragma once

#include "domain/tracker/diff.hpp"
#include "domain/tracker/queries.hpp"
#include "domain/tracker/records.hpp"
#include "storage/session.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::storage {

/// What a snapshot compares with: everything of an issue but its content.
struct issue_mark {
  tracker::issue_id id;
  tracker::identity ref;
  tracker::content_mark mark;
  bool absent = false;
};
/// All of a binding's.
result<std::vector<issue_mark>> issue_marks(session& s, tenant_id tenant, tracker::binding_id binding);

/// An incoming issue with what stands for its content.
struct marked_issue {
  tracker::issue_id id;
  const tracker::issue_content* content;
  const tracker::content_mark* mark;
};
result<> insert_issues(session& s, tenant_id tenant, tracker::binding_id binding,
                       std::span<const marked_issue> rows, timestamp now);
/// Content only.
result<> update_issues(session& s, tenant_id tenant, std::span<const marked_issue> rows);
/// `seen` is the newest evidence before the one that lacks them.
struct last_evidence {
  std::optional<timestamp> at;
  std::optional<tracker::snapshot_id> receipt;
};
result<> mark_absent(session& s, tenant_id tenant, std::span<const tracker::issue_id> ids,
                     const last_evidence& seen);
result<> mark_present(session& s, tenant_id tenant, std::span<const tracker::issue_id> ids);

/// With their bodies: those of an external id in any of these workspaces.
result<std::vector<tracker::issue>> find_issues(session& s, tenant_id tenant, tracker::binding_id binding,
                                                std::string_view system, std::string_view external_id,
                                                const std::vector<std::string>& workspaces);

result<bool> issue_is_present(session& s, tenant_id tenant, tracker::binding_id binding,
                              const tracker::identity& target);
/// What drift is looked for in: content without bodies, of these or of all of the binding's.
result<std::vector<tracker::issue_content>> issue_contents(
    session& s, tenant_id tenant, tracker::binding_id binding,
    const std::optional<std::span<const tracker::identity>>& targets);

/// By workspace and external id, bytewise. `with_body`: else it is left out.
result<std::vector<tracker::issue_view>> list_issues(session& s, tenant_id tenant,
                                                     const tracker::issue_filter& filter,
                                                     const std::optional<sort_key>& after, int limit,
                                                     bool with_body);
/// With their bodies, by `system:workspace:id` byte by byte, behind the one of that id.
result<std::vector<tracker::issue>> issues_by_identity(session& s, tenant_id tenant,
                                                       const tracker::issue_filter& filter,
                                                       const std::optional<tracker::issue_id>& after,
                                                       int limit);
/// With their bodies; those that do not say when they changed come last.
result<std::vector<tracker::issue>> newest_issues(session& s, tenant_id tenant,
                                                  const tracker::issue_filter& filter, int limit);
/// NOT_FOUND when there is none of that id.
result<tracker::issue_view> view_issue(session& s, tenant_id tenant, tracker::issue_id id);

}  // namespace connectord::storage
