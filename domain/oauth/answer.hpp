#pragma once

#include "base/error.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"
#include "domain/http.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What an authorization server's answers mean. They are hostile input.
namespace connectord::oauth {

struct token_set {
  secret access;
  std::optional<secret> refresh;
  std::optional<timestamp> expires_at;  ///< absent: never refreshed by time
  std::vector<std::string> scopes;      ///< empty when the answer names none
  secret document;                      ///< the whole answer as a JSON object, for the facts of the account
};

enum class failure_class : std::uint8_t { transient, rate_limited, permanent };

/// Why a provider gave us nothing. Its names are ours: no text of the provider's gets out.
struct failure {
  int status = 0;          ///< 0: no answer
  std::string_view error;  ///< a name of the contract, 5.4
  failure_class kind = failure_class::transient;
  std::string_view reason;  ///< of a permanent one: a name of the contract, 8.5
  std::optional<seconds> retry_after;
};
/// PROVIDER_ERROR as the contract words it (5.4).
error as_error(const failure& f, std::string_view provider);
/// What the status, or its absence, says; nothing for a 2xx.
std::optional<failure> failure_of(const http_response& response, timestamp now);

using token_answer = std::variant<token_set, failure>;
token_answer read_token_answer(const http_response& response, timestamp now);

}  // namespace connectord::oauth
