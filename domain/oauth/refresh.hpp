#pragma once

#include "base/result.hpp"
#include "domain/connection.hpp"
#include "domain/oauth/answer.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// When tokens are refreshed and what an answer means for them (contract, 8.5).
namespace connectord::oauth {

inline constexpr seconds early_expiry{60};
inline constexpr std::chrono::hours previous_refresh_kept{24};
/// Status reason after a crash between the call and the store, when the second try was refused.
inline constexpr std::string_view outcome_unknown = "refresh_outcome_unknown";

/// That a refresh was begun; durable before the call. One is open per connection at most.
struct refresh_intent {
  intent_id id;
  connection_id connection;
  std::int64_t fence = 0;      ///< token epoch that the answer will have
  std::string refresh_sha256;  ///< hex, of the token that is presented
  timestamp started_at{}, lease_expires_at{};

  friend bool operator==(const refresh_intent&, const refresh_intent&) = default;
};

bool is_expired(const connection& c, timestamp now);
/// The sweep takes it: active, has a refresh token, and ends within the lead time or two ticks.
bool is_due(const connection& c, timestamp now, seconds lead, seconds tick);
/// When to refresh what is due: `dice` in [0, 1) spreads the calls over `jitter` times the lead time, but
/// never past expiry.
timestamp refresh_at(timestamp expires_at, timestamp now, seconds lead, double jitter, double dice);

/// Whether a refresh may begin: CONFLICT for a revoked connection, VALIDATION_FAILED without refresh token.
result<> may_refresh(const connection& c);

struct use_tokens {
  token_set tokens;  ///< with a refresh token only if it is a new one
};
struct refuse {
  std::string_view reason;  ///< of the connection's status `error`
};
/// The new refresh token was refused before its access token ever worked: the one before may still do.
struct try_previous {};
struct try_later {
  failure why;
  bool keep_intent = false;  ///< it stays open, because what became of the first call is still unknown
};
/// Others' tokens are stored by now, or the connection is revoked.
struct discard {};
using refresh_decision = std::variant<use_tokens, refuse, try_previous, try_later, discard>;

struct attempt {
  std::string_view presented;  ///< the refresh token that was sent
  bool retaken = false;        ///< the intent is that of a process that died or lost its lease
  bool with_previous = false;  ///< the previous refresh token was presented
};
/// `c` is the row as it stands when the answer is there.
refresh_decision decide_refresh(const connection& c, const refresh_intent& mine, const attempt& how,
                                token_answer answer, timestamp now);

/// `metadata` with `last_refreshed_at`, and that time; none: never.
std::string refreshed_metadata(std::string_view metadata, timestamp now);
std::optional<timestamp> last_refreshed(std::string_view metadata);

}  // namespace connectord::oauth
