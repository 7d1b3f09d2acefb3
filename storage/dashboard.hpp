#pragma once

#include "domain/dashboard.hpp"
#include "storage/session.hpp"

/// Doors and sessions of the dashboard. Every secret is given as the hex SHA-256 of its text.
namespace connectord::storage {

result<> insert_door(session& s, const dashboard_door& d, std::string_view secret_sha256);
/// The door, which is gone afterwards; nothing when there is none that is still open.
result<std::optional<dashboard_door>> take_door(session& s, std::string_view secret_sha256, timestamp now);

result<> insert_dashboard_session(session& s, const dashboard_session& d, std::string_view secret_sha256);
/// Nothing once it has ended, or the token that opened it was revoked or has expired.
result<std::optional<dashboard_session>> find_dashboard_session(session& s, std::string_view secret_sha256,
                                                                timestamp now);
result<> touch_dashboard_session(session& s, std::string_view secret_sha256, timestamp now);
result<> delete_dashboard_session(session& s, std::string_view secret_sha256);

/// Sessions and doors that ended before `now`, at most `limit` of each; how many were deleted.
result<std::int64_t> purge_dashboard(session& s, timestamp now, int limit);

}  // namespace connectord::storage
