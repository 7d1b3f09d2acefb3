#include "domain/tracker/diff.hpp"
#include "domain/tracker/drift.hpp"
#include "domain/tracker/links.hpp"
#include "tests/domain/tracker_support.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

// Random histories of one binding, lived through twice: by the tracker's functions, which look only at what
// an event touches, and by a reference that knows the contract's words and evaluates everything anew.

using namespace connectord;
using namespace connectord::tracker;
using namespace connectord::tracker::testing;

namespace {

constexpr int missing_after = 2;

struct world {
  std::vector<work_package> packages;
  std::vector<link> links;
  std::map<std::string, issue_content> issues;
  doctrine policy;
  std::int64_t evidence = 0, ordinal = 0;
  std::vector<drift_record> records;
  timestamp now{};
  // For the reference: every snapshot that had issues, and how many there were when a link came to its
  // target.
  std::vector<std::map<std::string, issue_content>> log;
  std::map<link_id, std::size_t> since;
};

/// One fact in words; `-` for what is not there.
std::string fact(std::initializer_list<std::optional<std::string>> words) {
  std::string out;
  for (const auto& w : words) out.append(w ? *w : "-").append("|");
  return out;
}

using facts = std::multiset<std::string>;

facts told(const world& w) {
  facts out;
  for (const auto& r : w.records) {
    if (r.state != drift_state::open) continue;
    out.insert(
        fact({std::string{name_of(r.kind)}, r.link->str(), r.external->id, r.wp->mission, r.local_value,
              r.external_value, r.owner ? std::optional{std::string{name_of(*r.owner)}} : std::nullopt,
              std::string{name_of(r.direction)}, r.external_key}));
  }
  return out;
}

/// The reference: sections 3.4 and 5 of the contract, read aloud.
class reference {
 public:
  explicit reference(const world& w) : w_(w) {}

  facts truth() {
    for (const auto& l : w_.links) tell(l);
    return out_;
  }

 private:
  using text = std::optional<std::string>;

  void tell(const link& l) {
    for (const auto& o : w_.links) {
      const bool earlier =
          o.claimed_at < l.claimed_at || (o.claimed_at == l.claimed_at && o.ordinal < l.ordinal);
      if (o.target == l.target && earlier) return structural(l, "duplicate_claim");
    }
    const auto who = meant(l);
    const bool gone = absences(l) >= missing_after;
    if (who.empty()) structural(l, "orphan_link");
    if (who.size() > 1) structural(l, "ambiguous_mapping");
    if (gone) structural(l, "missing_external");
    if (who.size() == 1 && !gone && issue(l)) compare(l, *who[0], *issue(l));
  }

  void compare(const link& l, const work_package& wp, const issue_content& i) {
    static const std::set<std::string> fine{
        "planned todo",        "claimed todo",     "in_progress in_progress", "for_review in_review",
        "in_review in_review", "approved done",    "approved in_review",      "blocked blocked",
        "done done",           "canceled canceled"};
    const std::string lane{name_of(wp.lane)}, status{name_of(i.status)};
    if (!fine.contains(lane + " " + status)) field(l, wp, "status_mismatch", "status", lane, status);
    // Titles of these histories have no white space to collapse; names no letter case.
    if (wp.title && *wp.title != i.title && minded("title"))
      field(l, wp, "title_mismatch", "title", wp.title, i.title);
    if (wp.assignee && !i.assignees.empty() && minded("assignee")) {
      std::string all;
      bool among = false;
      for (const auto& a : i.assignees) {
        all += all.empty() ? a : "," + a;
        among = among || a == *wp.assignee;
      }
      if (!among) field(l, wp, "assignee_mismatch", "assignee", wp.assignee, all);
    }
    const int theirs = i.priority ? *i.priority : 0;
    const text ours = wp.priority ? text{std::to_string(*wp.priority)} : text{};
    if (theirs < 0 || theirs > 4) field(l, wp, "unmapped_value", "priority", ours, std::to_string(theirs));
    if (theirs > 0 && theirs < 5 && wp.priority && *wp.priority != theirs && minded("priority"))
      field(l, wp, "priority_mismatch", "priority", ours, std::to_string(theirs));
  }

  std::string owner(const std::string& name) const {
    if (w_.policy.mode == doctrine_mode::external_authoritative) return "external";
    if (w_.policy.mode == doctrine_mode::spec_kitty_authoritative) return "local";
    return w_.policy.field_owners.contains(name) ? std::string{name_of(w_.policy.field_owners.at(name))}
                                                 : "shared";
  }
  bool minded(const std::string& name) const { return owner(name) != "shared"; }

  void field(const link& l, const work_package& wp, std::string kind, const std::string& name, text ours,
             text theirs) {
    const auto who = owner(name);
    const auto where = who == "external" ? "spec_kitty_behind"
                       : who == "local"  ? "external_behind"
                                         : "manual_review";
    out_.insert(fact({kind, l.id.str(), l.target.id, wp.ref.mission, ours, theirs, who, where, key(l)}));
  }
  void structural(const link& l, std::string kind) {
    const auto who = meant(l);
    const auto mission = who.size() == 1 ? who[0]->ref.mission : l.wp.mission;
    out_.insert(fact({kind, l.id.str(), l.target.id, mission, {}, {}, {}, "manual_review", key(l)}));
  }

  std::vector<const work_package*> meant(const link& l) const {
    std::vector<const work_package*> exact, open, all;
    for (const auto& wp : w_.packages) {
      if (wp.ref.wp_id != l.wp.wp_id) continue;
      all.push_back(&wp);
      if (!wp.mission_closed) open.push_back(&wp);
      if (wp.ref.mission == l.wp.mission) exact.push_back(&wp);
    }
    if (!l.wp.mission.empty()) return exact;
    return open.empty() ? all : open;
  }
  int absences(const link& l) const {
    int out = 0;
    for (auto i = w_.log.size(); i > w_.since.at(l.id) && !w_.log[i - 1].contains(l.target.id); --i) ++out;
    return out;
  }
  std::optional<issue_content> issue(const link& l) const {
    std::optional<issue_content> out;
    for (const auto& snapshot : w_.log) {
      const auto found = snapshot.find(l.target.id);
      if (found == snapshot.end()) continue;
      const auto& next = found->second;
      if (out && out->updated_at && next.updated_at && *next.updated_at < *out->updated_at) continue;
      out = next;
    }
    return out;
  }
  text key(const link& l) const {
    const auto i = issue(l);
    return i && i->key ? i->key : l.external_key;
  }

  const world& w_;
  facts out_;
};

/// The tracker's functions at work; an event settles no more links than it must.
class history {
 public:
  explicit history(unsigned seed) : dice_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      w_.now = from_millis(i / 3);
      step();
      CHECK(told(w_) == reference{w_}.truth());
    }
    converge();
    CHECK(told(w_).empty());
  }

 private:
  unsigned roll(unsigned sides) { return static_cast<unsigned>(dice_()) % sides; }
  template <class T>
  T any() {
    return static_cast<T>(roll(static_cast<unsigned>(words<T>::all.size())));
  }
  std::string wp_name() { return "WP0" + std::to_string(roll(3)); }
  std::string issue_name() { return "i" + std::to_string(roll(4)); }
  std::string mission() { return std::array{"", "m", "n"}[roll(3)]; }
  std::optional<std::string> name() {
    return roll(3) == 0 ? std::nullopt : std::optional<std::string>{roll(2) == 0 ? "ann" : "bob"};
  }

  void step() {
    switch (roll(10)) {
      case 0:
      case 1:
      case 2: return snapshot(random_issues(), random_rows());
      case 3:
      case 4: return change_package();
      case 5: return close_mission();
      case 6: return add_link();
      case 7: return move_link();
      case 8: return remove_link();
      default: return change_policy();
    }
  }

  std::map<std::string, issue_content> random_issues() {
    std::map<std::string, issue_content> out;
    for (auto i = roll(4); i > 0; --i) {
      auto content = content_of(issue_name());
      if (roll(2) == 0) content.key = "K" + std::to_string(roll(3));
      content.status = any<external_status>();
      content.title = roll(2) == 0 ? "one" : "two";
      if (const auto who = name()) content.assignees = {*who};
      if (roll(3) == 0) content.assignees.push_back("cy");
      if (roll(3) != 0) content.priority = static_cast<int>(roll(8)) - 1;
      if (roll(2) == 0) content.updated_at = external_time{std::chrono::microseconds{roll(3)}};
      out.insert_or_assign(content.ref.id, std::move(content));
    }
    return out;
  }
  std::vector<mapping_row> random_rows() {
    std::map<std::string, mapping_row> out;
    for (auto i = roll(4); i > 0; --i) {
      mapping_row row{.wp_id = wp_name(), .target = issue_named(issue_name())};
      if (roll(2) == 0) row.key = "R" + std::to_string(roll(3));
      out.insert_or_assign(row.wp_id, std::move(row));
    }
    std::vector<mapping_row> rows;
    for (auto& [wp, row] : out) rows.push_back(std::move(row));
    return rows;
  }

  void snapshot(const std::map<std::string, issue_content>& issues, const std::vector<mapping_row>& rows) {
    for (const auto& [id, incoming] : issues) {
      const auto known = w_.issues.find(id);
      const auto mark = known == w_.issues.end() ? content_mark{} : mark_of(known->second);
      const auto effect = compare(known == w_.issues.end() ? nullptr : &mark, mark_of(incoming));
      if (effect != issue_effect::skipped_older) w_.issues.insert_or_assign(id, incoming);
    }
    for (const auto& row : rows) apply(row);
    if (!issues.empty()) {
      w_.log.push_back(issues);
      ++w_.evidence;
      for (auto& l : w_.links) note_presence(l, issues.contains(l.target.id), w_.evidence);
    }
    settle([](const link&) { return true; });
  }

  void apply(const mapping_row& row) {
    std::vector<link> same;
    for (const auto& l : w_.links)
      if (l.wp.wp_id == row.wp_id) same.push_back(l);
    const auto decision = decide(row, same);
    if (decision.effect == row_effect::created) return create({row.wp_id, ""}, row, link_source::snapshot);
    auto& l = find(same[decision.link].id);
    if (decision.effect == row_effect::retargeted) point(l, row.target);
    if (decision.effect == row_effect::retargeted || decision.effect == row_effect::refreshed)
      refresh(l, row);
  }

  void create(const wp_ref& wp, const mapping_row& row, link_source source) {
    auto l = link_to(row.target.id);
    l.wp = wp;
    l.source = source;
    l.ordinal = w_.ordinal++;
    refresh(l, row);
    point(l, row.target);
    w_.links.push_back(std::move(l));
  }

  void point(link& l, const identity& target) {
    retarget(l, target, w_.now);
    begin_presence(l, !w_.log.empty() && w_.log.back().contains(target.id), w_.evidence);
    w_.since[l.id] = w_.log.size();
  }

  void change_package() {
    const wp_ref ref{wp_name(), mission()};
    auto found = std::ranges::find(w_.packages, ref, &work_package::ref);
    if (found == w_.packages.end()) {
      work_package wp;
      wp.ref = ref;
      for (const auto& other : w_.packages)
        if (!ref.mission.empty() && other.ref.mission == ref.mission)
          wp.mission_closed = other.mission_closed;
      found = w_.packages.insert(w_.packages.end(), wp);
    }
    found->lane = any<lane>();
    found->assignee = name();
    found->title = roll(3) == 0 ? std::nullopt : std::optional<std::string>{roll(2) == 0 ? "one" : "two"};
    found->priority = roll(3) == 0 ? std::nullopt : std::optional{static_cast<int>(roll(4)) + 1};
    settle([&](const link& l) { return l.wp.wp_id == ref.wp_id; });
  }

  void close_mission() {
    const auto closing = mission();
    if (closing.empty()) return;
    std::set<std::string> touched;
    for (auto& wp : w_.packages) {
      if (wp.ref.mission != closing) continue;
      wp.mission_closed = true;
      touched.insert(wp.ref.wp_id);
    }
    settle([&](const link& l) { return touched.contains(l.wp.wp_id); });
  }

  void add_link() {
    const wp_ref wp{wp_name(), mission()};
    if (std::ranges::find(w_.links, wp, &link::wp) != w_.links.end()) return;
    create(wp, {.target = issue_named(issue_name())}, link_source::manual);
    const auto target = w_.links.back().target;
    settle([&](const link& l) { return l.target == target; });
  }
  void move_link() {
    if (w_.links.empty()) return;
    auto& l = w_.links[roll(static_cast<unsigned>(w_.links.size()))];
    const auto before = l.target, after = issue_named(issue_name());
    l.source = link_source::manual;
    if (after != before) point(l, after);
    settle([&](const link& one) { return one.target == before || one.target == after; });
  }
  void remove_link() {
    if (w_.links.empty()) return;
    const auto gone = w_.links.begin() + roll(static_cast<unsigned>(w_.links.size()));
    const auto target = gone->target;
    for (auto& r : w_.records)
      if (r.link == gone->id && r.state == drift_state::open)
        resolve(r, resolution::link_removed, w_.now, std::nullopt);
    w_.links.erase(gone);
    settle([&](const link& l) { return l.target == target; });
  }

  void change_policy() {
    w_.policy = {any<doctrine_mode>(), {}};
    for (const auto* field : {"status", "title", "assignee", "priority"})
      if (roll(3) != 0) w_.policy.field_owners[field] = any<owner>();
    settle([](const link&) { return true; });
  }

  /// One link a work package, and issues that say what the work packages say.
  void converge() {
    while (!w_.links.empty()) remove_link();
    std::map<std::string, work_package> one_each;
    for (const auto& wp : w_.packages) one_each.emplace(wp.ref.wp_id, wp);
    w_.packages.clear();
    std::map<std::string, issue_content> issues;
    std::vector<mapping_row> rows;
    for (const auto& [id, wp] : one_each) {
      w_.packages.push_back(wp);
      auto content = content_of("of-" + id);
      content.status = expected_status(wp.lane);
      content.title = wp.title.value_or("");
      if (wp.assignee) content.assignees = {*wp.assignee};
      content.priority = wp.priority;
      rows.push_back({.wp_id = id, .target = content.ref});
      issues.emplace(content.ref.id, content);
    }
    snapshot(issues, rows);
  }

  link& find(const link_id& id) { return *std::ranges::find(w_.links, id, &link::id); }

  template <class Touched>
  void settle(Touched touched) {
    const auto claimed_by_another = contested(w_.links);
    for (std::size_t i = 0; i < w_.links.size(); ++i)
      if (touched(w_.links[i])) settle(w_.links[i], claimed_by_another[i]);
  }

  void settle(const link& l, bool is_contested) {
    std::vector<work_package> same;
    for (const auto& wp : w_.packages)
      if (wp.ref.wp_id == l.wp.wp_id) same.push_back(wp);
    const auto meant = possible_work_packages(l.wp, same);
    const auto known = w_.issues.find(l.target.id);
    const auto seen = evaluate({l, is_contested, meant, known == w_.issues.end() ? nullptr : &known->second,
                                w_.policy, missing_after});
    std::vector<drift_record> open;
    for (const auto& r : w_.records)
      if (r.link == l.id && r.state == drift_state::open) open.push_back(r);
    write(reconcile(open, seen), l);
  }

  void write(const reconciliation& change, const link& l) {
    const auto record = [&](const drift_id& id) -> drift_record& {
      return *std::ranges::find(w_.records, id, &drift_record::id);
    };
    for (const auto& [id, f] : change.changed) update(record(id), f, w_.now);
    for (const auto& [id, how] : change.resolved) {
      resolve(record(id), how, w_.now, std::nullopt);
      // Whoever reads "reconciled" believes that the link's own issue is fine in that respect.
      if (how == resolution::reconciled) CHECK(record(id).external == l.target);
    }
    for (const auto& f : change.opened)
      w_.records.push_back(open_record(f, {}, drift_id::make(), w_.now, std::nullopt));
  }

  world w_;
  std::minstd_rand dice_;
};

unsigned seeds() {
  const char* wanted = std::getenv("CONNECTORD_SEEDS");
  return wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 500;
}

}  // namespace

TEST_CASE("tracker history: what is told is what is true, after every step of any history") {
  for (unsigned seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    history{seed}.run(60);
  }
}
