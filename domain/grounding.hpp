#pragma once

#include "base/json.hpp"
#include "domain/grounded_signal.hpp"
#include "domain/provider/definition.hpp"
#include "domain/signal.hpp"

#include <span>
#include <utility>
#include <vector>

/// Which signals deserve attention, and which of them are about one thing. Fixed rules, no learning:
/// equal input gives equal scores. A member of a payload is looked for at its top, then in `raw`.
namespace connectord::grounding {

/// Signals that occurred longer ago are not looked at.
inline constexpr std::chrono::hours longest_delay{24};
/// How far from the first event of a cluster another one may lie.
inline constexpr std::chrono::hours cluster_span{6};

/// Bucket to count, by bucket: a hashed bag of words.
using bag_of_words = std::vector<std::pair<std::uint16_t, std::uint8_t>>;
inline constexpr std::size_t buckets = 768;

bag_of_words bag_of(std::string_view text);
/// 0 for nothing in common, 1 for the same; of an empty one always 0.
double cosine(const bag_of_words& a, const bag_of_words& b);

/// A signal with all that its payload says about it.
struct assessment {
  signal_id signal;
  std::string provider, kind;
  timestamp occurred_at{};
  signal_scores scores;
  bag_of_words words;
  std::vector<std::string> keywords;  ///< at most 10, sorted
  json::array entities;
  std::optional<std::string> recommendation;
};

/// Throws when the payload is no JSON object: whoever stored it broke a promise.
assessment assess(const signal& s, const provider::scoring_facts& origin, const dimensions& weights,
                  timestamp now);

/// A cluster that may still grow.
struct cluster {
  grounded_id row;
  bag_of_words words;  ///< of its first signal
  timestamp began{};   ///< when that one occurred
};
/// The cluster that resembles it most, if any does.
const cluster* home_of(const assessment& a, std::span<const cluster> open);

/// Unique in a tenant: one row for each cluster, whoever makes it.
std::string key_of_cluster(const tenant_id& t, const signal_id& first);

grounded_signal begin_cluster(const assessment& first, const dimensions& weights, timestamp now);
/// With one signal more. Scores are those of the strongest signal; what people decide stays: the status,
/// the recommendation, and everything once it is `actioned`.
grounded_signal grown(grounded_signal row, const assessment& next, const dimensions& weights, timestamp now);

/// A JSON object with the six and, of scores, the total.
std::string to_json(const signal_scores& s);
std::string to_json(const dimensions& d);
/// Of what the above wrote.
signal_scores scores_from(std::string_view json);
dimensions dimensions_from(std::string_view json);

/// Why weights cannot be used: one is negative, or their sum is not 1 within 0.001.
std::optional<std::string_view> fault_of(const dimensions& weights);

}  // namespace connectord::grounding
