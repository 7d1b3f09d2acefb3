#pragma once

#include "base/json.hpp"
#include "domain/oauth/answer.hpp"
#include "domain/oauth/client.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

namespace connectord::oauth {

/// Whose tokens these are.
struct account {
  std::string external_id;
  std::optional<std::string> display_name;
  std::string metadata;  ///< a JSON object, as text
};

/// Asks the provider who consented, one call after the other: send what `next` says, give the answer
/// to `take`, until `next` says something else.
class account_machine {
 public:
  /// Definition, client and tokens stay alive as long as the machine.
  account_machine(const provider::definition& d, const client& c, const token_set& tokens);

  using step = std::variant<http_request, account, failure>;
  step next() const;
  void take(const http_response& response, timestamp now);

 private:
  step facts() const;

  const provider::definition& definition_;
  const client& client_;
  const token_set& tokens_;
  json::object answers_;  ///< by the names of their calls
  std::size_t call_ = 0;
  int status_ = 0;  ///< of the last answer
  std::optional<failure> failure_;
};

}  // namespace connectord::oauth
