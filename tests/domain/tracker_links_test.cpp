#include "domain/tracker/diff.hpp"
#include "domain/tracker/links.hpp"
#include "tests/domain/tracker_support.hpp"

#include <doctest/doctest.h>

using namespace connectord;
using namespace connectord::tracker;
using namespace connectord::tracker::testing;

namespace {

using missions = std::vector<std::string>;

missions found(std::string mission, const std::vector<work_package>& all) {
  missions out;
  for (const auto* wp : possible_work_packages({"WP01", std::move(mission)}, all))
    out.push_back(wp->ref.mission);
  return out;
}

mapping_row row_to(std::string id) {
  return {.wp_id = "WP01", .target = issue_named(std::move(id)), .key = "K-1", .url = "https://x.example/1"};
}

link matching(const mapping_row& row, std::string mission = {}) {
  auto out = link_to(row.target.id, std::move(mission));
  out.external_key = row.key;
  out.external_url = row.url;
  return out;
}

}  // namespace

TEST_CASE("tracker links: a link means its mission's work package, or the only one of an open mission") {
  auto closed = package("old");
  closed.mission_closed = true;
  CHECK(found("", {}) == missions{});
  CHECK(found("", {package("a")}) == missions{"a"});
  CHECK(found("", {package(""), package("a")}) == missions{"", "a"});
  CHECK(found("", {closed, package("a")}) == missions{"a"});
  CHECK(found("", {closed}) == missions{"old"});
  auto older = package("older");
  older.mission_closed = true;
  CHECK(found("", {closed, older}) == missions{"old", "older"});
  CHECK(found("old", {closed, package("a")}) == missions{"old"});
  CHECK(found("b", {closed, package("a")}) == missions{});
}

TEST_CASE("tracker links: the earliest claim holds, and the next one when it goes") {
  std::vector<link> links{link_to("x"), link_to("x"), link_to("y"), link_to("x")};
  for (std::size_t i = 0; i < links.size(); ++i) {
    links[i].claimed_at = from_millis(1000);
    links[i].ordinal = static_cast<std::int64_t>(i);
  }
  CHECK(contested(links) == std::vector<bool>{false, true, false, true});
  links[3].claimed_at = from_millis(999);
  CHECK(contested(links) == std::vector<bool>{true, true, false, false});
  links.pop_back();
  CHECK(contested(links) == std::vector<bool>{false, true, false});
  links.erase(links.begin());
  CHECK(contested(links) == std::vector<bool>{false, false});
  CHECK(contested({}).empty());
}

TEST_CASE("tracker links: what a row does to the links that are there") {
  using enum row_effect;
  const auto row = row_to("x");
  const auto effect = [&](const std::vector<link>& links) { return decide(row, links).effect; };
  auto manual = matching(row_to("y"));
  manual.source = link_source::manual;
  CHECK(effect({}) == created);
  CHECK(effect({matching(row)}) == unchanged);
  CHECK(effect({link_to("x")}) == refreshed);
  CHECK(effect({link_to("y")}) == retargeted);
  CHECK(effect({manual}) == kept_manual);
  // A link with a mission is in nobody's way, and stands when it says the same.
  CHECK(effect({link_to("y", "m")}) == created);
  CHECK(effect({matching(row, "m")}) == unchanged);
  CHECK(effect({manual, matching(row, "m")}) == unchanged);

  manual.target = row.target;
  CHECK(effect({manual}) == unchanged);
  CHECK(decide(row, std::vector{matching(row, "m"), matching(row)}).link == 1);
  CHECK(decide(row, std::vector{link_to("y", "m"), link_to("z")}).link == 1);
}

TEST_CASE("tracker links: a row that was applied stands when it comes again") {
  const auto row = row_to("x");
  std::vector<link> links{link_to("y")};
  retarget(links[0], row.target, from_millis(5));
  refresh(links[0], row);
  CHECK(links[0].claimed_at == from_millis(5));
  CHECK(decide(row, links).effect == row_effect::unchanged);
}

TEST_CASE("tracker links: absence is counted in a row, and only its ends are stored") {
  auto l = link_to("x");
  begin_presence(l, true, 4);
  CHECK(l.in_latest_snapshot());
  CHECK(note_presence(l, false, 5));
  CHECK(l.absent_count == 1);
  CHECK_FALSE(l.in_latest_snapshot());
  CHECK_FALSE(note_presence(l, false, 6));
  CHECK(l.absent_count == 2);
  CHECK(note_presence(l, true, 7));
  CHECK(l.absent_count == 0);
  CHECK(l.in_latest_snapshot());
  CHECK_FALSE(note_presence(l, true, 8));
  CHECK(l.absent_count == 0);
}

TEST_CASE("tracker links: a link that begins without its issue was not absent yet") {
  auto l = link_to("x");
  begin_presence(l, false, 4);
  CHECK(l.absent_count == 0);
  CHECK_FALSE(l.in_latest_snapshot());
  count_absences(l, 6);
  CHECK(l.absent_count == 2);
}

TEST_CASE("tracker issues: only an older one of two dated ones is skipped") {
  using enum issue_effect;
  auto stored = content_of("x");
  auto incoming = stored;
  const auto effect = [&] {
    const auto mark = mark_of(stored);
    return compare(&mark, mark_of(incoming));
  };
  CHECK(compare(nullptr, mark_of(incoming)) == created);
  CHECK(effect() == unchanged);
  incoming.title = "Another";
  CHECK(effect() == updated);
  stored.updated_at = external_time{std::chrono::microseconds{2}};
  CHECK(effect() == updated);
  incoming.updated_at = external_time{std::chrono::microseconds{1}};
  CHECK(effect() == skipped_older);
  incoming.updated_at = stored.updated_at;
  CHECK(effect() == updated);
  incoming = stored;
  CHECK(effect() == unchanged);
}
