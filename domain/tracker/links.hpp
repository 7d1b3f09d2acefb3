#pragma once

#include "domain/tracker/model.hpp"
#include "domain/tracker/snapshot_body.hpp"

#include <span>
#include <vector>

/// Which work package a link means, which link holds an issue, and what a snapshot's row does to the links
/// that are there (contract tracker-api, 3.4, 4.6).
namespace connectord::tracker {

/// The work packages that a link may mean: none is an orphan, one is resolved, more are ambiguous. `same_id`
/// are the project's work packages of the link's wp_id, those of closed missions too. The pointers are into
/// it.
std::vector<const work_package*> possible_work_packages(const wp_ref& wanted,
                                                        std::span<const work_package> same_id);

/// Of two links to one issue, the one that claims it: the earlier (claimed_at, ordinal).
bool claims_before(const link& a, const link& b);
/// Per link, whether another one of `links` holds its issue. `links` are of one binding and hold, for every
/// target among them, all links of that target.
std::vector<bool> contested(std::span<const link> links);

enum class row_effect : std::uint8_t {
  created,      ///< no link of that work package is in the way
  unchanged,    ///< it stands as it is
  refreshed,    ///< key or URL changed: counts as updated
  retargeted,   ///< the snapshot's own link now means another issue: counts as updated
  kept_manual,  ///< an operator's link stays: counts as unchanged, warning `manual_link_kept`
};

struct row_decision {
  row_effect effect = row_effect::created;
  std::size_t link = 0;  ///< which of `same_wp`; meaningless when created
};

/// `same_wp` are the binding's links of the row's wp_id, in any mission.
row_decision decide(const mapping_row& row, std::span<const link> same_wp);

/// What refreshed and retargeted do to the link.
void refresh(link& l, const mapping_row& row);
void retarget(link& l, const identity& target, timestamp now);

// Presence, by the binding's evidence: the number of its snapshots that had issues.

/// A link that begins to mean its target, be that there or not: it was never absent.
void begin_presence(link& l, bool there, std::int64_t evidence);
/// After a snapshot that had issues, the `evidence`th. True when something of the link changed that is
/// stored.
bool note_presence(link& l, bool in_body, std::int64_t evidence);
void count_absences(link& l, std::int64_t evidence);

}  // namespace connectord::tracker
