#include "domain/provider/outcome.hpp"

#include "domain/retry_hint.hpp"

#include <algorithm>

namespace connectord::provider {
namespace {

/// A refusal for want of quota, although the status says "forbidden".
bool quota_is_spent(const http_response& answer) {
  return answer.header("x-ratelimit-remaining") == "0" || answer.header("retry-after");
}

failure_class by_status(const http_response& answer) {
  switch (answer.status) {
    case 401: return failure_class::unauthorized;
    case 429: return failure_class::rate_limited;
    case 403: return quota_is_spent(answer) ? failure_class::rate_limited : failure_class::permanent;
    case 408: return failure_class::transient;
    default:
      return answer.status >= 400 && answer.status < 500 ? failure_class::permanent
                                                         : failure_class::transient;
  }
}

/// `Retry-After`, else a reset header, else what the definition says.
std::optional<seconds> hint_of(const sync_facts& facts, const http_response& answer, const scene& s,
                               failure_class what, timestamp now) {
  if (const auto asked = retry_after(answer, now)) return asked;
  if (what != failure_class::rate_limited) return std::nullopt;
  if (const auto reset = first_time(facts.reset, s)) return pause_until(*reset, now);
  return facts.limited_for.count() > 0 ? std::optional{facts.limited_for} : std::nullopt;
}

}  // namespace

std::optional<call_outcome> outcome_of(const sync_facts& facts, const http_response& answer, const scene& s,
                                       timestamp now) {
  if (answer.status == 0)
    return call_outcome{failure_class::transient, std::nullopt,
                        "no answer: " + std::string{name_of(answer.failure)}};
  const auto fits = std::ranges::find_if(facts.errors, [&](const auto& e) { return holds(e.when, s); });
  if (fits == facts.errors.end() && answer.ok()) return std::nullopt;
  const auto what = fits == facts.errors.end() ? by_status(answer) : fits->what;
  const auto* const with = answer.ok() ? " with an error" : "";
  return call_outcome{what, hint_of(facts, answer, s, what, now),
                      "the provider answered " + std::to_string(answer.status) + with};
}

}  // namespace connectord::provider
