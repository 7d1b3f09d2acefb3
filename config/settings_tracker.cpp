#include "config/rows.hpp"

namespace connectord::config {
namespace {

using tracker::policy;

bool assign_abort_at(settings& s, std::string_view text) {
  s.tracker.abort_at = text;
  return s.profile == "test" &&
         (text == "tracker.snapshot.before_commit" || text == "tracker.snapshot.after_commit");
}

}  // namespace

std::vector<setting> tracker_settings() {
  constexpr int most_rows = 100'000, longest = 31'536'000;
  return {
      flag("TRACKER_FLAG_DEFAULT", &policy::flag_default, false,
           "Whether a team has the tracker until its flag is set."),
      whole("TRACKER_MAX_ISSUES", &policy::max_issues, 10'000, 1, most_rows, "Issues of one snapshot."),
      whole("TRACKER_MAX_MAPPINGS", &policy::max_mappings, 20'000, 1, most_rows, "Mappings of one snapshot."),
      whole("TRACKER_MAX_BODY_BYTES", &policy::max_body, 8'388'608, 65'536, 67'108'864,
            "Largest body of a snapshot or an events batch, inflated; instead of MAX_BODY_BYTES."),
      whole("TRACKER_STALE_AFTER_SECONDS", &policy::stale_after, 86'400, 1, longest,
            "Age of its last snapshot at which a binding is stale."),
      whole("TRACKER_DISCONNECTED_AFTER_SECONDS", &policy::disconnected_after, 604'800, 1, no_limit,
            "Age of its last snapshot at which a binding is disconnected; not below stale."),
      whole("TRACKER_DEGRADED_AFTER_FAILURES", &policy::degraded_after, 3, 1, 100,
            "Refused snapshots in a row that make a binding degraded."),
      whole("TRACKER_MISSING_AFTER_SNAPSHOTS", &policy::missing_after, 2, 1, 100,
            "Snapshots without an issue after which it is missing."),
      whole("TRACKER_SWEEP_SECONDS", &policy::sweep, 60, 1, 3600,
            "Pause between two looks for stale bindings."),
      whole("TRACKER_FEED_BURST", &policy::feed_burst, 50, 1, 10'000,
            "Drifts that one change may tell the feed one by one."),
      whole("TRACKER_CANDIDATE_TTL_SECONDS", &policy::candidate_ttl, 900, 10, 86'400,
            "How long a candidate token is good for."),
      whole("TRACKER_RECEIPT_BODIES_KEPT", &policy::bodies_kept, 5, 0, 1000,
            "Snapshot bodies that are kept of each binding."),
      whole("TRACKER_QUEUE_MAX", &policy::queue_max, 1000, 1, most_rows,
            "Snapshots of a team that may wait for a binding."),
      whole("ACTIVITY_STREAM_HEARTBEAT_SECONDS", &policy::heartbeat, 15, 1, 300,
            "Pause between two signs of life of an activity stream."),
      flag("EVENTS_AUTOCREATE_PROJECTS", &policy::autocreate_projects, true,
           "Events may make the project that they name."),
      {"TEST_ABORT_AT", "",
       "tracker.snapshot.before_commit or tracker.snapshot.after_commit, in profile test",
       "Where the process ends itself, once; for tests of recovery.", assign_abort_at},
  };
}

}  // namespace connectord::config
