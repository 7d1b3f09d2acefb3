#include "domain/tracker/drift.hpp"
#include "tests/domain/tracker_support.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace connectord;
using namespace connectord::tracker;
using namespace connectord::tracker::testing;
using namespace std::chrono_literals;

namespace {

constexpr timestamp now{1'800'000'000s};

/// One link, its work packages and its issue; nothing drifts until a test says so.
struct scene {
  link l = link_to("a-1");
  std::vector<work_package> packages{package("m")};
  std::optional<issue_content> issue = content_of("a-1");
  doctrine policy;
  bool contested = false;
  std::vector<drift_record> records;

  work_package& wp() { return packages.front(); }

  evaluation look() const {
    const auto found = candidates();
    return evaluate({l, contested, found, issue ? &*issue : nullptr, policy, 2});
  }
  std::vector<drift_kind> kinds() const {
    std::vector<drift_kind> out;
    for (const auto& f : look().findings) out.push_back(f.kind);
    return out;
  }
  /// Of the only finding.
  finding only() const {
    auto all = look().findings;
    REQUIRE(all.size() == 1);
    return all.front();
  }
  /// Does what ingestion does with its records, and says what that was.
  reconciliation settle() {
    auto out = reconcile(open(), look());
    for (auto& r : records) {
      for (const auto& [id, f] : out.changed)
        if (r.id == id) update(r, f, now);
      for (const auto& [id, how] : out.resolved)
        if (r.id == id) resolve(r, how, now, std::nullopt);
    }
    for (const auto& f : out.opened)
      records.push_back(open_record(f, {}, drift_id::make(), now, std::nullopt));
    return out;
  }
  std::vector<drift_record> open() const {
    std::vector<drift_record> out;
    for (const auto& r : records)
      if (r.state == drift_state::open) out.push_back(r);
    return out;
  }
  /// How the only record that ends now ends.
  resolution ending() {
    const auto out = settle();
    REQUIRE(out.resolved.size() == 1);
    return out.resolved.front().how;
  }

 private:
  std::vector<const work_package*> candidates() const {
    std::vector<const work_package*> out;
    for (const auto& p : packages) out.push_back(&p);
    return out;
  }
};

using list = std::vector<drift_kind>;
using enum drift_kind;

scene status_drift() {
  scene s;
  s.wp().lane = lane::done;
  s.settle();
  return s;
}

}  // namespace

TEST_CASE("tracker drift: lanes and statuses") {
  using s = external_status;
  const std::pair<lane, std::vector<s>> table[] = {{lane::planned, {s::todo}},
                                                   {lane::claimed, {s::todo}},
                                                   {lane::in_progress, {s::in_progress}},
                                                   {lane::for_review, {s::in_review}},
                                                   {lane::in_review, {s::in_review}},
                                                   {lane::approved, {s::in_review, s::done}},
                                                   {lane::blocked, {s::blocked}},
                                                   {lane::done, {s::done}},
                                                   {lane::canceled, {s::canceled}}};
  CHECK(std::size(table) == words<lane>::all.size());
  for (const auto& [l, fine] : table) {
    CAPTURE(name_of(l));
    CHECK(expected_status(l) == fine.front());
    for (const auto name : words<s>::all) {
      const auto status = parse<s>(name).value();
      const bool is_fine = std::ranges::find(fine, status) != fine.end();
      CHECK(in_sync(l, status) == is_fine);
      scene drifting;
      drifting.wp().lane = l;
      drifting.issue->status = status;
      CHECK(drifting.kinds() == (is_fine ? list{} : list{status_mismatch}));
    }
  }
  for (const auto name : words<s>::all) {
    const auto status = parse<s>(name).value();
    CHECK(in_sync(lane_for(status), status));
  }
  CHECK(lane_for(s::in_review) == lane::for_review);
}

TEST_CASE("tracker drift: who owns a field, and who is behind then") {
  const doctrine theirs, ours{doctrine_mode::spec_kitty_authoritative, {{"title", owner::external}}};
  const doctrine split{doctrine_mode::split_ownership,
                       {{"title", owner::external}, {"status", owner::local}}};
  CHECK(owner_of(theirs, "title") == owner::external);
  CHECK(owner_of(ours, "title") == owner::local);
  CHECK(owner_of(split, "title") == owner::external);
  CHECK(owner_of(split, "status") == owner::local);
  CHECK(owner_of(split, "assignee") == owner::shared);
  CHECK(direction_of(owner::external) == direction::spec_kitty_behind);
  CHECK(direction_of(owner::local) == direction::external_behind);
  CHECK(direction_of(owner::shared) == direction::manual_review);
}

TEST_CASE("tracker drift: severities and fields") {
  for (const auto kind :
       {duplicate_claim, orphan_link, ambiguous_mapping, missing_external, stale_snapshot}) {
    CHECK(severity_of(kind) == severity::warning);
    CHECK_FALSE(field_of(kind).has_value());
  }
  CHECK(severity_of(status_mismatch) == severity::warning);
  CHECK(field_of(status_mismatch) == "status");
  for (const auto kind : {title_mismatch, assignee_mismatch, priority_mismatch, unmapped_value})
    CHECK(severity_of(kind) == severity::info);
  CHECK(field_of(unmapped_value) == "priority");
}

TEST_CASE("tracker drift: the state of a link is the first that holds") {
  scene s;
  CHECK(s.look().state == link_state::linked);
  s.issue.reset();
  CHECK(s.look().state == link_state::unknown);
  s.l.absent_count = 2;
  CHECK(s.look().state == link_state::missing);
  s.packages.push_back(package("n"));
  CHECK(s.look().state == link_state::ambiguous);
  s.packages.clear();
  CHECK(s.look().state == link_state::orphan);
  s.contested = true;
  CHECK(s.look().state == link_state::contested);
}

TEST_CASE("tracker drift: structural kinds hide the fields, and a claim hides everything") {
  auto s = status_drift();
  s.l.absent_count = 1;
  CHECK(s.kinds() == list{status_mismatch});
  s.l.absent_count = 2;
  CHECK(s.kinds() == list{missing_external});
  s.packages.push_back(package("n"));
  CHECK(s.kinds() == list{ambiguous_mapping, missing_external});
  s.packages.clear();
  CHECK(s.kinds() == list{orphan_link, missing_external});
  s.contested = true;
  CHECK(s.kinds() == list{duplicate_claim});
  const auto f = s.only();
  CHECK(f.direction == direction::manual_review);
  CHECK_FALSE(f.owner.has_value());
  CHECK_FALSE(f.local_value.has_value());
}

TEST_CASE("tracker drift: an issue that was never seen says nothing") {
  auto s = status_drift();
  s.issue.reset();
  CHECK(s.kinds().empty());
  s.packages.clear();
  CHECK(s.kinds() == list{orphan_link});
}

TEST_CASE("tracker drift: a finding names everything that a reader needs") {
  scene s;
  s.l.external_key = "OLD-1";
  s.l.external_url = "https://x.example/old";
  s.issue->key = "ENG-1";
  s.wp().lane = lane::approved;
  auto f = s.only();
  CHECK(f.link == s.l.id);
  CHECK(f.wp == wp_ref{"WP01", "m"});  // of the work package that was found; the link has no mission
  CHECK(f.external == s.l.target);
  CHECK(f.external_key == "ENG-1");
  CHECK(f.external_url == "https://x.example/old");
  CHECK(f.local_value == "approved");
  CHECK(f.external_value == "todo");
  CHECK(f.owner == owner::external);
  CHECK(f.direction == direction::spec_kitty_behind);
  s.policy.mode = doctrine_mode::split_ownership;
  f = s.only();
  CHECK(f.owner == owner::shared);
  CHECK(f.direction == direction::manual_review);
}

TEST_CASE("tracker drift: titles") {
  scene s;
  CHECK(s.kinds().empty());  // a title that is not known
  s.wp().title = " Fix\t login ";
  CHECK(s.kinds().empty());
  s.wp().title = "fix login";
  CHECK(s.only().kind == title_mismatch);
  CHECK(s.only().local_value == "fix login");
  CHECK(s.only().external_value == "Fix login");
  s.policy.mode = doctrine_mode::split_ownership;
  CHECK(s.kinds().empty());
  s.policy.field_owners["title"] = owner::local;
  CHECK(s.only().direction == direction::external_behind);
}

TEST_CASE("tracker drift: assignees") {
  scene s;
  s.issue->assignees = {"ann", "bob"};
  CHECK(s.kinds().empty());
  s.wp().assignee = " Bob";
  CHECK(s.kinds().empty());
  s.wp().assignee = "cy";
  CHECK(s.only().kind == assignee_mismatch);
  CHECK(s.only().local_value == "cy");
  CHECK(s.only().external_value == "ann,bob");
  s.policy.mode = doctrine_mode::split_ownership;
  CHECK(s.kinds().empty());
  s.policy.mode = doctrine_mode::spec_kitty_authoritative;
  s.issue->assignees.clear();
  CHECK(s.kinds().empty());
}

TEST_CASE("tracker drift: priorities") {
  scene s;
  const auto kinds = [&](std::optional<int> ours, std::optional<int> theirs) {
    s.wp().priority = ours;
    s.issue->priority = theirs;
    return s.kinds();
  };
  CHECK(kinds(std::nullopt, 3).empty());
  CHECK(kinds(3, std::nullopt).empty());
  CHECK(kinds(3, 0).empty());
  CHECK(kinds(3, 3).empty());
  CHECK(kinds(3, 5) == list{unmapped_value});
  CHECK(kinds(std::nullopt, -1) == list{unmapped_value});
  CHECK(kinds(3, 4) == list{priority_mismatch});
  CHECK(s.only().local_value == "3");
  CHECK(s.only().external_value == "4");
  s.policy.mode = doctrine_mode::split_ownership;
  CHECK(kinds(3, 4).empty());
  CHECK(kinds(3, 5) == list{unmapped_value});
  CHECK(s.only().direction == direction::manual_review);
}

TEST_CASE("tracker drift: a record opens once, and a new one when it comes back") {
  auto s = status_drift();
  REQUIRE(s.open().size() == 1);
  const auto first = s.open().front();
  CHECK(first.kind == status_mismatch);
  CHECK(first.field == "status");
  CHECK(first.opened_at == now);
  const auto again = s.settle();
  CHECK((again.opened.empty() && again.changed.empty() && again.resolved.empty()));
  s.issue->status = external_status::done;
  CHECK(s.ending() == resolution::reconciled);
  CHECK(s.records.front().resolved_at == now);
  s.issue->status = external_status::todo;
  CHECK(s.settle().opened.size() == 1);
  CHECK(s.open().front().id != first.id);
}

TEST_CASE("tracker drift: what changes while open is updated in place") {
  auto s = status_drift();
  const auto changes = [&] {
    const auto out = s.settle();
    CHECK((out.opened.empty() && out.resolved.empty()));
    return out.changed.size();
  };
  s.issue->status = external_status::blocked;
  CHECK(changes() == 1);
  CHECK(s.open().front().external_value == "blocked");
  s.policy.mode = doctrine_mode::spec_kitty_authoritative;
  CHECK(changes() == 1);
  CHECK(s.open().front().owner == owner::local);
  s.l.external_key = "ENG-9";
  CHECK(changes() == 1);
  s.wp().ref.mission = "n";
  CHECK(changes() == 1);
  s.issue->body = "of no interest";
  CHECK(changes() == 0);
}

TEST_CASE("tracker drift: what a structural kind hides is superseded") {
  for (const int how : {0, 1, 2}) {
    auto s = status_drift();
    if (how == 0) s.packages.clear();
    if (how == 1) s.l.absent_count = 2;
    if (how == 2) s.contested = true;
    CHECK(s.ending() == resolution::superseded);
    CHECK(s.open().size() == 1);
  }
  // Even where the values have come to agree meanwhile: nobody can see that now.
  auto s = status_drift();
  s.issue->status = external_status::done;
  s.contested = true;
  CHECK(s.ending() == resolution::superseded);
}

TEST_CASE("tracker drift: structural kinds end reconciled, unless a claim hides them") {
  scene s;
  s.packages.clear();
  s.settle();
  s.packages = {package(), package("m")};
  CHECK(s.ending() == resolution::reconciled);
  s.l.absent_count = 2;
  s.settle();
  s.packages.pop_back();
  CHECK(s.ending() == resolution::reconciled);
  s.contested = true;
  CHECK(s.ending() == resolution::superseded);  // missing_external
  s.contested = false;
  s.l.absent_count = 0;
  CHECK(s.ending() == resolution::reconciled);
  CHECK(s.open().empty());
}

TEST_CASE("tracker drift: a link that moves takes its drift along as superseded, and may open another") {
  auto s = status_drift();
  s.l.target = issue_named("a-2");
  s.issue = content_of("a-2");
  const auto out = s.settle();
  REQUIRE(out.resolved.size() == 1);
  CHECK(out.resolved.front().how == resolution::superseded);
  REQUIRE(out.opened.size() == 1);
  CHECK(out.opened.front().external == s.l.target);
}

TEST_CASE("tracker drift: a policy that no longer minds supersedes; values that agree reconcile") {
  for (const bool agree : {false, true}) {
    scene s;
    s.wp().title = "Another";
    s.settle();
    s.policy.mode = doctrine_mode::split_ownership;
    if (agree) s.wp().title = s.issue->title;
    CHECK(s.ending() == (agree ? resolution::reconciled : resolution::superseded));
  }
}

TEST_CASE("tracker drift: an unmapped value takes the place of a mismatch") {
  scene s;
  s.wp().priority = 1;
  s.issue->priority = 2;
  s.settle();
  s.issue->priority = 9;
  CHECK(s.ending() == resolution::superseded);
  CHECK(s.open().front().kind == unmapped_value);
}

TEST_CASE("tracker drift: a binding's snapshot goes stale, and a new one settles it") {
  binding b;
  policy limits;
  limits.stale_after = 10s;
  const auto kinds = [&](milliseconds age, binding_state state) {
    b.last_snapshot_at = now - age;
    b.state = state;
    return evaluate(b, limits, now).findings.size();
  };
  CHECK(evaluate(b, limits, now).findings.empty());
  CHECK(kinds(10s, binding_state::active) == 0);
  CHECK(kinds(11s, binding_state::disabled) == 0);
  CHECK(kinds(11s, binding_state::deleted) == 0);
  CHECK(kinds(10s + 1ms, binding_state::discovered) == 1);
  CHECK(kinds(10s + 1ms, binding_state::active) == 1);

  const auto found = evaluate(b, limits, now).findings.front();
  CHECK(found.kind == stale_snapshot);
  CHECK(found.direction == direction::none);
  const std::array open{open_record(found, b, drift_id::make(), now, std::nullopt)};
  CHECK(open[0].severity == severity::warning);
  CHECK_FALSE(open[0].link.has_value());
  CHECK(reconcile(open, evaluate(b, limits, now)).resolved.empty());
  b.last_snapshot_at = now;
  const auto end = reconcile(open, evaluate(b, limits, now));
  REQUIRE(end.resolved.size() == 1);
  CHECK(end.resolved.front().how == resolution::reconciled);
}
