#include "storage/grounded_signals.hpp"
#include "storage/retention.hpp"
#include "storage/signal_configs.hpp"
#include "storage/signals.hpp"
#include "storage/tenants.hpp"
#include "tests/storage/stores.hpp"

#include <set>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

namespace {

const grounding::bag_of_words some_words{{3, 1}, {300, 2}, {767, 100}};

grounded_signal sample_grounded(double total = 0.5, timestamp at = noon) {
  grounded_signal g;
  g.id = grounded_id::make();
  g.signal = signal_id::make();
  g.scores.each = {0.5, 0.25, 1, 0, 0.75, 0.125};
  g.scores.total = total;
  g.evidence = R"({"cluster_size":1})";
  g.recommendation = "Look.";
  g.created_at = g.updated_at = at;
  return g;
}

grounded_signal add(session& s, tenant_id t, double total = 0.5, timestamp at = noon, bool notify = false) {
  auto g = sample_grounded(total, at);
  REQUIRE(*insert_grounded(s, t, g, {g.id, some_words, at}, notify));
  return g;
}

std::vector<grounded_id> ids_of(const result<std::vector<grounded_signal>>& rows) {
  std::vector<grounded_id> out;
  for (const auto& g : *rows) out.push_back(g.id);
  return out;
}

}  // namespace

TEST_CASE("a grounded signal comes back as it was written, once for each cluster") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s), other = add_tenant(*s);
  auto g = add(*s, t);
  auto found = **find_grounded(*s, t, g.id);
  CHECK(found.signal == g.signal);
  CHECK(found.scores == g.scores);
  CHECK(found.status == grounded_status::recommended);
  CHECK(found.evidence == g.evidence);
  CHECK(found.recommendation == g.recommendation);
  CHECK(!find_grounded(*s, other, g.id)->has_value());

  auto again = sample_grounded();
  again.signal = g.signal;
  CHECK_FALSE(*insert_grounded(*s, t, again, {again.id, some_words, noon}, false));
  CHECK(*insert_grounded(*s, other, again, {again.id, some_words, noon}, false));

  g.status = grounded_status::actioned;
  g.recommendation.reset();
  g.scores.total = 0.9;
  g.updated_at = noon + seconds{1};
  REQUIRE(update_grounded(*s, t, g));
  found = **find_grounded(*s, t, g.id);
  CHECK(found.status == grounded_status::actioned);
  CHECK_FALSE(found.recommendation);
  CHECK(found.updated_at == noon + seconds{1});
  CHECK(*count_grounded(*s, t, {.status{}, .min_score = 0.9}) == 1);
  CHECK(code_of(delete_grounded(*s, other, g.id)) == errc::not_found);
  REQUIRE(delete_grounded(*s, t, g.id));
  CHECK(code_of(update_grounded(*s, t, g)) == errc::not_found);
}

TEST_CASE("grounded signals are listed newest first, by position or by offset") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  std::vector<grounded_id> expected;
  for (int i = 0; i < 5; ++i)
    expected.insert(expected.begin(), add(*s, t, 0.1 * i, noon + seconds{i / 2}).id);
  add(*s, add_tenant(*s));
  const auto all = list_grounded(*s, t, {}, {}, 0, 100);
  CHECK(ids_of(all) == expected);
  CHECK(ids_of(list_grounded(*s, t, {}, {}, 3, 100)) == std::vector(expected.begin() + 3, expected.end()));
  const auto& second = (*all)[1];
  const position after{to_millis(second.created_at), second.id.str()};
  CHECK(ids_of(list_grounded(*s, t, {}, after, 0, 2)) == std::vector{expected[2], expected[3]});
  CHECK(ids_of(list_grounded(*s, t, {.status{}, .min_score = 0.3}, {}, 0, 100)) ==
        std::vector{expected[0], expected[1]});
  CHECK(*count_grounded(*s, t, {.status = grounded_status::draft, .min_score{}}) == 0);
  CHECK(*count_grounded(*s, t, {}) == 5);
}

TEST_CASE("clusters are found by when they began") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  add(*s, t, 0.5, noon);
  const auto g = add(*s, t, 0.5, noon + seconds{10});
  add(*s, t, 0.5, noon + seconds{20});
  const auto found = clusters_between(*s, t, noon + seconds{1}, noon + seconds{19}, 10);
  REQUIRE(found->size() == 1);
  CHECK(found->front().row == g.id);
  CHECK(found->front().words == some_words);
  CHECK(found->front().began == noon + seconds{10});
  CHECK(clusters_between(*s, t, noon, noon + seconds{20}, 2)->back().row == g.id);
}

TEST_CASE("what is stored as a signal waits to be scored once, unless it was old when it came") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s), other = add_tenant(*s);
  const auto c = add_connection(*s, t);
  CHECK_FALSE(next_unscored_tenant(*s, {})->has_value());
  auto fresh = sample_signal(c, "fresh"), old = sample_signal(c, "old");
  fresh.received_at = old.received_at = noon;
  fresh.occurred_at = noon - seconds{5};
  old.occurred_at = noon - std::chrono::hours{24};
  REQUIRE(insert_signal(*s, t, fresh));
  REQUIRE(insert_signal(*s, t, old));
  auto twin = fresh;
  twin.id = signal_id::make();
  REQUIRE(insert_signal(*s, t, twin));
  CHECK(**next_unscored_tenant(*s, {}) == t);
  CHECK_FALSE(next_unscored_tenant(*s, t)->has_value());
  const auto waiting = unscored_signals(*s, t, 10);
  REQUIRE(waiting->size() == 1);
  CHECK(waiting->front().id == fresh.id);
  CHECK(waiting->front().payload == fresh.payload);
  CHECK(unscored_signals(*s, other, 10)->empty());
  CHECK(*take_unscored(*s, t, fresh.id));
  CHECK_FALSE(*take_unscored(*s, t, fresh.id));
  CHECK(unscored_signals(*s, t, 10)->empty());
}

TEST_CASE("tenants with something to score follow each other") {
  EACH_STORE(store);
  const auto s = store.open();
  std::set<tenant_id> expected, seen;
  for (const auto* name : {"a", "b", "c"}) {
    const auto t = add_tenant(*s, name);
    auto x = sample_signal(add_connection(*s, t), "k");
    x.occurred_at = x.received_at;
    REQUIRE(insert_signal(*s, t, x));
    expected.insert(t);
  }
  std::optional<tenant_id> at;
  while ((at = *next_unscored_tenant(*s, at))) CHECK(seen.insert(*at).second);
  CHECK(seen == expected);
}

TEST_CASE("what nobody scored in time stops waiting, and stays a signal") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto x = sample_signal(add_connection(*s, t), "k");
  x.occurred_at = x.received_at = noon;
  REQUIRE(insert_signal(*s, t, x));
  CHECK(*purge_unscored(*s, t, noon, 10) == 0);
  CHECK(*purge_unscored(*s, t, noon + seconds{1}, 10) == 1);
  CHECK(find_signal(*s, t, x.id)->has_value());
  CHECK(unscored_signals(*s, t, 10)->empty());
}

TEST_CASE("a notification is leased to one at a time, until it is settled") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  add(*s, t);
  const auto g = add(*s, t, 0.5, noon, true);
  CHECK(lease_notifications(*s, noon - seconds{1}, noon + seconds{9}, 10, 4)->empty());
  const auto due = lease_notifications(*s, noon, noon + seconds{10}, 10, 4);
  REQUIRE(due->size() == 1);
  CHECK(due->front().tenant == t);
  CHECK(due->front().row.id == g.id);
  CHECK(lease_notifications(*s, noon + seconds{9}, noon + seconds{20}, 10, 4)->empty());
  CHECK(lease_notifications(*s, noon + seconds{10}, noon + seconds{20}, 10, 4)->size() == 1);
  REQUIRE(settle_notification(*s, t, g.id));
  CHECK(lease_notifications(*s, noon + std::chrono::hours{1}, noon + std::chrono::hours{2}, 10, 4)->empty());
}

TEST_CASE("no tenant takes more than its places among notifications") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto loud = add_tenant(*s, "loud"), quiet = add_tenant(*s, "quiet");
  for (int i = 0; i < 5; ++i) add(*s, loud, 0.5, noon + seconds{i}, true);
  add(*s, quiet, 0.5, noon + seconds{9}, true);
  const auto now = noon + seconds{60};
  const auto first = lease_notifications(*s, now, now + seconds{60}, 10, 2);
  REQUIRE(first->size() == 3);
  CHECK((*first)[0].tenant == loud);
  CHECK((*first)[1].tenant == loud);
  CHECK((*first)[2].tenant == quiet);
  CHECK(lease_notifications(*s, now, now + seconds{60}, 10, 2)->empty());
  REQUIRE(settle_notification(*s, loud, (*first)[0].row.id));
  CHECK(lease_notifications(*s, now, now + seconds{60}, 10, 2)->size() == 1);
  CHECK(lease_notifications(*s, now + seconds{61}, now + seconds{99}, 1, 2)->size() == 1);
}

TEST_CASE("a signal config is a whole, and the defaults where there is none") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto c = *find_signal_config(*s, t);
  CHECK(c.threshold == 0.7);
  CHECK(c.weights == signal_config{}.weights);
  CHECK_FALSE(c.updated_at);
  c.threshold = 0.4;
  c.weights = {1, 0, 0, 0, 0, 0};
  c.webhook_url = "https://a.example/x";
  REQUIRE(put_signal_config(*s, t, c, noon));
  c = *find_signal_config(*s, t);
  CHECK(c.threshold == 0.4);
  CHECK(c.weights == dimensions{1, 0, 0, 0, 0, 0});
  CHECK(c.webhook_url == "https://a.example/x");
  CHECK(c.updated_at == noon);
  REQUIRE(put_signal_config(*s, t, {}, noon + seconds{1}));
  CHECK_FALSE(find_signal_config(*s, t)->webhook_url);
}

TEST_CASE("a deleted tenant leaves nothing of the signal engine behind") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto x = sample_signal(add_connection(*s, t), "k");
  x.occurred_at = x.received_at;
  REQUIRE(insert_signal(*s, t, x));
  add(*s, t);
  REQUIRE(put_signal_config(*s, t, {}, noon));
  REQUIRE(delete_tenant(*s, t));
  for (const auto* sql : {"SELECT COUNT(*) FROM unscored_signals", "SELECT COUNT(*) FROM grounded_signals",
                          "SELECT COUNT(*) FROM signal_configs"}) {
    std::int64_t n = -1;
    REQUIRE(s->query(sql, {}, [&](const row& r) { n = r.integer(0); }));
    CHECK(n == 0);
  }
}
