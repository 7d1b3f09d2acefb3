#include "domain/tracker/links.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace connectord::tracker {

std::vector<const work_package*> possible_work_packages(const wp_ref& wanted,
                                                        std::span<const work_package> same_id) {
  const auto chosen = [&](auto&& fits) {
    std::vector<const work_package*> out;
    for (const auto& wp : same_id)
      if (fits(wp)) out.push_back(&wp);
    return out;
  };
  if (!wanted.mission.empty())
    return chosen([&](const work_package& wp) { return wp.ref.mission == wanted.mission; });
  auto open = chosen([](const work_package& wp) { return !wp.mission_closed; });
  return open.empty() ? chosen([](const work_package&) { return true; }) : open;
}

bool claims_before(const link& a, const link& b) {
  return std::tie(a.claimed_at, a.ordinal) < std::tie(b.claimed_at, b.ordinal);
}

std::vector<bool> contested(std::span<const link> links) {
  const auto by_target = [](const identity* a, const identity* b) { return *a < *b; };
  std::map<const identity*, const link*, decltype(by_target)> holders{by_target};
  for (const auto& l : links) {
    auto& holder = holders[&l.target];
    if (holder == nullptr || claims_before(l, *holder)) holder = &l;
  }
  std::vector<bool> out;
  out.reserve(links.size());
  for (const auto& l : links) out.push_back(holders[&l.target] != &l);
  return out;
}

row_decision decide(const mapping_row& row, std::span<const link> same_wp) {
  const auto index_of = [&](auto found) { return static_cast<std::size_t>(found - same_wp.begin()); };
  // Without a mission first: that is the one which a snapshot could have made.
  const auto without_mission =
      std::ranges::find_if(same_wp, [](const link& l) { return l.wp.mission.empty(); });
  const auto to_target = [&](const link& l) { return l.target == row.target; };
  const auto same = without_mission != same_wp.end() && to_target(*without_mission)
                        ? without_mission
                        : std::ranges::find_if(same_wp, to_target);
  if (same != same_wp.end()) {
    const bool stands = same->external_key == row.key && same->external_url == row.url;
    return {stands ? row_effect::unchanged : row_effect::refreshed, index_of(same)};
  }
  if (without_mission == same_wp.end()) return {};
  const bool own = without_mission->source == link_source::snapshot;
  return {own ? row_effect::retargeted : row_effect::kept_manual, index_of(without_mission)};
}

void refresh(link& l, const mapping_row& row) {
  l.external_key = row.key;
  l.external_url = row.url;
}

void retarget(link& l, const identity& target, timestamp now) {
  l.target = target;
  l.claimed_at = now;
}

void count_absences(link& l, std::int64_t evidence) {
  l.absent_count = l.absent_since ? static_cast<int>(evidence - *l.absent_since) : 0;
}

void begin_presence(link& l, bool there, std::int64_t evidence) {
  l.absent_since = there ? std::nullopt : std::optional{evidence};
  l.absent_count = 0;
}

bool note_presence(link& l, bool in_body, std::int64_t evidence) {
  const bool moved = in_body == l.absent_since.has_value();
  if (moved) l.absent_since = in_body ? std::nullopt : std::optional{evidence - 1};
  count_absences(l, evidence);
  return moved;
}

}  // namespace connectord::tracker
