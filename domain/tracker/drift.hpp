#pragma once

#include "domain/tracker/model.hpp"

#include <bitset>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// Where a work package and its issue disagree (contract tracker-api, 5). Pure: facts in, findings out.
namespace connectord::tracker {

external_status expected_status(lane l);
/// Expected or tolerated: an approved work package may be done outside.
bool in_sync(lane l, external_status s);
/// For display: where an issue of that status would stand.
lane lane_for(external_status s);

owner owner_of(const doctrine& policy, std::string_view field);
direction direction_of(owner o);
severity severity_of(drift_kind k);
/// Nothing for kinds of a link or a binding.
std::optional<std::string_view> field_of(drift_kind k);

/// A kind that holds now: a drift record without its history.
struct finding {
  drift_kind kind{};
  std::optional<link_id> link;
  std::optional<wp_ref> wp;  ///< with the mission of the work package that was found, if one was
  std::optional<identity> external;
  std::optional<std::string> external_key, external_url;
  std::optional<std::string> local_value, external_value;
  std::optional<tracker::owner> owner;
  tracker::direction direction = tracker::direction::manual_review;
};

struct link_facts {
  const tracker::link& link;
  bool contested = false;
  std::span<const work_package* const> candidates;  ///< see tracker::candidates
  const issue_content* issue = nullptr;             ///< nothing when it was never seen
  const doctrine& policy;                           ///< the effective one
  int missing_after = 2;
};

struct evaluation {
  link_state state = link_state::unknown;
  std::vector<finding> findings;
  /// Kinds whose values differ, though nobody is to be told: their field is shared, or another kind says it.
  std::bitset<words<drift_kind>::all.size()> unsaid;
  std::optional<identity> target;
};

/// A link of a binding that is discovered or active; links of others are not evaluated.
evaluation evaluate(const link_facts& facts);
/// As above, for the binding itself: stale_snapshot or nothing. Its link_state means nothing.
evaluation evaluate(const binding& b, const policy& limits, timestamp now);

struct reconciliation {
  struct change {
    drift_id id;
    finding now;
  };
  struct end {
    drift_id id;
    tracker::resolution how{};
  };
  std::vector<finding> opened;
  std::vector<change> changed;  ///< still open, but something of it reads differently now
  std::vector<end> resolved;
};

/// Brings the open records of one link (or those of the binding itself) to what holds now. Superseded is what
/// a structural kind hides, what speaks of another issue than the link's, and what still differs under a
/// policy that no longer minds; everything else was reconciled. Removal and disabling are the caller's: they
/// end all records.
reconciliation reconcile(std::span<const drift_record> open, const evaluation& now);

/// A record in state open. `by` is the receipt that brought it to light, if one did.
drift_record open_record(const finding& f, const binding& b, drift_id id, timestamp now,
                         const std::optional<snapshot_id>& by);
/// What a reconciliation's change and end do to the record.
void update(drift_record& record, const finding& f, timestamp now);
void resolve(drift_record& record, resolution how, timestamp now, const std::optional<snapshot_id>& by);

}  // namespace connectord::tracker
