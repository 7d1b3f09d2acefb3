#include "actors/tracker/apply.hpp"

#include "base/json.hpp"
#include "domain/tracker/links.hpp"
#include "storage/tracker/codec.hpp"
#include "storage/tracker/issues.hpp"
#include "storage/tracker/links.hpp"
#include "storage/tracker/sightings.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace connectord::tracker {
namespace {

std::string key_of(const identity& i) { return i.system + '\0' + i.workspace + '\0' + i.id; }

/// One snapshot on its way into a binding, step by step.
class application {
 public:
  application(binding_change& b, const parsed_snapshot& s)
      : b_(b), s_(s), body_(s.body), evidence_(b.row.tally.evidence) {
    auto& n = out_.counts;
    n.issues = body_.counts.issues;
    n.issues_ignored = body_.counts.issues_ignored;
    n.mappings = body_.counts.mappings;
    n.mappings_ignored = body_.counts.mappings_ignored;
    out_.warnings = body_.warnings;
  }

  result<applied> run() {
    take_doctrine();
    if (const auto ok = take_issues(); !ok) return ok.error();
    if (const auto ok = take_links(); !ok) return ok.error();
    take_presence();
    if (const auto ok = evaluate_and_store_links(); !ok) return ok.error();
    warn_of_claims();
    auto& row = b_.row;
    ++row.sequence;
    row.last_snapshot_at = row.updated_at = b_.c.now;
    row.last_receipt = b_.by;
    row.tally.failures = 0;
    in_document_order(out_.warnings);
    return std::move(out_);
  }

 private:
  void take_doctrine();
  result<> take_issues();
  bool says_nothing_new() const;
  result<> compare_issues();
  bool says_more(const issue_id& id, const issue_content& content) const;
  void take_issue(std::size_t i, const storage::issue_mark* stored);
  result<> note_sightings() const;
  result<> store_issues(const std::vector<storage::issue_mark>& known);
  result<> take_links();
  void take_row(const mapping_row& row, std::span<link> same_wp);
  void make_link(const mapping_row& row);
  void take_presence();
  result<> evaluate_and_store_links();
  void warn_of_claims();

  bool there(const identity& target) const {
    return (body_.issues.empty() ? present_ : in_body_).contains(key_of(target));
  }
  void touch(const identity& target) { touched_.insert(key_of(target)); }

  binding_change& b_;
  const parsed_snapshot& s_;
  const snapshot_body& body_;
  applied out_;
  std::int64_t evidence_;  ///< after this snapshot
  bool policy_changed_ = false;
  std::unordered_set<std::string> in_body_;  ///< identities of the body's issues
  std::unordered_set<std::string> present_;  ///< identities that stay present; only without issues
  std::unordered_set<std::string> touched_;  ///< targets for which something changed
  std::vector<storage::marked_issue> created_, updated_;
  std::vector<issue_id> returned_;
  /// What snapshots said before of the issues that the provider has shown itself.
  std::unordered_map<issue_id, std::optional<sighting>> sighted_;
  std::vector<std::pair<issue_id, std::size_t>> news_;  ///< those of the body that say something else now

  std::vector<link> links_;  ///< the stored ones, by work package, then the new ones
  std::size_t stored_links_ = 0;
  std::vector<bool> dirty_;                                       ///< for each stored link: has to be written
  std::vector<std::pair<const mapping_row*, std::size_t>> rows_;  ///< with their links
};

void application::take_doctrine() {
  auto& row = b_.row;
  const bool first = !row.reported;
  row.reported = body_.reported;
  if (row.source != doctrine_source::snapshot || row.effective == body_.reported) return;
  const auto before = storage::encode_doctrine(row.effective);
  row.effective = body_.reported;
  policy_changed_ = true;
  if (first) return;
  std::string payload;
  json_writer w{payload};
  w.open().raw_member("from", before).raw_member("to", storage::encode_doctrine(row.effective)).close();
  tell(b_, "tracker_doctrine_changed", "The policy of " + row.display_label + " changed", std::move(payload));
}

/// The provider has shown the issue itself, and snapshots have not said this of it yet.
bool application::says_more(const issue_id& id, const issue_content& content) const {
  const auto known = sighted_.find(id);
  if (known == sighted_.end()) return false;
  const auto& before = known->second;
  return !before || before->status != content.status || before->updated_at != content.updated_at;
}

result<> application::note_sightings() const {
  for (const auto& [id, index] : news_) {
    const auto& content = body_.issues[index];
    const sighting seen{view::snapshot, content.status, content.updated_at, b_.c.now, {}};
    if (const auto ok = storage::put_sighting(b_.c.db, b_.c.tenant, b_.row.id, id, seen); !ok) return ok;
  }
  return {};
}

void application::take_issue(std::size_t i, const storage::issue_mark* stored) {
  const auto& content = body_.issues[i];
  auto& n = out_.counts;
  const auto effect = compare(stored ? &stored->mark : nullptr, s_.marks[i]);
  switch (effect) {
    case issue_effect::created:
      created_.push_back({issue_id::make(), &content, &s_.marks[i]});
      ++n.issues_created;
      break;
    case issue_effect::updated:
      updated_.push_back({stored->id, &content, &s_.marks[i]});
      ++n.issues_updated;
      break;
    case issue_effect::unchanged: ++n.issues_unchanged; break;
    case issue_effect::skipped_older: ++n.issues_skipped_older; break;
  }
  if (stored && says_more(stored->id, content)) news_.emplace_back(stored->id, i);
  const bool returned = stored && stored->absent;
  if (returned) returned_.push_back(stored->id);
  if (returned || effect == issue_effect::created || effect == issue_effect::updated) touch(content.ref);
}

/// The stored issues are what the last list said, and this list says the same.
bool application::says_nothing_new() const {
  return !body_.issues.empty() && sighted_.empty() && b_.row.tally.issues_digest == s_.issues_digest;
}

result<> application::take_issues() {
  auto& tally = b_.row.tally;
  auto sighted = storage::sighted_issues(b_.c.db, b_.c.tenant, b_.row.id);
  if (!sighted) return sighted.error();
  sighted_.insert(sighted->begin(), sighted->end());
  if (says_nothing_new())
    out_.counts.issues_unchanged = static_cast<int>(body_.issues.size());
  else if (const auto ok = compare_issues(); !ok)
    return ok;
  if (body_.issues.empty()) return {};
  if (out_.counts.issues_skipped_older == 0)
    tally.issues_digest = s_.issues_digest;
  else
    tally.issues_digest.reset();
  evidence_ = ++tally.evidence;
  tally.evidence_at = b_.c.now;
  tally.evidence_receipt = b_.by;
  return {};
}

result<> application::compare_issues() {
  const auto known = storage::issue_marks(b_.c.db, b_.c.tenant, b_.row.id);
  if (!known) return known.error();
  std::unordered_map<std::string, const storage::issue_mark*> by_identity;
  by_identity.reserve(known->size());
  for (const auto& mark : *known) by_identity.emplace(key_of(mark.ref), &mark);
  in_body_.reserve(body_.issues.size());
  for (std::size_t i = 0; i < body_.issues.size(); ++i) {
    auto key = key_of(body_.issues[i].ref);
    const auto stored = by_identity.find(key);
    take_issue(i, stored == by_identity.end() ? nullptr : stored->second);
    in_body_.insert(std::move(key));
  }
  return store_issues(*known);
}

result<> application::store_issues(const std::vector<storage::issue_mark>& known) {
  auto& c = b_.c;
  const bool evidence = !body_.issues.empty();
  std::vector<issue_id> gone;
  for (const auto& mark : known) {
    auto key = key_of(mark.ref);
    const bool here = evidence ? in_body_.contains(key) : !mark.absent;
    if (evidence && !here && !mark.absent) {
      gone.push_back(mark.id);
      out_.issues_absent.push_back(mark.ref.id);
      touched_.insert(key);
    }
    if (!evidence && here) present_.insert(std::move(key));
  }
  for (const auto& x : created_) out_.issues_created.push_back(x.content->ref.id);
  for (const auto& x : updated_) out_.issues_updated.push_back(x.content->ref.id);
  const auto& tally = b_.row.tally;
  const storage::last_evidence seen{tally.evidence_at, tally.evidence_receipt};
  if (const auto ok = storage::mark_absent(c.db, c.tenant, gone, seen); !ok) return ok;
  if (const auto ok = storage::mark_present(c.db, c.tenant, returned_); !ok) return ok;
  if (const auto ok = storage::update_issues(c.db, c.tenant, updated_); !ok) return ok;
  if (const auto ok = storage::insert_issues(c.db, c.tenant, b_.row.id, created_, c.now); !ok) return ok;
  return note_sightings();
}

result<> application::take_links() {
  auto stored = storage::links_of_binding(b_.c.db, b_.c.tenant, b_.row.id);
  if (!stored) return stored.error();
  links_ = std::move(*stored);
  stored_links_ = links_.size();
  dirty_.assign(stored_links_, false);
  if (in_body_.empty() && (stored_links_ > 0 || !body_.mappings.empty()))
    for (const auto& issue : body_.issues) in_body_.insert(key_of(issue.ref));
  links_.reserve(stored_links_ + body_.mappings.size());
  for (const auto& row : body_.mappings) {
    const auto known = std::span{links_}.first(stored_links_);
    const auto [first, last] =
        std::ranges::equal_range(known, row.wp_id, {}, [](const link& l) { return l.wp.wp_id; });
    take_row(row, {first, last});
  }
  return {};
}

void application::take_row(const mapping_row& row, std::span<link> same_wp) {
  auto& n = out_.counts;
  const auto decided = decide(row, same_wp);
  if (decided.effect == row_effect::created) return make_link(row);
  auto& l = same_wp[decided.link];
  const auto index = static_cast<std::size_t>(&l - links_.data());
  rows_.emplace_back(&row, index);
  switch (decided.effect) {
    case row_effect::refreshed: break;
    case row_effect::retargeted:
      touch(l.target);
      retarget(l, row.target, b_.c.now);
      begin_presence(l, there(l.target), b_.row.tally.evidence - (body_.issues.empty() ? 0 : 1));
      break;
    case row_effect::kept_manual:
      out_.warnings.push_back({"manual_link_kept", "A link made by hand was kept for " + row.wp_id + ".",
                               "mappings[" + std::to_string(row.index) + "]", "{}", row.at});
      [[fallthrough]];
    default: ++n.links_unchanged; return;
  }
  refresh(l, row);
  touch(l.target);
  l.updated_at = b_.c.now;
  dirty_[index] = true;
  ++n.links_updated;
  out_.links_updated.push_back(l.id);
}

void application::make_link(const mapping_row& row) {
  auto& l = links_.emplace_back();
  l.id = link_id::make();
  l.binding = b_.row.id;
  l.project = b_.row.project;
  l.wp.wp_id = row.wp_id;
  l.target = row.target;
  refresh(l, row);
  l.claimed_at = l.created_at = l.updated_at = b_.c.now;
  l.ordinal = b_.row.tally.next_ordinal++;
  begin_presence(l, there(l.target), b_.row.tally.evidence - (body_.issues.empty() ? 0 : 1));
  touch(l.target);
  rows_.emplace_back(&row, links_.size() - 1);
  ++out_.counts.links_created;
  out_.links_created.push_back(l.id);
}

/// An empty issue list is no evidence.
void application::take_presence() {
  if (body_.issues.empty()) return;
  for (std::size_t i = 0; i < links_.size(); ++i)
    if (note_presence(links_[i], there(links_[i].target), evidence_) && i < stored_links_) dirty_[i] = true;
}

result<> application::evaluate_and_store_links() {
  auto& c = b_.c;
  std::vector<bool> wanted(links_.size(), policy_changed_);
  std::vector<link_state> before;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto& l = links_[i];
    before.push_back(l.state);
    const bool late = l.absent_count >= c.rules.missing_after;
    const bool crosses = l.absent_count == c.rules.missing_after ||
                         (late ? l.state == link_state::linked || l.state == link_state::unknown
                               : l.state == link_state::missing);
    if (crosses || i >= stored_links_ || touched_.contains(key_of(l.target))) wanted[i] = true;
  }
  if (const auto ok = evaluate_links(b_, links_, wanted); !ok) return ok;
  for (std::size_t i = 0; i < stored_links_; ++i)
    if (dirty_[i] || links_[i].state != before[i])
      if (const auto ok = storage::update_link(c.db, c.tenant, links_[i]); !ok) return ok;
  for (std::size_t i = 0; i < links_.size(); ++i)
    if (i >= stored_links_ || links_[i].state != before[i]) b_.relinked.push_back(links_[i].wp.wp_id);
  return storage::insert_links(c.db, c.tenant, std::span{links_}.subspan(stored_links_));
}

void application::warn_of_claims() {
  for (const auto& [row, index] : rows_)
    if (links_[index].state == link_state::contested)
      out_.warnings.push_back({"duplicate_claim", "Another work package claims " + row->target.id + ".",
                               "mappings[" + std::to_string(row->index) + "]", "{}", row->at});
}

}  // namespace

result<applied> apply(binding_change& b, const parsed_snapshot& s) { return application{b, s}.run(); }

}  // namespace connectord::tracker
