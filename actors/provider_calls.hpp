#pragma once

#include "actors/protocol/tenant_work.hpp"
#include "actors/services.hpp"
#include "domain/provider/sync.hpp"

#include <optional>

/// What runs have in common that call a provider's API with a connection's token.
namespace connectord {

/// What a run has to know of its connection and of this deployment.
provider::sync_context sync_context_of(const services& s, const connection& c);

/// Which tokens one call has been made with in vain. The first that is refused is renewed, by whoever is
/// first; a second one ends the run.
class refused_tokens {
 public:
  /// The token to be renewed, for the keeper.
  const std::optional<std::int64_t>& first() const noexcept { return first_; }
  /// Takes the next token; false when it is one that was refused after the first.
  bool try_with(const lent_token& t) noexcept {
    current_ = t.epoch;
    return last_ != t.epoch;
  }
  /// 401.
  void refused() noexcept { (first_ ? last_ : first_) = current_; }
  void worked() noexcept {
    first_.reset();
    last_.reset();
  }
  std::int64_t current() const noexcept { return current_; }

 private:
  std::int64_t current_ = 0;
  std::optional<std::int64_t> first_, last_;
};

}  // namespace connectord
