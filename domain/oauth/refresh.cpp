#include "domain/oauth/refresh.hpp"

#include "base/json.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace connectord::oauth {

bool is_expired(const connection& c, timestamp now) {
  return c.expires_at && *c.expires_at - early_expiry <= now;
}

bool is_due(const connection& c, timestamp now, seconds lead, seconds tick) {
  return c.status == connection_status::active && c.refresh_ciphertext && c.expires_at &&
         *c.expires_at <= now + std::max(lead, 2 * tick);
}

timestamp refresh_at(timestamp expires_at, timestamp now, seconds lead, double jitter, double dice) {
  const milliseconds spread{std::llround(static_cast<double>(milliseconds{lead}.count()) * jitter * dice)};
  return std::max(now, std::min(now + spread, expires_at - early_expiry));
}

result<> may_refresh(const connection& c) {
  if (!c.usable()) return error{errc::conflict, "The connection is revoked."};
  if (!c.refresh_ciphertext) return invalid("refresh_token", "the connection has none");
  return {};
}

refresh_decision decide_refresh(const connection& c, const refresh_intent& mine, const attempt& how,
                                token_answer answer, timestamp now) {
  if (!c.usable() || c.token_epoch + 1 != mine.fence) return discard{};
  if (auto* tokens = std::get_if<token_set>(&answer)) {
    if (tokens->refresh && tokens->refresh->reveal() == how.presented) tokens->refresh.reset();
    return use_tokens{std::move(*tokens)};
  }
  const auto& why = std::get<failure>(answer);
  if (why.kind != failure_class::permanent) return try_later{why, how.retaken};
  const bool has_previous = c.previous_refresh && c.previous_refresh->valid_until.value_or(now) > now;
  if (has_previous && !how.with_previous) return try_previous{};
  return refuse{how.retaken ? outcome_unknown : why.reason};
}

std::string refreshed_metadata(std::string_view metadata, timestamp now) {
  auto out = parse_json_object(metadata).value();  // ours: it was checked before it was stored
  out["last_refreshed_at"] = to_rfc3339(now);
  return json::serialize(out);
}

std::optional<timestamp> last_refreshed(std::string_view metadata) {
  const auto all = parse_json_object(metadata);
  const auto* at = all ? all->if_contains("last_refreshed_at") : nullptr;
  return at != nullptr && at->is_string() ? parse_rfc3339(at->as_string()) : std::nullopt;
}

}  // namespace connectord::oauth
