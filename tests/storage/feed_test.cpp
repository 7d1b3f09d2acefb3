#include "storage/tracker/activity.hpp"
#include "storage/tracker/bindings.hpp"
#include "tests/storage/stores.hpp"

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

struct feed {
  session& s;
  tenant_id t = add_tenant(s);

  void row(std::string type, std::string summary, timestamp at = noon, std::string who = "ana") const {
    tracker::activity a;
    a.id = tracker::activity_id::make();
    a.type = std::move(type);
    a.occurred_at = a.recorded_at = at;
    a.summary = std::move(summary);
    a.actor = {tracker::actor_kind::client, std::move(who)};
    REQUIRE(append_activity(s, t, {&a, 1}));
  }
  activity_page page(const tracker::activity_filter& f, const keyset& at = {},
                     std::int64_t bound = 1000) const {
    auto found = list_activity(s, t, f, at, bound);
    REQUIRE(found);
    return std::move(*found);
  }
  std::vector<std::int64_t> seqs(const tracker::activity_filter& f) const {
    std::vector<std::int64_t> out;
    for (const auto& a : page(f).rows) out.push_back(a.seq);
    return out;
  }
};

using numbers = std::vector<std::int64_t>;

tracker::activity_filter with_text(std::string text) {
  tracker::activity_filter f;
  f.text = std::move(text);
  return f;
}

}  // namespace

TEST_CASE("a feed is searched by part of a summary or of whoever did it, in any letter case") {
  EACH_STORE(store);
  const auto s = store.open();
  const feed f{*s};
  f.row("Note", "Fix the LOGIN");
  f.row("Note", "100% done", noon, "Bob");
  f.row("Other", "100 done_");
  CHECK(f.seqs(with_text("login")) == numbers{1});
  CHECK(f.seqs(with_text("bOB")) == numbers{2});
  CHECK(f.seqs(with_text("0%")) == numbers{2});  // no pattern of whoever asks
  CHECK(f.seqs(with_text("done_")) == numbers{3});
  auto both = with_text("100");
  both.types = {"Note"};
  CHECK(f.seqs(both) == numbers{2});
  CHECK(f.seqs(with_text("nothing like it")).empty());
}

TEST_CASE("a feed is cut by the time of recording, which never goes back in it") {
  EACH_STORE(store);
  const auto s = store.open();
  const feed f{*s};
  for (const int n : {0, 10, 5, 20}) f.row("Note", "n", noon + seconds{n});  // the clock went back once
  const auto between = [&](int from, int to) {
    tracker::activity_filter only;
    only.from = noon + seconds{from}, only.to = noon + seconds{to};
    return f.seqs(only);
  };
  CHECK(between(0, 30) == numbers{4, 3, 2, 1});
  CHECK(between(1, 10) == numbers{3, 2});
  CHECK(between(11, 20) == numbers{4});
  CHECK(between(21, 30).empty());
  CHECK(between(-10, -1).empty());
  CHECK(f.page({}).rows.at(1).recorded_at == noon + seconds{10});
}

TEST_CASE("what no index answers stops at its bound and goes on there") {
  EACH_STORE(store);
  const auto s = store.open();
  const feed f{*s};
  for (int n = 1; n <= 25; ++n) f.row("Note", n % 10 == 3 ? "needle" : "hay");
  std::vector<std::int64_t> found;
  int pages = 0;
  keyset at{std::nullopt, 50};
  for (bool more = true; more; ++pages) {
    const auto page = f.page(with_text("needle"), at, 10);
    for (const auto& a : page.rows) found.push_back(a.seq);
    more = page.next.has_value();
    CHECK(page.stopped == more);
    if (more) at.after = sort_key{*page.next};
  }
  CHECK(pages == 3);
  CHECK(found == numbers{23, 13, 3});
  tracker::activity_filter indexed;
  indexed.types = {"Note"};
  const auto all = f.page(indexed, {std::nullopt, 50}, 10);
  CHECK((all.rows.size() == 25 && !all.stopped && !all.next));
  auto since = with_text("needle");
  since.since = 20;
  CHECK(!f.page(since, {std::nullopt, 50}, 10).stopped);
}
