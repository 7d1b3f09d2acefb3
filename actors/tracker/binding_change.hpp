#pragma once

#include "actors/tracker/evaluate.hpp"
#include "domain/tracker/health.hpp"
#include "domain/tracker/records.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// A binding while a transaction changes it: what changed, what drift followed, and what the feed says of it.
namespace connectord::tracker {

struct binding_change {
  change& c;
  stored_binding row;
  project_ref project;
  std::optional<snapshot_id> by{};     ///< the receipt that brings it about, if one does
  std::vector<drift_record> opened{};  ///< in this transaction, as stored
  std::vector<drift_record> resolved{};
  std::vector<activity> feed{};         ///< in order; stored by `conclude`
  std::vector<std::string> relinked{};  ///< work packages whose links, or their states, are others now
  bool settled = false;                 ///< the row counts the open drift as it is
  bool made = false;                    ///< in this transaction
};

/// NOT_FOUND when the binding is gone; a deleted one is there.
result<binding_change> open_binding(change& c, const binding_id& id);
result<binding_change> open_binding(change& c, stored_binding row);

/// A row of the feed about the binding. `payload` is a JSON object.
void tell(binding_change& b, std::string_view type, std::string summary, std::string payload);
/// As above, of a transition (3.2): `from` is nothing for a binding that is made.
void tell_transition(binding_change& b, std::string_view type, std::optional<binding_state> from);

/// Brings state and drift of the wanted ones among `links` to what holds now. The links are the binding's,
/// and hold all links of every target among them. Their states are changed but not stored; drift is. Links of
/// a binding that is not evaluated only get their states.
result<> evaluate_links(binding_change& b, std::span<link> links, const std::vector<bool>& wanted);
/// All of the binding's, and stores the states that changed.
result<> evaluate_all(binding_change& b);
/// Those of the work packages and those that mean one of the targets, with whoever shares a target with them.
result<> evaluate_some(binding_change& b, std::span<const std::string> wp_ids,
                       std::span<const identity> targets);
/// Ends all open drift of the binding, or of one of its links.
result<> end_drift(binding_change& b, resolution how);
result<> end_drift(binding_change& b, const link_id& link, resolution how);

/// What the age of the last snapshot means; from then on the row counts the open drift as it is.
result<> settle_drift(binding_change& b);

health_report health_of(const stored_binding& b, const policy& rules, timestamp now);

/// The end of it: drift is settled, drift and health are told, the row and its feed are stored, and so is
/// what pages count.
result<> conclude(binding_change& b);

}  // namespace connectord::tracker
