#pragma once

#include "base/time.hpp"
#include "domain/ids.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connectord {

/// What a signal is scored by. One number for each, in this order.
enum class dimension : std::uint8_t { relevance, novelty, timeliness, impact, alignment, credibility };
inline constexpr std::array<std::string_view, 6> dimension_names{"relevance", "novelty",   "timeliness",
                                                                 "impact",    "alignment", "credibility"};
using dimensions = std::array<double, dimension_names.size()>;

/// All of them from 0 to 1.
struct signal_scores {
  dimensions each{};
  double total = 0;

  double operator[](dimension d) const noexcept { return each[static_cast<std::size_t>(d)]; }
  friend bool operator==(const signal_scores&, const signal_scores&) = default;
};

/// How a tenant wants its signals judged.
struct signal_config {
  double threshold = 0.7;  ///< a total of at least this makes a signal a grounded one
  dimensions weights{0.20, 0.15, 0.15, 0.25, 0.15, 0.10};
  std::optional<std::string> webhook_url;
  std::optional<timestamp> updated_at;  ///< none: these are the defaults
};

enum class grounded_status { draft, recommended, actioned };

constexpr std::string_view name_of(grounded_status s) {
  constexpr std::array names{"draft", "recommended", "actioned"};
  return names[static_cast<std::size_t>(s)];
}

/// A cluster of signals about one thing, and why it is worth a look.
struct grounded_signal {
  grounded_id id;
  signal_id signal;  ///< the first of the cluster
  signal_scores scores;
  grounded_status status = grounded_status::recommended;
  std::string evidence;  ///< a JSON object, as text
  std::optional<std::string> recommendation;
  timestamp created_at{}, updated_at{};
};

}  // namespace connectord
