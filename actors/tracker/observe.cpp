#include "actors/tracker/observe.hpp"

#include "actors/tracker/binding_change.hpp"
#include "domain/tracker/diff.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/resources.hpp"
#include "storage/tracker/sightings.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace connectord::tracker {
namespace {

using seen_issue = connectord::provider::tracker_issue;

/// Times of a provider that are further ahead than this are not believed: no later change would be newer.
constexpr std::chrono::minutes max_ahead{5};

bool lists(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// The issues of each binding, in their order.
std::map<binding_id, std::vector<const seen_issue*>> by_binding(std::span<const resource> mapped,
                                                                std::span<const seen_issue> issues) {
  std::map<binding_id, std::vector<const seen_issue*>> out;
  for (const auto& issue : issues)
    for (const auto& place : mapped) {
      if (!lists(issue.workspaces, place.workspace) || !lists(issue.resources, place.external_id)) continue;
      auto& found = out[place.binding];
      if (found.empty() || found.back() != &issue) found.push_back(&issue);
    }
  return out;
}

/// One view on its way into a binding, issue by issue.
class intake_of_issues {
 public:
  intake_of_issues(binding_change& b, const observation& seen) : b_(b), c_(b.c), seen_(seen) {}

  result<> take(const seen_issue& told);
  const std::vector<identity>& touched() const { return touched_; }

 private:
  result<std::optional<issue>> stored_of(const seen_issue& told, std::vector<std::string>& workspaces) const;
  result<> remove(const issue& stored);
  result<issue_id> store(const std::optional<issue>& stored, const issue_content& content);
  result<> note(const std::optional<issue>& stored, const issue_id& id, const seen_issue& told,
                const std::optional<external_time>& at) const;

  binding_change& b_;
  change& c_;
  const observation& seen_;
  std::vector<identity> touched_;  ///< whose content or presence changed
};

result<> intake_of_issues::take(const seen_issue& told) {
  auto workspaces = told.identities;
  workspaces.push_back(b_.row.workspace);
  const auto stored = stored_of(told, workspaces);
  if (!stored) return stored.error();
  if (told.deleted) return *stored ? remove(**stored) : result<>{};
  auto content = *stored ? merged(seen_.provider, (*stored)->content, told.content) : told.content;
  if (!*stored) content.ref.workspace = workspaces.front();
  if (content.updated_at && *content.updated_at > c_.now + max_ahead) content.updated_at.reset();
  const auto at = content.updated_at;
  const auto id = store(*stored, content);
  if (!id) return id.error();
  return note(*stored, *id, told, at);
}

/// The stored issue whose workspace comes first among those that the identity may have.
result<std::optional<issue>> intake_of_issues::stored_of(const seen_issue& told,
                                                         std::vector<std::string>& workspaces) const {
  const auto& ref = told.content.ref;
  auto found = storage::find_issues(c_.db, c_.tenant, b_.row.id, ref.system, ref.id, workspaces);
  if (!found) return found.error();
  for (const auto& workspace : workspaces)
    for (auto& one : *found)
      if (one.content.ref.workspace == workspace) return std::optional{std::move(one)};
  return std::optional<issue>{};
}

result<> intake_of_issues::remove(const issue& stored) {
  if (stored.presence == presence::absent) return {};
  touched_.push_back(stored.content.ref);
  const auto& tally = b_.row.tally;
  return storage::mark_absent(c_.db, c_.tenant, std::array{stored.id},
                              {tally.evidence_at, tally.evidence_receipt});
}

result<issue_id> intake_of_issues::store(const std::optional<issue>& stored, const issue_content& content) {
  const auto incoming = mark_of(content);
  const auto before = stored ? std::optional{mark_of(stored->content)} : std::nullopt;
  const auto effect = compare(before ? &*before : nullptr, incoming);
  const auto id = stored ? stored->id : issue_id::make();
  const std::array row{storage::marked_issue{id, &content, &incoming}};
  auto done = result<>{};
  if (effect == issue_effect::created)
    done = storage::insert_issues(c_.db, c_.tenant, b_.row.id, row, c_.now);
  else if (effect == issue_effect::updated)
    done = storage::update_issues(c_.db, c_.tenant, row);
  if (!done) return done.error();
  if (effect == issue_effect::created || effect == issue_effect::updated) touched_.push_back(content.ref);
  return id;
}

/// What only snapshots had shown until now is remembered as what they said.
result<> intake_of_issues::note(const std::optional<issue>& stored, const issue_id& id,
                                const seen_issue& told, const std::optional<external_time>& at) const {
  if (stored) {
    const auto known = storage::sightings_of(c_.db, c_.tenant, b_.row.id, id);
    if (!known) return known.error();
    const sighting before{
        view::snapshot, stored->content.status, stored->content.updated_at, stored->last_seen_at, {}};
    if (known->empty())
      if (const auto ok = storage::put_sighting(c_.db, c_.tenant, b_.row.id, id, before); !ok) return ok;
  }
  return storage::put_sighting(c_.db, c_.tenant, b_.row.id, id,
                               {seen_.by, told.content.status, at, c_.now, told.unmapped});
}

result<bool> take_all(change& c, const binding_id& id, const observation& seen,
                      std::span<const seen_issue* const> issues) {
  auto b = open_binding(c, id);
  if (!b) return b.error();
  if (!b->row.evaluated()) return false;
  intake_of_issues intake{*b, seen};
  for (const auto* issue : issues)
    if (const auto ok = intake.take(*issue); !ok) return ok.error();
  if (intake.touched().empty()) return false;
  b->row.tally.issues_digest.reset();
  if (const auto ok = evaluate_some(*b, {}, intake.touched()); !ok) return ok.error();
  if (const auto ok = conclude(*b); !ok) return ok.error();
  return true;
}

}  // namespace

result<bool> observe(change& c, const observation& seen) {
  if (seen.issues.empty()) return false;
  const auto mapped =
      storage::active_resources(c.db, c.tenant, seen.provider.system, seen.provider.resource.type);
  if (!mapped) return mapped.error();
  bool wrote = false;
  for (const auto& [binding, issues] : by_binding(*mapped, seen.issues)) {
    const auto taken = take_all(c, binding, seen, issues);
    if (!taken) return taken.error();
    wrote |= *taken;
  }
  return wrote;
}

}  // namespace connectord::tracker
