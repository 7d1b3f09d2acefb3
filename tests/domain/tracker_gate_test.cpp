#include "domain/tracker/gate.hpp"

#include "base/crypto.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace connectord;
using namespace connectord::tracker;

namespace {

constexpr timestamp noon{milliseconds{1'700'000'000'000}};

gate a_gate() {
  gate g;
  g.repository = "acme/app";
  return g;
}

gate_delivery delivery(std::string body, std::string event = "check_run") {
  return {std::move(event), "d-1", std::nullopt, std::move(body)};
}

std::string check_run(std::string_view conclusion, std::string_view more = "") {
  return R"({"action":"completed","repository":{"full_name":"acme/app"},"check_run":{"id":11,"name":"build",)"
         R"("conclusion":")" +
         std::string{conclusion} + '"' + std::string{more} + "}}";
}

result<gate_report> report(const gate_delivery& d) {
  const auto body = read_delivery(a_gate(), d);
  if (!body) return body.error();
  return report_of(d, *body, noon);
}

errc refusal_of(const gate_delivery& d) {
  const auto r = report(d);
  REQUIRE_FALSE(r.has_value());
  return r.error().code();
}

}  // namespace

TEST_CASE("every conclusion of GitHub's has its finding, and no other has one") {
  CHECK(finding_of("success") == gate_finding::passed);
  for (const auto* bad : {"failure", "timed_out", "cancelled", "action_required"})
    CHECK(finding_of(bad) == gate_finding::failed);
  for (const auto* none : {"neutral", "skipped", "stale"}) CHECK(finding_of(none) == gate_finding::ignored);
  for (const auto* other : {"", "Success", "startup_failure", "success "})
    CHECK_FALSE(finding_of(other).has_value());
}

TEST_CASE("a signature proves exactly the bytes that it was made for") {
  const auto good = "sha256=" + to_hex(bytes_of(hmac_sha256("secret", "body")));
  CHECK(proves(good, "secret", "body"));
  CHECK_FALSE(proves(good, "secret", "body "));
  CHECK_FALSE(proves(good, "Secret", "body"));
  CHECK_FALSE(proves(good.substr(7), "secret", "body"));
  CHECK_FALSE(proves(good.substr(0, 40), "secret", "body"));
  CHECK_FALSE(proves("sha256=", "secret", "body"));
  CHECK_FALSE(proves("sha1=" + good.substr(7), "secret", "body"));
  CHECK_FALSE(proves(std::nullopt, "secret", "body"));
}

TEST_CASE("a delivery has its headers, is JSON, and is about the gate's repository, in this order") {
  auto headless = delivery("not json");
  headless.event.reset();
  CHECK(refusal_of(headless) == errc::validation_failed);
  headless = delivery("not json");
  headless.id.reset();
  CHECK(refusal_of(headless) == errc::validation_failed);
  CHECK(refusal_of(delivery("not json", "ping")) == errc::invalid_body);
  CHECK(refusal_of(delivery("[]", "ping")) == errc::invalid_body);
  CHECK(refusal_of(delivery(R"({"repository":{"full_name":"acme/App"}})", "ping")) ==
        errc::repository_mismatch);
  CHECK(refusal_of(delivery(R"({"repository":"acme/app"})", "ping")) == errc::repository_mismatch);
}

TEST_CASE("only completed checks say something") {
  CHECK(report(delivery(check_run("success"), "ping"))->finding == gate_finding::pong);
  CHECK(report(delivery(check_run("success"), "check_suite"))->finding == gate_finding::ignored);
  const std::string begun = R"({"action":"created","repository":{"full_name":"acme/app"}})";
  CHECK(report(delivery(begun))->finding == gate_finding::ignored);
  CHECK(report(delivery(check_run("neutral")))->finding == gate_finding::ignored);
  CHECK(refusal_of(delivery(check_run("martian"))) == errc::unknown_conclusion);
  const std::string empty = R"({"action":"completed","repository":{"full_name":"acme/app"},"check_run":7})";
  CHECK(refusal_of(delivery(empty)) == errc::validation_failed);
}

TEST_CASE("what the feed shows of a check") {
  const auto r = report(delivery(check_run(
      "timed_out",
      R"(,"html_url":"https://x/11","completed_at":"2026-03-01T00:00:00Z","pull_requests":[{"number":7}])")));
  REQUIRE(r.has_value());
  CHECK(r->payload ==
        R"({"gate_name":"build","gate_type":"ci","conclusion":"timed_out","external_provider":"github",)"
        R"("check_run_id":11,"check_run_url":"https://x/11","delivery_id":"d-1","pr_number":7})");
  const auto bare = report(delivery(check_run("success")));
  REQUIRE(bare.has_value());
  CHECK(bare->occurred_at == noon);
  CHECK(bare->payload.find(R"("check_run_url":null)") != std::string::npos);
  CHECK(bare->payload.find(R"("pr_number":null)") != std::string::npos);

  project p;
  p.slug = "shop";
  const auto failed = activity_of(*r, p, noon), passed = activity_of(*bare, p, noon);
  CHECK(failed.type == "GateFailed");
  CHECK(failed.summary == "Gate build failed: timed_out");
  CHECK(to_rfc3339(failed.occurred_at) == "2026-03-01T00:00:00Z");
  CHECK(failed.recorded_at == noon);
  CHECK(passed.type == "GatePassed");
  CHECK(passed.summary == "Gate build passed");
  CHECK_FALSE(passed.of_the_tracker());
}
