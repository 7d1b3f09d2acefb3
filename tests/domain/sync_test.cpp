#include "tests/domain/sync_support.hpp"

#include <boost/json/serialize.hpp>

using namespace connectord;
using namespace connectord::provider;
using namespace connectord::provider::testing;

namespace {

json::object item(int number, std::string_view updated) {
  return {{"id", 100 + number},
          {"number", number},
          {"title", "Issue " + std::to_string(number)},
          {"updated_at", updated},
          {"html_url", "https://github.com/acme/widgets/issues/" + std::to_string(number)},
          {"repository_url", "https://api.github.com/repos/acme/widgets"},
          {"user", {{"id", 7}, {"login", "octo"}}}};
}

std::string text(const json::value& v) { return json::serialize(v); }

sync_context account() {
  sync_context out;
  out.external_id = "7";
  out.metadata = {{"user", {{"id", 7}, {"login", "octo"}}}};
  return out;
}

constexpr std::string_view host = "https://api.github.com";

/// Two pages of issues by Link, no pull requests.
http_response two_pages(const http_request& r) {
  if (path_of(r) != "/issues") return answer(R"({"total_count":0,"incomplete_results":false,"items":[]})");
  if (parameter(r, "page") == "2") return answer(text(json::array{item(2, "2025-03-01T10:00:01Z")}));
  return answer(text(json::array{item(1, "2025-03-01T10:00:00Z")}),
                {{"link", "<" + std::string{host} + R"(/issues?page=2>; rel="next", <x>; rel="last")"}});
}

}  // namespace

TEST_CASE("a first run lists everything, page by page, and leaves the newest time of each stream") {
  const auto r = run_sync(definition_of("github"), account(), "", two_pages);
  CHECK_FALSE(r.failure.has_value());
  CHECK(r.keys() == std::vector<std::string>{"github:issue_updated:acme/widgets#1:2025-03-01T10:00:00Z",
                                             "github:issue_updated:acme/widgets#2:2025-03-01T10:00:01Z"});
  CHECK(r.cursor() == R"({"since":"2025-03-01T10:00:01Z"})");
  REQUIRE(r.calls.size() == 3);
  CHECK(r.calls[0].url ==
        "https://api.github.com/issues?filter=all&state=all&sort=updated&direction=asc&per_page=100");
  CHECK(r.calls[1].url == "https://api.github.com/issues?page=2");
  CHECK(r.calls[2].url ==
        "https://api.github.com/search/"
        "issues?q=type%3Apr%20involves%3Aocto&sort=updated&order=asc&per_page=100");
  CHECK_FALSE(r.without_progress);
}

TEST_CASE("a later run asks from the newest time on, that time included, and progress is no new item") {
  const auto r =
      run_sync(definition_of("github"), account(),
               R"({"since":"2025-03-01T10:00:01Z","pull_requests_since":"2025-03-01T09:00:00Z"})", two_pages);
  CHECK(parameter(r.calls[0], "since") == "2025-03-01T10%3A00%3A01Z");
  CHECK(r.calls[2].url.find("updated%3A%3E%3D2025-03-01T09%3A00%3A00Z") != std::string::npos);
  CHECK(r.pages.back().cursor ==
        R"({"pull_requests_since":"2025-03-01T09:00:00Z","since":"2025-03-01T10:00:01Z"})");
  CHECK_FALSE(r.without_progress);
}

TEST_CASE("a run that stops at a page edge goes on behind that page, to the same end") {
  const auto& d = definition_of("github");
  const auto first = run_sync(d, account(), "", two_pages, at("2026-01-01T00:00:00Z"), 1);
  CHECK(first.pages[0].more);
  CHECK(first.cursor().find("resume") != std::string::npos);
  const auto whole = run_sync(d, account(), "", two_pages),
             parts = resume_at_every_edge(d, account(), "", two_pages);
  CHECK(parts.keys() == whole.keys());
  CHECK(parts.cursor() == whole.cursor());
  CHECK(parts.calls.size() == whole.calls.size());
}

TEST_CASE("the example provider pages by a member of the answer") {
  const auto& d = definition_of("example");
  const auto r = run_sync(d, account(), "", [](const http_request& call) {
    if (parameter(call, "page") == "2")
      return answer(
          R"({"items":[{"id":"b","action":"updated","updated_at":"2025-01-02T00:00:00Z"}],"next_page":null})");
    return answer(
        R"({"items":[{"id":"a","action":"created","updated_at":"2025-01-01T00:00:00Z"},{"id":"x"}],"next_page":2})");
  });
  CHECK(r.keys() == std::vector<std::string>{"example:issue_created:a:2025-01-01T00:00:00Z",
                                             "example:issue_updated:b:2025-01-02T00:00:00Z"});
  CHECK(r.pages[0].unmapped == 1);
  CHECK(r.pages[0].items == 2);
  CHECK(r.cursor() == R"({"since":"2025-01-02T00:00:00Z"})");
}

TEST_CASE("the token goes into the header in the form that the definition names") {
  const auto sent = authorize({}, definition_of("github"), secret{"t-1"});
  REQUIRE(sent.headers.size() == 1);
  CHECK(sent.headers[0] == std::pair<std::string, std::string>{"authorization", "Bearer t-1"});
}
