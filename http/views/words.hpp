#pragma once

#include "base/error.hpp"
#include "domain/connection.hpp"
#include "domain/tracker/health.hpp"
#include "domain/tracker/model.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What the pages say, where the API has codes; and in which tone.
namespace connectord::web {

/// A style sheet's class beside a word: good, info, warn, bad, or empty for calm.
std::string_view tone_of(tracker::health h);
std::string_view tone_of(tracker::lane l);
std::string_view tone_of(tracker::link_state s);
std::string_view tone_of(tracker::severity s);
std::string_view tone_of(tracker::binding_state s);
std::string_view tone_of(connection_status s);
/// Of a row of the feed.
std::string_view tone_of_activity(std::string_view type);

/// `not_bound` as "Not bound", `WPStatusChanged` as "WP status changed".
std::string worded(std::string_view code);
/// A word beside its tone.
struct badge {
  std::string word;
  std::string_view tone;
};
/// Of a binding, or of a project by its worst one. Before the first snapshot nothing is wrong yet.
badge badge_of(const tracker::health_report& report);
/// Why a binding is in that state, as one sentence.
std::string because(const tracker::health_report& report, const std::optional<timestamp>& last_snapshot,
                    std::int64_t open_drift, timestamp now);
std::string_view worded(tracker::direction d);
/// Why a connection is in its state; nothing to say of one that works. `syncs`: there is something to sync.
std::string because(const connection& c, bool syncs, timestamp now);
/// Somebody has to do something about it.
bool needs_attention(const connection& c);
bool needs_attention(const tracker::binding& b);

/// Why something was refused, with every offender that the error names.
std::string because(const error& e);

/// A stored URL that a page may link to (contract tracker-api, 9.3): http or https, a host, no user, nothing
/// odd.
struct external_link {
  std::string href, host;
};
std::optional<external_link> link_of(const std::optional<std::string>& url);

}  // namespace connectord::web
