#pragma once

#include "actors/tracker/evaluate.hpp"
#include "domain/provider/tracker_issue.hpp"
#include "domain/tracker/names.hpp"

#include <span>

namespace connectord::tracker {

/// Issues as a provider has shown them itself, in one delivery, batch or page.
struct observation {
  const connectord::provider::tracker_facts& provider;
  view by = view::webhook;
  std::span<const connectord::provider::tracker_issue> issues;
};

/// Takes them into the bindings that an active resource mapping leads to: the stored issues, the sightings
/// and what drift follows. Bindings, links and presence stay as they are, but for issues that the provider
/// says are gone. One look-up when nothing is mapped; none without issues. False when nothing was written.
result<bool> observe(change& c, const observation& seen);

}  // namespace connectord::tracker
