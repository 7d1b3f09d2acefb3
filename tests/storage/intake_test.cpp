#include "storage/deliveries.hpp"
#include "storage/jobs.hpp"
#include "storage/retention.hpp"
#include "storage/signals.hpp"
#include "storage/unrouted.hpp"
#include "tests/storage/stores.hpp"

#include <array>
#include <thread>

using namespace connectord;
using namespace connectord::storage;
using namespace connectord::storage::testing;

TEST_CASE("a delivery comes back with its headers and raw bytes") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto d = sample_delivery("d1", std::string{"\0\xff{\\x", 5});
  d.event_type = "issues";
  d.provider_delivery_id = "guid";
  const auto a = accept_delivery(*s, t, d, noon + seconds{60});
  REQUIRE(a);
  CHECK(a->delivery == d.id);
  CHECK(a->receipt == d.receipt);
  CHECK(!a->deduplicated);
  const auto found = **find_delivery(*s, t, d.id);
  CHECK(found.headers == d.headers);
  CHECK(found.body == d.body);
  CHECK(found.body_sha256 == d.body_sha256);
  CHECK(found.event_type == d.event_type);
  CHECK(found.provider_delivery_id == d.provider_delivery_id);
  CHECK(found.dedupe_id == "d1");
  CHECK(found.received_at == noon);
  CHECK(!found.connection);
  CHECK(!find_delivery(*s, add_tenant(*s), d.id)->has_value());
}

TEST_CASE("a duplicate answers the first ids and is counted") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto first = sample_delivery("d1");
  REQUIRE(accept_delivery(*s, t, first, noon));
  for (int i = 1; i <= 2; ++i) {
    const auto again = accept_delivery(*s, t, sample_delivery("d1"), noon);
    REQUIRE(again);
    CHECK(again->deduplicated);
    CHECK(again->delivery == first.id);
    CHECK(again->receipt == first.receipt);
    CHECK((*find_delivery(*s, t, first.id))->duplicates == i);
  }
  CHECK(!accept_delivery(*s, add_tenant(*s), sample_delivery("d1"), noon)->deduplicated);
}

TEST_CASE("the same delivery id with another body is a delivery of its own") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  REQUIRE(accept_delivery(*s, t, sample_delivery("d1", "one"), noon));
  const auto two = sample_delivery("d1", "two");
  const auto own = accept_delivery(*s, t, two, noon);
  REQUIRE(own);
  CHECK(!own->deduplicated);
  CHECK((*find_delivery(*s, t, two.id))->dedupe_id == "d1#" + two.body_sha256.substr(0, 16));
  const auto again = accept_delivery(*s, t, sample_delivery("d1", "two"), noon);
  CHECK(again->deduplicated);
  CHECK(again->delivery == two.id);
}

TEST_CASE("deliveries that go in together are told apart as if they came one by one") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto known = sample_delivery("known");
  REQUIRE(accept_delivery(*s, t, known, noon));
  std::vector<delivery> rows;
  for (int i = 0; i < 22; ++i) rows.push_back(sample_delivery("d" + std::to_string(i)));  // 16 + 4 + 2
  rows[3] = sample_delivery("d0");
  rows[5] = sample_delivery("known");
  rows[7] = sample_delivery("d0", "two");
  rows[21] = sample_delivery("d0", "two");
  std::vector<arrival> arrivals;
  for (const auto& d : rows) arrivals.push_back({&d, noon});
  const auto all = accept_deliveries(*s, t, arrivals);
  REQUIRE(all);
  REQUIRE(all->size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& first = i == 3 ? rows[0] : i == 5 ? known : i == 21 ? rows[7] : rows[i];
    CAPTURE(i);
    CHECK((*all)[i].delivery == first.id);
    CHECK((*all)[i].receipt == first.receipt);
    CHECK((*all)[i].deduplicated == (first.id != rows[i].id));
    CHECK((*find_delivery(*s, t, rows[i].id)).has_value() == (first.id == rows[i].id));
  }
  for (const auto& first : {rows[0], rows[7], known})
    CHECK((*find_delivery(*s, t, first.id))->duplicates == 1);
  CHECK((*find_delivery(*s, t, rows[7].id))->dedupe_id == "d0#" + rows[7].body_sha256.substr(0, 16));
}

TEST_CASE("signals that are stored together share the first one's id under one key") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  const auto known = sample_signal(c, "known");
  REQUIRE(insert_signal(*s, t, known));
  const auto a = sample_signal(c, "a"), b = sample_signal(c, "b"), again = sample_signal(c, "a"),
             old = sample_signal(c, "known");
  const auto stored = insert_signals(*s, t, std::array{&a, &old, &b, &again});
  REQUIRE(stored);
  REQUIRE(stored->size() == 4);
  for (const auto& [at, id, fresh] : {std::tuple{0, a.id, true}, std::tuple{1, known.id, false},
                                      std::tuple{2, b.id, true}, std::tuple{3, a.id, false}}) {
    CAPTURE(at);
    CHECK((*stored)[at].id == id);
    CHECK((*stored)[at].inserted == fresh);
  }
  CHECK(list_signals(*s, t, {}, {}, 9, signal_extra::none)->size() == 3);
}

TEST_CASE("a duplicate is known after its delivery is gone, until the key is") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  auto first = sample_delivery("d1");
  first.status = delivery_status::unmatched;
  REQUIRE(accept_delivery(*s, t, first, noon + seconds{60}));
  CHECK(*purge_deliveries(*s, t, noon + seconds{1}, 10) == 1);
  CHECK(accept_delivery(*s, t, sample_delivery("d1"), noon)->receipt == first.receipt);
  CHECK(*purge_delivery_keys(*s, t, noon + seconds{59}, 10) == 0);
  CHECK(*purge_delivery_keys(*s, t, noon + seconds{60}, 10) == 1);
  CHECK(!accept_delivery(*s, t, sample_delivery("d1"), noon)->deduplicated);
}

TEST_CASE("copies of one delivery that arrive together give one") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  constexpr int copies = 8;
  std::array<result<accepted>, copies> answers;
  std::vector<std::thread> threads;
  for (auto& answer : answers)
    threads.emplace_back([&] {
      auto own = store.get().open();
      if (!own || !(*own)->begin_write()) return void(answer = error{errc::internal});
      answer = accept_delivery(**own, t, sample_delivery("same"), noon);
      if (answer && !answer->deduplicated) {
        const auto stored = insert_signal(**own, t, sample_signal(c, "same"));
        if (!stored || !stored->inserted) answer = error{errc::internal};
      }
      if (const auto ok = (*own)->commit(); !ok) answer = ok.error();
    });
  for (auto& thread : threads) thread.join();
  int fresh = 0;
  for (const auto& answer : answers) {
    REQUIRE(answer);
    fresh += answer->deduplicated ? 0 : 1;
    CHECK(answer->delivery == answers.front()->delivery);
    CHECK(answer->receipt == answers.front()->receipt);
  }
  CHECK(fresh == 1);
  CHECK(list_deliveries(*s, t, {}, {}, 100)->size() == 1);
  CHECK(list_deliveries(*s, t, {}, {}, 100)->front().duplicates == copies - 1);
}

TEST_CASE("a delivery is finished") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  auto d = sample_delivery("d");
  REQUIRE(accept_delivery(*s, t, d, noon));
  CHECK(*count_received(*s, t) == 1);
  CHECK(received_deliveries(*s, t, 10)->front().body == d.body);
  d.status = delivery_status::failed;
  d.attempts = 1;
  d.connection = c.id;
  d.processed_at = noon + seconds{1};
  d.error = "why";
  REQUIRE(finish_delivery(*s, t, d));
  const auto found = **find_delivery(*s, t, d.id);
  CHECK(found.status == delivery_status::failed);
  CHECK(found.attempts == 1);
  CHECK(found.connection == c.id);
  CHECK(found.processed_at == d.processed_at);
  CHECK(found.error == "why");
  CHECK(*count_received(*s, t) == 0);
  CHECK(received_deliveries(*s, t, 10)->empty());
  CHECK(code_of(finish_delivery(*s, add_tenant(*s), d)) == errc::not_found);
}

TEST_CASE("deliveries that wait come in the order of arrival") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  for (const int at : {3, 1, 2}) {
    auto d = sample_delivery(std::to_string(at));
    d.received_at = noon + seconds{at};
    REQUIRE(accept_delivery(*s, t, d, noon));
  }
  std::string order;
  for (const auto& d : *received_deliveries(*s, t, 10)) order += d.dedupe_id;
  CHECK(order == "123");
}

TEST_CASE("listing deliveries pages from the newest and filters") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  for (int i = 0; i < 7; ++i) {
    auto d = sample_delivery(std::to_string(i));
    d.received_at = noon + seconds{i / 3};
    if (i == 4) d.connection = c.id;
    if (i == 5) d.status = delivery_status::ignored;
    if (i == 6) d.provider = "slack";
    REQUIRE(accept_delivery(*s, t, d, noon));
  }
  std::string seen;
  std::optional<position> after;
  for (;;) {
    const auto page = list_deliveries(*s, t, {}, after, 2);
    REQUIRE(page);
    if (page->empty()) break;
    for (const auto& d : *page) {
      seen += d.dedupe_id;
      CHECK(d.body.empty());
    }
    after = position{to_millis(page->back().received_at), page->back().id.str()};
  }
  CHECK(seen == "6543210");
  delivery_filter f;
  f.provider = "slack";
  CHECK(list_deliveries(*s, t, f, {}, 9)->size() == 1);
  f = {};
  f.status = delivery_status::ignored;
  CHECK(list_deliveries(*s, t, f, {}, 9)->front().dedupe_id == "5");
  f = {};
  f.connection = c.id;
  CHECK(list_deliveries(*s, t, f, {}, 9)->front().dedupe_id == "4");
  f = {};
  f.received_after = f.received_before = noon + seconds{1};
  CHECK(list_deliveries(*s, t, f, {}, 9)->size() == 3);
  CHECK(list_deliveries(*s, add_tenant(*s), {}, {}, 9)->empty());
}

TEST_CASE("a receipt names its signals in order") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto d = sample_delivery("d");
  REQUIRE(accept_delivery(*s, t, d, noon));
  const auto a = signal_id::make(), b = signal_id::make(), c = signal_id::make();
  REQUIRE(link_signals(*s, t, std::array{signal_link{d.id, c, 2}, signal_link{d.id, b, 0}}));
  REQUIRE(link_signals(*s, t, std::array{signal_link{d.id, a, 1}}));
  CHECK(*receipt_signal_ids(*s, t, d.id) == std::vector{b, a, c});
}

TEST_CASE("a signal is stored once for its dedupe key") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  auto x = sample_signal(c, "github:issue_created:1:1");
  x.delivery = delivery_id::make();
  x.job = job_id::make();
  const auto first = insert_signal(*s, t, x);
  REQUIRE(first);
  CHECK(first->inserted);
  const auto again = insert_signal(*s, t, sample_signal(c, x.dedupe_key));
  REQUIRE(again);
  CHECK(!again->inserted);
  CHECK(again->id == x.id);
  const auto found = **find_signal(*s, t, x.id);
  CHECK(found.payload == x.payload);
  CHECK(found.delivery == x.delivery);
  CHECK(found.job == x.job);
  CHECK(found.entity == x.entity);
  CHECK(found.entity_version == x.entity_version);
  CHECK(!find_signal(*s, add_tenant(*s), x.id)->has_value());
}

TEST_CASE("listing signals pages from the newest and filters") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t), other = add_connection(*s, t, "43");
  std::vector<signal_id> stored;
  for (int i = 0; i < 5; ++i) {
    auto x = sample_signal(i == 2 ? other : c, std::to_string(i));
    x.occurred_at = noon + seconds{i / 2};
    if (i == 3) x.kind = "issue_closed";
    REQUIRE(insert_signal(*s, t, x));
    stored.push_back(x.id);
  }
  std::vector<signal_id> seen;
  std::optional<position> after;
  for (;;) {
    const auto page = list_signals(*s, t, {}, after, 2, signal_extra::payload);
    REQUIRE(page);
    if (page->empty()) break;
    for (const auto& x : *page) {
      seen.push_back(x.id);
      CHECK(!x.payload.empty());
    }
    after = position{to_millis(page->back().occurred_at), page->back().id.str()};
  }
  CHECK(std::equal(seen.begin(), seen.end(), stored.rbegin(), stored.rend()));
  signal_filter f;
  f.connection = other.id;
  CHECK(list_signals(*s, t, f, {}, 9, signal_extra::none)->front().id == stored[2]);
  CHECK(list_signals(*s, t, f, {}, 9, signal_extra::none)->front().payload.empty());
  f = {};
  f.kind = "issue_closed";
  f.provider = "github";
  f.occurred_after = f.occurred_before = noon + seconds{1};
  CHECK(list_signals(*s, t, f, {}, 9, signal_extra::none)->size() == 1);
  f.occurred_after = noon + seconds{2};
  CHECK(list_signals(*s, t, f, {}, 9, signal_extra::none)->empty());
}

TEST_CASE("jobs are stored, updated, counted and listed") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  auto j = sample_job(c);
  j.delivery = delivery_id::make();
  REQUIRE(insert_job(*s, t, j));
  auto later = sample_job(c, job_type::full);
  later.scheduled_at = noon + seconds{1};
  later.status = job_status::running;
  later.started_at = noon + seconds{2};
  REQUIRE(insert_job(*s, t, later));
  CHECK(count_jobs(*s, t)->queued == 1);
  CHECK(count_jobs(*s, t)->running == 1);
  j.status = job_status::failed;
  j.attempts = 2;
  j.finished_at = noon + seconds{3};
  j.error = job_error{"permanent", "not \"understood\"", noon, 7};
  j.signals_emitted = 3;
  REQUIRE(update_job(*s, t, j));
  const auto found = **find_job(*s, t, j.id);
  CHECK(found.status == job_status::failed);
  CHECK(found.attempts == 2);
  CHECK(found.delivery == j.delivery);
  REQUIRE(found.error);
  CHECK(found.error->message == j.error->message);
  CHECK(found.error->backoff_seconds == 7);
  CHECK(found.signals_emitted == 3);
  CHECK(code_of(update_job(*s, add_tenant(*s), j)) == errc::not_found);
  const auto all = list_jobs(*s, t, {}, {}, 9);
  REQUIRE(all->size() == 2);
  CHECK(all->front().id == later.id);
  CHECK(list_jobs(*s, t, {}, position{to_millis(later.scheduled_at), later.id.str()}, 9)->front().id == j.id);
  job_filter f;
  f.started_after = noon + seconds{2};
  CHECK(list_jobs(*s, t, f, {}, 9)->front().id == later.id);
  f = {};
  f.finished_after = noon + seconds{4};
  CHECK(list_jobs(*s, t, f, {}, 9)->empty());
  f = {};
  f.type = job_type::full;
  f.status = job_status::running;
  f.connection = c.id;
  f.provider = "github";
  CHECK(list_jobs(*s, t, f, {}, 9)->size() == 1);
}

TEST_CASE("a connection has one live incremental job") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  auto first = sample_job(c, job_type::incremental);
  REQUIRE(insert_job(*s, t, first));
  CHECK(code_of(insert_job(*s, t, sample_job(c, job_type::incremental))) == errc::conflict);
  CHECK(insert_job(*s, t, sample_job(c, job_type::full)));
  first.status = job_status::succeeded;
  REQUIRE(update_job(*s, t, first));
  CHECK(insert_job(*s, t, sample_job(c, job_type::incremental)));
}

TEST_CASE("unrouted deliveries are kept up to a number, the newest first") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto make = [](int i, std::string provider) {
    unrouted_row u;
    u.id = unrouted_id::make();
    u.provider = std::move(provider);
    u.dedupe_id = std::to_string(i);
    u.identities = {{"external_id", std::to_string(i)}};
    u.headers = {{"a", "b"}};
    u.body = std::string{"\0x", 2};
    u.body_bytes = 2;
    u.body_sha256 = "00";
    u.received_at = noon + seconds{i};
    return u;
  };
  REQUIRE(insert_unrouted(*s, make(0, "slack"), 3));
  std::int64_t dropped = 0;
  unrouted_row last;
  for (int i = 0; i < 5; ++i) {
    last = make(i, "github");
    dropped += *insert_unrouted(*s, last, 3);
  }
  CHECK(dropped == 2);
  CHECK(list_unrouted(*s, {}, {}, 9)->size() == 4);
  const auto page = list_unrouted(*s, {.provider = "github", .received_after{}}, {}, 2);
  REQUIRE(page->size() == 2);
  CHECK(page->front().dedupe_id == "4");
  CHECK(page->front().identities == last.identities);
  const position after{to_millis(page->back().received_at), page->back().id.str()};
  CHECK(list_unrouted(*s, {.provider = "github", .received_after{}}, after, 9)->front().dedupe_id == "2");
  CHECK(list_unrouted(*s, {.provider{}, .received_after = noon + seconds{4}}, {}, 9)->size() == 1);
  const auto found = **find_unrouted(*s, last.id);
  CHECK(found.body == last.body);
  CHECK(found.headers == last.headers);
  CHECK(*remove_unrouted(*s, last.id));
  CHECK(!*remove_unrouted(*s, last.id));
  CHECK(*purge_unrouted(*s, noon + seconds{9}, 2) == 2);
}

TEST_CASE("an unrouted delivery that comes again is kept once, unless its body is another") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto arrive = [&](std::string provider, std::string dedupe_id, std::string digest) {
    unrouted_row u;
    u.id = unrouted_id::make();
    u.provider = std::move(provider);
    u.dedupe_id = std::move(dedupe_id);
    u.body_sha256 = std::move(digest);
    u.received_at = noon;
    REQUIRE(insert_unrouted(*s, u, 9));
    return list_unrouted(*s, {}, {}, 9)->size();
  };
  CHECK(arrive("github", "d", "00") == 1);
  CHECK(arrive("github", "d", "00") == 1);
  CHECK(arrive("github", "d", "01") == 2);
  CHECK(arrive("github", "e", "00") == 3);
  CHECK(arrive("slack", "d", "00") == 4);
}

TEST_CASE("retention goes in bounded batches and spares what is still needed") {
  EACH_STORE(store);
  const auto s = store.open();
  const auto t = add_tenant(*s);
  const auto c = add_connection(*s, t);
  for (int i = 0; i < 5; ++i) {
    auto d = sample_delivery(std::to_string(i));
    d.received_at = noon + seconds{i};
    if (i > 0) d.status = delivery_status::processed;
    REQUIRE(accept_delivery(*s, t, d, noon));
    REQUIRE(link_signals(*s, t, std::array{signal_link{d.id, signal_id::make(), 0}}));
    auto x = sample_signal(c, std::to_string(i));
    x.received_at = noon + seconds{i};
    REQUIRE(insert_signal(*s, t, x));
    auto j = sample_job(c);
    if (i > 0) {
      j.status = job_status::succeeded;
      j.finished_at = noon + seconds{i};
    }
    REQUIRE(insert_job(*s, t, j));
  }
  const auto edge = noon + seconds{4};
  CHECK(*purge_deliveries(*s, t, edge, 2) == 2);
  CHECK(*purge_deliveries(*s, t, edge, 2) == 1);
  CHECK(*count_received(*s, t) == 1);
  CHECK(list_deliveries(*s, t, {}, {}, 9)->size() == 2);
  CHECK(*purge_signals(*s, t, edge, 9) == 4);
  CHECK(*purge_jobs(*s, t, edge, 9) == 3);
  CHECK(count_jobs(*s, t)->queued == 1);
  CHECK(*purge_idempotency(*s, noon, 9) == 0);
  CHECK(*purge_oauth_states(*s, noon, 9) == 0);
}
