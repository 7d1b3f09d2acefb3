#pragma once

#include "domain/oauth/refresh.hpp"
#include "storage/session.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The record that a refresh was begun, and the tokens that it ends with (contract, 8.5). Whatever a
/// function here writes, it writes in the caller's transaction.
namespace connectord::storage {

enum class intent_claim {
  opened,   ///< ours, and the first with this refresh token
  retaken,  ///< ours; whoever had it died or lost its lease, so the token may have been presented before
  busy,     ///< somebody else's, who is at it
  stale,    ///< other tokens are stored by now, or the connection is revoked
};
struct claimed_intent {
  intent_claim outcome = intent_claim::stale;
  oauth::refresh_intent intent;  ///< the one that is open, unless `stale`
};
/// Of several callers one gets `opened` or `retaken`.
result<claimed_intent> claim_refresh_intent(session& s, tenant_id tenant,
                                            const oauth::refresh_intent& wanted);
result<std::optional<oauth::refresh_intent>> find_open_intent(session& s, tenant_id tenant, connection_id id);

/// What a refresh stores, sealed.
struct refreshed_tokens {
  std::string access;
  std::optional<std::string> refresh;  ///< absent: the one that was presented stays
  bool with_previous = false;          ///< the previous refresh token was presented
  std::optional<timestamp> expires_at;
  std::vector<std::string> scopes;  ///< empty: as before
};
/// Compare and set on the epoch: the tokens, status `active`, `metadata.last_refreshed_at`, and the end of
/// the intent. False, with nothing but the intent's end written, when the epoch has moved.
result<bool> store_refreshed(session& s, tenant_id tenant, const oauth::refresh_intent& mine,
                             const refreshed_tokens& tokens, timestamp now);
/// Status `error` with that reason, and the end of the intent; false as above.
result<bool> store_refusal(session& s, tenant_id tenant, const oauth::refresh_intent& mine,
                           std::string_view reason, timestamp now);
/// The end of a try that is repeated later.
result<> close_refresh_intent(session& s, tenant_id tenant, const oauth::refresh_intent& mine);
/// The intent stays open for whoever tries next.
result<> release_refresh_intent(session& s, tenant_id tenant, const oauth::refresh_intent& mine,
                                timestamp now);

/// Of all tenants: the leases of a process that is known to be dead.
result<std::int64_t> expire_refresh_leases(session& s, timestamp now);

}  // namespace connectord::storage
