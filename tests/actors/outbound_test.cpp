#include "actors/outbound.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace connectord;

namespace {

/// The transport of these tests: calls pile up until the test answers them.
struct outbound_fixture : actor_fixture {
  struct carried {
    http_request request;
    std::function<void(http_response)> answered;
  };
  std::vector<carried> out;
  tenant_id acme = tenant_id::make(), other = tenant_id::make();
  outbound_plan plan{[this](http_request r, steady_time, std::function<void(http_response)> done) {
    out.push_back({std::move(r), std::move(done)});
  }};
  outbound_actor gate;

  void open() {
    gate = host(spawn_outbound({system, sky}, plan));
    run();
  }
  answer<http_answered> call(std::optional<tenant_id> t, const std::string& url,
                             seconds patience = seconds{30}) {
    http_request r;
    r.url = url;
    auto got = ask<http_answered>(gate, send_request{t, "example", r, system.clock().now() + patience});
    run();
    return got;
  }
  /// Answers the oldest call that is under way; gives its URL.
  std::string finish(http_response r = {200, {}, {}}) {
    REQUIRE_FALSE(out.empty());
    const auto first = std::move(out.front());
    out.erase(out.begin());
    first.answered(std::move(r));
    run();
    return first.request.url;
  }
  /// So many failures of a tenant, one after the other.
  void fail(const tenant_id& t, const std::string& url, int times) {
    for (int i = 0; i < times; ++i) {
      call(t, url);
      finish({503, {}, {}});
    }
  }
  static std::string outcome(const answer<http_answered>& a) {
    if (!*a) return "waits";
    if (!**a) return "error";
    const auto& r = (**a)->response;
    return r.answered() ? std::to_string(r.status) : std::string{name_of(r.failure)};
  }
};

}  // namespace

TEST_CASE_FIXTURE(outbound_fixture, "a call goes out as it is, and whatever comes of it goes back") {
  open();
  const auto one = call(acme, "https://a.example/1"), two = call(std::nullopt, "https://a.example/2");
  CHECK(out.size() == 2);
  CHECK(outcome(one) == "waits");
  CHECK(finish({404, {{"x", "y"}}, "body"}) == "https://a.example/1");
  CHECK(outcome(one) == "404");
  CHECK((**one)->response.body == "body");
  CHECK((**one)->response.header("x") == "y");
  http_response none;
  none.failure = call_failure::timeout;
  finish(none);
  CHECK(outcome(two) == "timeout");
}

TEST_CASE_FIXTURE(outbound_fixture,
                  "a tenant has its share of calls under way, and a neighbour does not wait") {
  plan.most_of_tenant = 2;
  open();
  for (int i = 0; i < 5; ++i) call(acme, "https://" + std::to_string(i) + ".example/");
  CHECK(out.size() == 2);
  const auto neighbour = call(other, "https://0.example/");
  CHECK(out.size() == 3);
  finish();
  CHECK(out.size() == 3);
  CHECK(out.back().request.url == "https://2.example/");
  while (!out.empty()) finish();
  CHECK(outcome(neighbour) == "200");
}

TEST_CASE_FIXTURE(outbound_fixture, "at a busy host tenants take turns, and other hosts are not held up") {
  plan.most_to_host = 1;
  open();
  for (int i = 0; i < 50; ++i) call(acme, "https://a.example/acme");
  call(other, "https://a.example/other");
  CHECK(out.size() == 1);
  call(acme, "https://b.example/");
  CHECK(out.size() == 2);
  CHECK(finish() == "https://a.example/acme");
  CHECK(finish() == "https://b.example/");
  CHECK(finish() == "https://a.example/acme");
  CHECK(finish() == "https://a.example/other");
  for (int i = 0; i < 48; ++i) CHECK(finish() == "https://a.example/acme");
  CHECK(out.empty());
}

TEST_CASE_FIXTURE(outbound_fixture, "there is a bound for all calls together, also for what waits") {
  plan.most_calls = 3;
  plan.most_waiting = 2;
  open();
  for (int i = 0; i < 5; ++i) call(tenant_id::make(), "https://" + std::to_string(i) + ".example/");
  CHECK(out.size() == 3);
  CHECK(outcome(call(acme, "https://z.example/")) == "network_error");
  finish();
  CHECK(out.size() == 3);
  CHECK(outcome(call(acme, "https://z.example/")) == "waits");
}

TEST_CASE_FIXTURE(outbound_fixture, "a tenant that fills its queue is refused, and its neighbour is not") {
  plan.most_to_host = 1;
  plan.most_waiting_of_tenant = 2;
  open();
  for (int i = 0; i < 3; ++i) CHECK(outcome(call(acme, "https://a.example/")) == "waits");
  CHECK(outcome(call(acme, "https://a.example/")) == "network_error");
  CHECK(outcome(call(other, "https://a.example/")) == "waits");
  CHECK(outcome(call(acme, "https://b.example/")) == "waits");
}

TEST_CASE_FIXTURE(outbound_fixture, "a call whose time ran out while it waited is not made") {
  plan.most_of_tenant = 1;
  open();
  call(acme, "https://a.example/");
  const auto late = call(acme, "https://a.example/late", seconds{5}),
             patient = call(acme, "https://a.example/");
  pass(seconds{5});
  finish();
  CHECK(outcome(late) == "timeout");
  REQUIRE(out.size() == 1);
  finish();
  CHECK(outcome(patient) == "200");
}

TEST_CASE_FIXTURE(outbound_fixture,
                  "failures in a row stop a tenant's calls to the host, until a probe succeeds") {
  open();
  fail(acme, "https://a.example/", plan.each.failures);
  CHECK(outcome(call(acme, "https://A.example/x")) == "network_error");
  CHECK(out.empty());
  CHECK(outcome(call(acme, "https://b.example/")) == "waits");
  CHECK(outcome(call(other, "https://a.example/")) == "waits");
  out.clear();

  pass(plan.each.first);
  const auto probe = call(acme, "https://a.example/");
  CHECK(out.size() == 1);
  CHECK(outcome(call(acme, "https://a.example/")) == "network_error");
  finish();
  CHECK(outcome(probe) == "200");
  CHECK(outcome(call(acme, "https://a.example/")) == "waits");
}

TEST_CASE_FIXTURE(outbound_fixture, "a host that fails one tenant after another is left alone by all") {
  open();
  for (int i = 0; i < plan.host.failures; ++i)
    fail(tenant_id::make(), "https://a.example/", plan.each.failures);
  CHECK(outcome(call(acme, "https://a.example/")) == "network_error");
  CHECK(out.empty());
  pass(plan.host.first);
  CHECK(outcome(call(acme, "https://a.example/")) == "waits");
  CHECK(outcome(call(other, "https://a.example/")) == "network_error");
  finish();
  CHECK(outcome(call(other, "https://a.example/")) == "waits");
}

TEST_CASE_FIXTURE(outbound_fixture, "what waits when a breaker opens is not sent any more") {
  plan.most_of_tenant = 1;
  open();
  std::vector<answer<http_answered>> all;
  for (int i = 0; i < plan.each.failures + 3; ++i) all.push_back(call(acme, "https://a.example/"));
  for (int i = 0; i < plan.each.failures; ++i) finish({500, {}, {}});
  CHECK(out.empty());
  CHECK(outcome(all.back()) == "network_error");
}

TEST_CASE_FIXTURE(outbound_fixture, "refusals of the request are no failures of the host") {
  open();
  http_response large;
  large.failure = call_failure::too_large;
  for (const auto& r :
       {http_response{400, {}, {}}, http_response{401, {}, {}}, http_response{429, {}, {}}, large})
    for (int i = 0; i < 10; ++i) {
      CHECK(outcome(call(acme, "https://a.example/")) == "waits");
      finish(r);
    }
}

TEST_CASE_FIXTURE(outbound_fixture,
                  "an outbound that ends answers its callers, and late answers find nobody") {
  open();
  const auto lost = call(acme, "https://a.example/");
  caf::anon_send_exit(gate, caf::exit_reason::user_shutdown);
  run();
  CHECK(outcome(lost) == "error");
  finish();
  open();
  const auto next = call(acme, "https://a.example/");
  finish();
  CHECK(outcome(next) == "200");
}

TEST_CASE_FIXTURE(outbound_fixture,
                  "calls are counted by provider and by what came, with the limit that is left") {
  open();
  const auto of = [this](std::string_view result) {
    return meters.provider_requests({"example", result}).Value();
  };
  for (const int status : {200, 302, 404, 429, 500}) {
    call(acme, "https://a.example/");
    finish({status, {{"x-ratelimit-limit", "10"}, {"x-ratelimit-remaining", "4"}}, {}});
  }
  CHECK((of("ok") == 2 && of("client_error") == 1 && of("rate_limited") == 1 && of("server_error") == 1));
  CHECK(meters.provider_limit_left({"example"}).Value() == 0.4);
  CHECK(meters.provider_request_seconds({"example", "ok"}).Collect().histogram.sample_count == 2);
  http_request own;
  own.url = "https://keys.example/";
  ask<http_answered>(gate, send_request{std::nullopt, {}, own, system.clock().now() + seconds{30}});
  run();
  finish();
  CHECK(meters.exposition().find("keys.example") == std::string::npos);
  CHECK(meters.exposition().find("connectors_provider_requests_total{provider=\"\"") == std::string::npos);
}

TEST_CASE_FIXTURE(outbound_fixture,
                  "whoever is held back shows until the pause is over, and again after a failed probe") {
  open();
  const auto held = [this] { return meters.provider_breaker_open({"example"}).Value(); };
  fail(acme, "https://a.example/", plan.each.failures - 1);
  CHECK(held() == 0);
  fail(acme, "https://a.example/", 1);
  CHECK(held() == 1);
  call(acme, "https://a.example/");
  CHECK(meters.provider_requests({"example", "held_back"}).Value() == 1);
  pass(plan.each.first + outbound::between_looks);
  CHECK(held() == 0);
  fail(acme, "https://a.example/", 1);
  CHECK(held() == 1);
  pass(2 * plan.each.first + outbound::between_looks);
  call(acme, "https://a.example/");
  finish();
  CHECK(held() == 0);
}
