#include "storage/deliveries.hpp"
#include "tests/support/sync_world.hpp"

#include <algorithm>
#include <random>
#include <set>

using namespace connectord;

namespace {

/// One thing that changes, as a provider keeps it.
struct thing {
  int number = 0;
  bool pull_request = false, done = false;
  timestamp updated{};
};
struct event {
  std::string what;  ///< opened, edited, closed or reopened
  thing after;
};

/// How a provider tells of a thing: in a webhook of its own shape, and in the answer to a poll.
struct dialect {
  std::string slug;
  bool pull_requests;
  std::string (*webhook)(const event&);
  std::string (*page)(const std::vector<thing>&, const http_request&);
};

std::string number(int n) { return std::to_string(n); }
std::string time_of(const thing& t) { return to_rfc3339(t.updated); }

template <class Each>
std::string listed(const std::vector<thing>& all, Each each) {
  std::string out;
  for (const auto& t : all)
    if (const auto one = each(t); !one.empty()) out += (out.empty() ? "" : ",") + one;
  return "[" + out + "]";
}

std::string github_webhook(const event& e) {
  const std::string member = e.after.pull_request ? "pull_request" : "issue";
  return R"({"action":")" + e.what + R"(",")" + member + R"(":{"id":1,"number":)" + number(e.after.number) +
         R"(,"merged":false,"updated_at":")" + time_of(e.after) +
         R"("},"repository":{"id":7,"full_name":"acme/widgets","owner":{"id":1}}})";
}
std::string github_page(const std::vector<thing>& all, const http_request& r) {
  const bool search = r.url.find("/search/") != std::string::npos;
  const auto items = listed(all, [search](const thing& t) -> std::string {
    if (search && !t.pull_request) return {};
    return R"({"id":1,"number":)" + number(t.number) + (t.pull_request ? R"(,"pull_request":{})" : "") +
           R"(,"repository_url":"https://api.github.com/repos/acme/widgets","updated_at":")" + time_of(t) +
           R"("})";
  });
  return search ? R"({"items":)" + items + "}" : items;
}

std::string gitlab_webhook(const event& e) {
  const std::string action = e.what == "opened"   ? "open"
                             : e.what == "edited" ? "update"
                             : e.what == "closed" ? "close"
                                                  : "reopen";
  return R"({"object_kind":")" + std::string{e.after.pull_request ? "merge_request" : "issue"} +
         R"(","project":{"id":7},"object_attributes":{"iid":)" + number(e.after.number) + R"(,"action":")" +
         action + R"(","updated_at":")" + time_of(e.after) + R"("}})";
}
std::string gitlab_page(const std::vector<thing>& all, const http_request& r) {
  const bool merge_requests = r.url.find("/merge_requests") != std::string::npos;
  return listed(all, [merge_requests](const thing& t) -> std::string {
    if (t.pull_request != merge_requests) return {};
    return R"({"project_id":7,"iid":)" + number(t.number) + R"(,"updated_at":")" + time_of(t) + R"("})";
  });
}

std::string jira_webhook(const event& e) {
  const bool moves = e.what == "closed" || e.what == "reopened";
  const std::string changed = e.what == "closed" ? R"("fromString":"Open","toString":"Closed")"
                                                 : R"("fromString":"Closed","toString":"Open")";
  return R"({"webhookEvent":"jira:issue_)" + std::string{e.what == "opened" ? "created" : "updated"} +
         R"(","issue":{"id":")" + number(e.after.number) + R"(","key":"A-1","fields":{"updated":")" +
         time_of(e.after) + R"("}})" +
         (moves ? R"(,"changelog":{"items":[{"field":"status",)" + changed + "}]}" : "") + "}";
}
std::string jira_page(const std::vector<thing>& all, const http_request& r) {
  if (r.url.find("/myself") != std::string::npos) return R"({"timeZone":"UTC"})";
  return R"({"issues":)" +
         listed(all,
                [](const thing& t) {
                  return R"({"id":")" + number(t.number) + R"(","key":"A-1","fields":{"updated":")" +
                         time_of(t) + R"("}})";
                }) +
         "}";
}

std::string linear_webhook(const event& e) {
  const bool moves = e.what == "closed" || e.what == "reopened";
  return R"({"type":"Issue","action":")" + std::string{e.what == "opened" ? "create" : "update"} +
         R"(","data":{"id":"l)" + number(e.after.number) + R"(","updatedAt":")" + time_of(e.after) +
         R"(","state":{"type":")" + (e.after.done ? "completed" : "started") + R"("}})" +
         (moves ? R"(,"updatedFrom":{"stateId":"s")" +
                      std::string{e.what == "reopened" ? R"(,"completedAt":"x")" : ""} + "}"
                : "") +
         "}";
}
std::string linear_page(const std::vector<thing>& all, const http_request&) {
  return R"({"data":{"issues":{"nodes":)" +
         listed(all,
                [](const thing& t) {
                  return R"({"id":"l)" + number(t.number) + R"(","updatedAt":")" + time_of(t) + R"("})";
                }) +
         R"(,"pageInfo":{"hasNextPage":false}}}})";
}

/// What happened to a few things, some of it within the same second; things from before the webhooks are
/// there for polls alone.
struct history {
  std::vector<thing> before;
  std::vector<event> events;

  history(std::mt19937& dice, bool pull_requests, timestamp start) {
    const auto below = [&dice](int n) { return std::uniform_int_distribution{0, n - 1}(dice); };
    std::vector<thing> now;
    for (int n = 1; n <= 4; ++n)
      now.push_back({n, pull_requests && n % 2 == 0, false, start - seconds{100 + n}});
    before = now;
    for (int n = 5; n <= 7; ++n) {
      now.push_back({n, pull_requests && n % 2 == 0, false, start});
      events.push_back({"opened", now.back()});
    }
    for (int i = 0; i < 12; ++i) {
      auto& t = now[static_cast<std::size_t>(below(static_cast<int>(now.size())))];
      start += seconds{below(2)};
      t.updated = start;
      const bool moves = below(2) == 0;
      const std::string what = !moves ? "edited" : t.done ? "reopened" : "closed";
      t.done = t.done != moves;
      events.push_back({what, t});
    }
  }
  std::vector<thing> after(std::size_t how_many) const {
    auto all = before;
    for (std::size_t i = 0; i < how_many; ++i) {
      const auto& t = events[i].after;
      const auto known = std::ranges::find(all, t.number, &thing::number);
      known == all.end() ? all.emplace_back(t) : * known = t;
    }
    std::ranges::stable_sort(all, {}, &thing::updated);
    return all;
  }
};

struct interleaving_fixture : sync_fixture {
  std::size_t happened = 0;
  int last_delivery = 0;

  interleaving_fixture() { node.settings->catalog = shipped_catalog(); }

  void open(const dialect& d, const history& h) {
    acme = tenant_id::make();
    happened = 0;
    out.provider = [this, &d, &h](const http_request& r) {
      return http_response{200, {}, d.page(h.after(happened), r), call_failure::none};
    };
    store_grant g;
    g.provider = d.slug;
    g.tokens.access = secret{"access"};
    g.account.external_id = "1";
    g.account.metadata = R"({"user":{"login":"ada"},"site_url":"https://acme.atlassian.net"})";
    g.now = now();
    done_by<stored_connection>(tell(acme, std::move(g)));
  }
  void poll(const dialect& d) {
    done_by<queued_sync>(tell(acme, request_sync{d.slug, {}, job_type::full, now()}));
    for (int i = 0; i < 3; ++i) run_one();
    const auto all = jobs();
    REQUIRE(std::ranges::all_of(all, [](const job& j) { return j.status == job_status::succeeded; }));
  }
  void deliver(const dialect& d, const event& e) {
    ingest_webhook w;
    w.provider = d.slug;
    w.body = d.webhook(e);
    const auto id = std::to_string(++last_delivery);
    w.headers = {{"x-github-event", e.after.pull_request ? "pull_request" : "issues"},
                 {"x-github-delivery", id},
                 {"idempotency-key", id},
                 {"x-atlassian-webhook-identifier", id},
                 {"linear-delivery", id}};
    w.proven = true;
    w.now = now();
    tell(acme, std::move(w));
  }
  std::multiset<std::string> told() {
    std::multiset<std::string> keys;
    for (const auto& x : signals()) {
      const auto whole = storage::find_signal(db, acme, x.id).value().value();
      CHECK(whole.dedupe_key.find(":" + whole.kind + ":") != std::string::npos);
      keys.insert(whole.dedupe_key);
    }
    return keys;
  }
  /// Everything is told in the order in which it happened, and polled at the end.
  std::multiset<std::string> in_order(const dialect& d, const history& h) {
    open(d, h);
    poll(d);
    for (const auto& e : h.events) deliver(d, e);
    happened = h.events.size();
    run();
    poll(d);
    return told();
  }
  /// Deliveries come late, twice and out of order, with polls between them.
  std::multiset<std::string> shuffled(const dialect& d, const history& h, std::mt19937& dice) {
    open(d, h);
    poll(d);
    std::vector<event> under_way;
    const auto below = [&dice](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>{0, n - 1}(dice);
    };
    while (happened < h.events.size() || !under_way.empty()) {
      const auto turn = below(5);
      if (turn == 0) poll(d);
      if (turn <= 2 && happened < h.events.size()) {
        for (auto copies = 1 + below(3) / 2; copies > 0; --copies) under_way.push_back(h.events[happened]);
        ++happened;
      }
      if (turn >= 3 && !under_way.empty()) {
        const auto which = under_way.begin() + static_cast<std::ptrdiff_t>(below(under_way.size()));
        deliver(d, *which);
        under_way.erase(which);
        if (below(2) == 0) run();
      }
    }
    run();
    poll(d);
    return told();
  }
};

}  // namespace

TEST_CASE_FIXTURE(interleaving_fixture,
                  "polls and webhooks of one history make the same signals in whatever order they come") {
  const std::vector<dialect> all{{"github", true, github_webhook, github_page},
                                 {"gitlab", true, gitlab_webhook, gitlab_page},
                                 {"jira", false, jira_webhook, jira_page},
                                 {"linear", false, linear_webhook, linear_page}};
  REQUIRE(db.script("PRAGMA synchronous = OFF").has_value());
  for (const auto& d : all)
    for (unsigned seed = 1; seed <= 4; ++seed) {
      CAPTURE(d.slug);
      CAPTURE(seed);
      std::mt19937 dice{seed};
      const history h{dice, d.pull_requests, now() - seconds{3600}};
      const auto expected = in_order(d, h);
      CHECK(expected.size() >= 8);
      for (int again = 0; again < 6; ++again) CHECK(shuffled(d, h, dice) == expected);
    }
}

TEST_CASE_FIXTURE(interleaving_fixture,
                  "a webhook says what a poll could not see, and its receipt names the poll's signal") {
  const dialect d{"github", true, github_webhook, github_page};
  std::mt19937 dice{1};
  history h{dice, true, now() - seconds{3600}};
  h.events.resize(1);
  open(d, h);
  happened = 1;
  poll(d);
  const auto number_of = [](const signal& x) { return x.occurred_at; };
  const auto polled = std::ranges::max(signals(), {}, number_of);
  CHECK(polled.kind == "issue_updated");
  deliver(d, h.events[0]);
  run();
  const auto delivered = std::ranges::max(signals(), {}, number_of);
  CHECK(delivered.id == polled.id);
  CHECK(delivered.kind == "issue_created");
  const auto whole = storage::find_signal(db, acme, delivered.id).value().value();
  REQUIRE(whole.delivery);
  CHECK(storage::receipt_signal_ids(db, acme, *whole.delivery).value() == std::vector{delivered.id});
}
