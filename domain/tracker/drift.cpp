#include "domain/tracker/drift.hpp"

#include "domain/tracker/health.hpp"
#include "domain/tracker/text.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace connectord::tracker {

external_status expected_status(lane l) {
  switch (l) {
    case lane::planned:
    case lane::claimed: return external_status::todo;
    case lane::in_progress: return external_status::in_progress;
    case lane::for_review:
    case lane::in_review:
    case lane::approved: return external_status::in_review;
    case lane::blocked: return external_status::blocked;
    case lane::done: return external_status::done;
    case lane::canceled: return external_status::canceled;
  }
  return external_status::todo;
}

bool in_sync(lane l, external_status s) {
  return s == expected_status(l) || (l == lane::approved && s == external_status::done);
}

lane lane_for(external_status s) {
  switch (s) {
    case external_status::todo: return lane::planned;
    case external_status::in_progress: return lane::in_progress;
    case external_status::in_review: return lane::for_review;
    case external_status::blocked: return lane::blocked;
    case external_status::done: return lane::done;
    case external_status::canceled: return lane::canceled;
  }
  return lane::planned;
}

owner owner_of(const doctrine& policy, std::string_view field) {
  switch (policy.mode) {
    case doctrine_mode::external_authoritative: return owner::external;
    case doctrine_mode::spec_kitty_authoritative: return owner::local;
    case doctrine_mode::split_ownership: break;
  }
  const auto found = policy.field_owners.find(field);
  return found == policy.field_owners.end() ? owner::shared : found->second;
}

direction direction_of(owner o) {
  switch (o) {
    case owner::external: return direction::spec_kitty_behind;
    case owner::local: return direction::external_behind;
    case owner::shared: break;
  }
  return direction::manual_review;
}

std::optional<std::string_view> field_of(drift_kind k) {
  switch (k) {
    case drift_kind::status_mismatch: return "status";
    case drift_kind::title_mismatch: return "title";
    case drift_kind::assignee_mismatch: return "assignee";
    case drift_kind::priority_mismatch:
    case drift_kind::unmapped_value: return "priority";
    default: return std::nullopt;
  }
}

severity severity_of(drift_kind k) {
  return field_of(k) && k != drift_kind::status_mismatch ? severity::info : severity::warning;
}

namespace {

bool structural(drift_kind k) { return !field_of(k) && k != drift_kind::stale_snapshot; }

using values = std::pair<std::optional<std::string>, std::optional<std::string>>;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out.append(out.empty() ? "" : ",").append(name);
  return out;
}

/// Evaluates one link; `wp` and `issue` are looked at once both are known.
class evaluator {
 public:
  explicit evaluator(const link_facts& facts) : facts_(facts) { out_.target = facts.link.target; }

  evaluation run() && {
    const auto& f = facts_;
    const bool missing = f.link.absent_count >= f.missing_after;
    out_.state = state(missing);
    if (f.contested) {
      add(drift_kind::duplicate_claim);
      return std::move(out_);
    }
    if (f.candidates.empty()) add(drift_kind::orphan_link);
    if (f.candidates.size() > 1) add(drift_kind::ambiguous_mapping);
    if (missing) add(drift_kind::missing_external);
    if (out_.findings.empty() && f.issue != nullptr) compare(*f.candidates.front(), *f.issue);
    return std::move(out_);
  }

 private:
  link_state state(bool missing) const {
    if (facts_.contested) return link_state::contested;
    if (facts_.candidates.empty()) return link_state::orphan;
    if (facts_.candidates.size() > 1) return link_state::ambiguous;
    if (missing) return link_state::missing;
    return facts_.issue == nullptr ? link_state::unknown : link_state::linked;
  }

  void compare(const work_package& wp, const issue_content& issue) {
    if (!in_sync(wp.lane, issue.status))
      add(drift_kind::status_mismatch, {std::string{name_of(wp.lane)}, std::string{name_of(issue.status)}});
    if (wp.title && *wp.title != issue.title && collapsed(*wp.title) != collapsed(issue.title))
      add_if_owned(drift_kind::title_mismatch, {wp.title, issue.title});
    compare_assignee(wp, issue);
    compare_priority(wp, issue);
  }

  void compare_assignee(const work_package& wp, const issue_content& issue) {
    if (!wp.assignee || issue.assignees.empty()) return;
    const auto is_it = [&](const std::string& name) { return same_name(name, *wp.assignee); };
    if (std::ranges::none_of(issue.assignees, is_it))
      add_if_owned(drift_kind::assignee_mismatch, {wp.assignee, joined(issue.assignees)});
  }

  void compare_priority(const work_package& wp, const issue_content& issue) {
    const int theirs = issue.priority.value_or(0);
    if (theirs == 0 || wp.priority == theirs) return;
    const values both{wp.priority ? std::optional{std::to_string(*wp.priority)} : std::nullopt,
                      std::to_string(theirs)};
    if (theirs < 0 || theirs > 4) {
      add(drift_kind::unmapped_value, both);
      out_.unsaid.set(static_cast<std::size_t>(drift_kind::priority_mismatch));
    } else if (wp.priority) {
      add_if_owned(drift_kind::priority_mismatch, both);
    }
  }

  void add_if_owned(drift_kind k, values both) {
    if (owner_of(facts_.policy, *field_of(k)) == owner::shared)
      out_.unsaid.set(static_cast<std::size_t>(k));
    else
      add(k, std::move(both));
  }

  void add(drift_kind k, values both = {}) {
    const auto& l = facts_.link;
    finding f{.kind = k, .link = l.id, .wp = l.wp, .external = l.target};
    if (facts_.candidates.size() == 1) f.wp = facts_.candidates.front()->ref;
    const auto* issue = facts_.issue;
    f.external_key = issue && issue->key ? issue->key : l.external_key;
    f.external_url = issue && issue->url ? issue->url : l.external_url;
    if (const auto field = field_of(k)) {
      f.owner = owner_of(facts_.policy, *field);
      f.direction = direction_of(*f.owner);
    }
    std::tie(f.local_value, f.external_value) = std::move(both);
    out_.findings.push_back(std::move(f));
  }

  const link_facts& facts_;
  evaluation out_;
};

/// At most one record of these is open (5.4); the binding is the caller's.
bool same_subject(const drift_record& r, const finding& f) {
  return r.kind == f.kind && r.link == f.link && r.external == f.external;
}

auto face(const auto& it) {
  return std::tie(it.wp, it.external_key, it.external_url, it.local_value, it.external_value, it.owner,
                  it.direction);
}

resolution why_gone(const drift_record& r, const evaluation& now) {
  const bool claimed_by_another = std::ranges::any_of(
      now.findings, [](const finding& f) { return f.kind == drift_kind::duplicate_claim; });
  const bool hidden =
      field_of(r.kind) ? std::ranges::any_of(now.findings, structural, &finding::kind) : claimed_by_another;
  const bool elsewhere = r.external != now.target;
  const bool unsaid = now.unsaid.test(static_cast<std::size_t>(r.kind));
  return hidden || elsewhere || unsaid ? resolution::superseded : resolution::reconciled;
}

}  // namespace

evaluation evaluate(const link_facts& facts) { return evaluator{facts}.run(); }

evaluation evaluate(const binding& b, const policy& limits, timestamp now) {
  evaluation out;
  if (b.evaluated() && is_stale(b.last_snapshot_at, limits, now))
    out.findings.push_back({.kind = drift_kind::stale_snapshot, .direction = direction::none});
  return out;
}

reconciliation reconcile(std::span<const drift_record> open, const evaluation& now) {
  reconciliation out;
  for (const auto& record : open) {
    const auto found =
        std::ranges::find_if(now.findings, [&](const auto& f) { return same_subject(record, f); });
    if (found == now.findings.end())
      out.resolved.push_back({record.id, why_gone(record, now)});
    else if (face(record) != face(*found))
      out.changed.push_back({record.id, *found});
  }
  for (const auto& f : now.findings)
    if (std::ranges::none_of(open, [&](const auto& record) { return same_subject(record, f); }))
      out.opened.push_back(f);
  return out;
}

drift_record open_record(const finding& f, const binding& b, drift_id id, timestamp now,
                         const std::optional<snapshot_id>& by) {
  drift_record out{.id = id, .binding = b.id, .project = b.project, .link = f.link, .kind = f.kind};
  out.severity = severity_of(f.kind);
  if (const auto field = field_of(f.kind)) out.field = *field;
  out.external = f.external;
  update(out, f, now);
  out.opened_at = now;
  out.opened_by = by;
  return out;
}

void update(drift_record& record, const finding& f, timestamp now) {
  record.wp = f.wp;
  record.external_key = f.external_key;
  record.external_url = f.external_url;
  record.local_value = f.local_value;
  record.external_value = f.external_value;
  record.owner = f.owner;
  record.direction = f.direction;
  record.updated_at = now;
}

void resolve(drift_record& record, resolution how, timestamp now, const std::optional<snapshot_id>& by) {
  record.state = drift_state::resolved;
  record.resolution = how;
  record.updated_at = now;
  record.resolved_at = now;
  record.resolved_by = by;
}

}  // namespace connectord::tracker
