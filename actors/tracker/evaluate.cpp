#include "actors/tracker/evaluate.hpp"

#include "actors/tracker/binding_change.hpp"
#include "domain/tracker/drift.hpp"
#include "domain/tracker/links.hpp"
#include "storage/tracker/bindings.hpp"
#include "storage/tracker/drift.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/work_packages.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace connectord::tracker {
namespace {

/// Beyond so many links, one walk over the binding is quicker than a look at each.
constexpr std::size_t few = 64;

/// Everything that links are held against, looked up once for all that are wanted.
class surroundings {
 public:
  static result<surroundings> of(binding_change& b, std::span<const link> links,
                                 const std::vector<bool>& wanted) {
    surroundings s;
    std::vector<const link*> chosen;
    for (std::size_t i = 0; i < links.size(); ++i)
      if (wanted[i]) chosen.push_back(&links[i]);
    if (const auto ok = s.read_work_packages(b, chosen); !ok) return ok.error();
    if (const auto ok = s.read_issues(b, chosen); !ok) return ok.error();
    if (const auto ok = s.read_drift(b, chosen); !ok) return ok.error();
    return s;
  }

  std::span<const work_package> same_id(const std::string& wp_id) const {
    const auto [first, last] = std::ranges::equal_range(work_packages_, wp_id, {}, id_of);
    return {first, last};
  }
  const issue_content* issue(const identity& target) const {
    const auto found = issues_.find(target);
    return found == issues_.end() ? nullptr : &found->second;
  }
  std::span<const drift_record> open_of(const link_id& l) const {
    const auto [first, last] = std::ranges::equal_range(open_, std::optional{l}, {}, &drift_record::link);
    return {first, last};
  }

 private:
  static const std::string& id_of(const work_package& wp) { return wp.ref.wp_id; }

  result<> read_work_packages(binding_change& b, std::span<const link* const> chosen) {
    std::set<std::string> ids;
    for (const auto* l : chosen) ids.insert(l->wp.wp_id);
    auto found = storage::work_packages_of(b.c.db, b.c.tenant, b.row.project,
                                           std::vector<std::string>{ids.begin(), ids.end()});
    if (!found) return found.error();
    work_packages_ = std::move(*found);
    std::ranges::sort(work_packages_, {}, &work_package::ref);
    return {};
  }

  result<> read_issues(binding_change& b, std::span<const link* const> chosen) {
    std::vector<identity> targets;
    if (chosen.size() <= few)
      for (const auto* l : chosen) targets.push_back(l->target);
    auto found = storage::issue_contents(
        b.c.db, b.c.tenant, b.row.id,
        chosen.size() <= few ? std::optional{std::span<const identity>{targets}} : std::nullopt);
    if (!found) return found.error();
    for (auto& content : *found) {
      auto ref = content.ref;
      issues_.emplace(std::move(ref), std::move(content));
    }
    return {};
  }

  result<> read_drift(binding_change& b, std::span<const link* const> chosen) {
    if (chosen.size() > few) {
      auto all = storage::open_drift(b.c.db, b.c.tenant, b.row.id);
      if (!all) return all.error();
      open_ = std::move(*all);
    } else {
      for (const auto* l : chosen) {
        auto some = storage::open_drift_of_link(b.c.db, b.c.tenant, l->id);
        if (!some) return some.error();
        std::ranges::move(*some, std::back_inserter(open_));
      }
    }
    std::ranges::sort(open_, {}, &drift_record::link);
    return {};
  }

  std::vector<work_package> work_packages_;
  std::map<identity, issue_content> issues_;
  std::vector<drift_record> open_;
};

result<> end_record(binding_change& b, drift_record record, resolution how) {
  resolve(record, how, b.c.now, b.by);
  if (const auto stored = storage::update_drift(b.c.db, b.c.tenant, record); !stored) return stored;
  b.resolved.push_back(std::move(record));
  return {};
}

/// Stores what ends and changes; what opens is left for one statement.
result<> settle(binding_change& b, std::span<const drift_record> open, const evaluation& now,
                std::vector<drift_record>& fresh) {
  const auto found = reconcile(open, now);
  const auto record_of = [&](const drift_id& id) { return *std::ranges::find(open, id, &drift_record::id); };
  for (const auto& end : found.resolved)
    if (const auto ok = end_record(b, record_of(end.id), end.how); !ok) return ok;
  for (const auto& changed : found.changed) {
    auto record = record_of(changed.id);
    update(record, changed.now, b.c.now);
    if (const auto stored = storage::update_drift(b.c.db, b.c.tenant, record); !stored) return stored;
  }
  for (const auto& f : found.opened) fresh.push_back(open_record(f, b.row, drift_id::make(), b.c.now, b.by));
  return {};
}

result<> store_fresh(binding_change& b, std::vector<drift_record> fresh) {
  if (const auto stored = storage::insert_drift(b.c.db, b.c.tenant, fresh); !stored) return stored;
  std::ranges::move(fresh, std::back_inserter(b.opened));
  return {};
}

/// As evaluate_links, and stores the states that changed.
result<> evaluate_stored(binding_change& b, std::vector<link> links, const std::vector<bool>& wanted) {
  std::vector<link_state> before;
  before.reserve(links.size());
  for (const auto& l : links) before.push_back(l.state);
  if (const auto ok = evaluate_links(b, links, wanted); !ok) return ok;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (links[i].state == before[i]) continue;
    if (const auto stored = storage::update_link(b.c.db, b.c.tenant, links[i]); !stored) return stored;
    b.relinked.push_back(links[i].wp.wp_id);
  }
  return {};
}

}  // namespace

result<> evaluate_links(binding_change& b, std::span<link> links, const std::vector<bool>& wanted) {
  if (std::ranges::find(wanted, true) == wanted.end()) return {};
  const auto around = surroundings::of(b, links, wanted);
  if (!around) return around.error();
  const auto claimed_by_others = contested(links);
  std::vector<drift_record> fresh;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (!wanted[i]) continue;
    auto& l = links[i];
    const auto known = possible_work_packages(l.wp, around->same_id(l.wp.wp_id));
    const auto now = evaluate({.link = l,
                               .contested = claimed_by_others[i],
                               .candidates = known,
                               .issue = around->issue(l.target),
                               .policy = b.row.effective,
                               .missing_after = b.c.rules.missing_after});
    l.state = now.state;
    if (!b.row.evaluated()) continue;
    if (const auto ok = settle(b, around->open_of(l.id), now, fresh); !ok) return ok;
  }
  return store_fresh(b, std::move(fresh));
}

result<> evaluate_all(binding_change& b) {
  auto links = storage::links_of_binding(b.c.db, b.c.tenant, b.row.id);
  if (!links) return links.error();
  const std::vector<bool> all(links->size(), true);
  return evaluate_stored(b, std::move(*links), all);
}

result<> evaluate_some(binding_change& b, std::span<const std::string> wp_ids,
                       std::span<const identity> targets) {
  auto& c = b.c;
  if (wp_ids.size() + targets.size() > few) return evaluate_all(b);
  std::set<identity> wanted{targets.begin(), targets.end()};
  const auto named = storage::links_of_work_packages(c.db, c.tenant, b.row.id, wp_ids);
  if (!named) return named.error();
  for (const auto& l : *named) wanted.insert(l.target);
  std::vector<link> links;
  for (const auto& target : wanted) {
    auto same = storage::links_to(c.db, c.tenant, b.row.id, target);
    if (!same) return same.error();
    std::ranges::move(*same, std::back_inserter(links));
  }
  const std::vector<bool> all(links.size(), true);
  return evaluate_stored(b, std::move(links), all);
}

result<> end_drift(binding_change& b, resolution how) {
  auto open = storage::open_drift(b.c.db, b.c.tenant, b.row.id);
  if (!open) return open.error();
  for (auto& record : *open)
    if (const auto ok = end_record(b, std::move(record), how); !ok) return ok;
  return {};
}

result<> end_drift(binding_change& b, const link_id& link, resolution how) {
  auto open = storage::open_drift_of_link(b.c.db, b.c.tenant, link);
  if (!open) return open.error();
  for (auto& record : *open)
    if (const auto ok = end_record(b, std::move(record), how); !ok) return ok;
  return {};
}

result<> settle_drift(binding_change& b) {
  const auto open = storage::open_drift_of_binding(b.c.db, b.c.tenant, b.row.id);
  if (!open) return open.error();
  std::vector<drift_record> fresh;
  if (const auto ok = settle(b, *open, evaluate(b.row, b.c.rules, b.c.now), fresh); !ok) return ok;
  if (const auto ok = store_fresh(b, std::move(fresh)); !ok) return ok;
  auto counts = storage::count_open_drift(b.c.db, b.c.tenant, b.row.id);
  if (!counts) return counts.error();
  b.row.tally.drift_open = std::move(*counts);
  b.settled = true;
  return {};
}

result<> work_packages_changed(change& c, const project_id& p, std::span<const std::string> wp_ids) {
  auto bindings = storage::bindings_of_project(c.db, c.tenant, p);
  if (!bindings) return bindings.error();
  std::vector<std::string> moved{wp_ids.begin(), wp_ids.end()};
  for (auto& row : *bindings) {
    auto b = open_binding(c, std::move(row));
    if (!b) return b.error();
    if (const auto ok = evaluate_some(*b, wp_ids, {}); !ok) return ok;
    std::ranges::move(std::exchange(b->relinked, {}), std::back_inserter(moved));
    if (b->opened.empty() && b->resolved.empty()) continue;
    if (const auto ok = conclude(*b); !ok) return ok;
  }
  return storage::settle_mappings(c.db, c.tenant, p, moved);
}

}  // namespace connectord::tracker
