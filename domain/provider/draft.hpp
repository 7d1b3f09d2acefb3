#pragma once

#include "domain/provider/draft_signal.hpp"
#include "domain/provider/evaluate.hpp"

/// Only for the sources of this folder: one object becomes a signal.
namespace connectord::provider {

/// Times of a provider that are further ahead than this are not believed.
inline constexpr std::chrono::minutes max_ahead{5};

struct draft_facts {
  std::string_view provider;
  const choice& label;
  timestamp received_at;
  std::string_view text;  ///< that the scene's body was parsed from; empty when it is only a part of one
};

/// Appends the signal that the shape makes of the scene, whose `$time` and `$unix_time` it sets; else
/// says what is wrong.
std::optional<std::string> draft(const draft_facts& f, const shape& as, std::string_view kind, scene& s,
                                 std::vector<draft_signal>& out);

/// A name that a store and a list can carry.
std::optional<std::string> bounded(std::optional<std::string> text, std::size_t limit);

}  // namespace connectord::provider
