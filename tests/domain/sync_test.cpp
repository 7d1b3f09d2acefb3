#include "tests/domain/sync_support.hpp"

#include <boost/json/serialize.hpp>

#include <set>

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
  CHECK(keys_of(r) == std::vector<std::string>{"github:issue_updated:acme/widgets#1:2025-03-01T10:00:00Z",
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
  CHECK(keys_of(parts) == keys_of(whole));
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
  CHECK(keys_of(r) == std::vector<std::string>{"example:issue_created:a:2025-01-01T00:00:00Z",
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

TEST_CASE("however the items are split into pages, and wherever a run stops, the same signals come out") {
  constexpr int count = 23;
  json::array items;
  for (int i = 0; i < count; ++i)  // three items a second: equal times stand on both sides of page edges
    items.push_back(item(i, "2025-03-01T10:00:0" + std::to_string(i / 3) + "Z"));
  const auto keys_at = [&](const std::vector<std::size_t>& edges, bool resuming) {
    const answering provider = [&](const http_request& r) {
      if (path_of(r) != "/issues") return answer(R"({"items":[]})");
      const auto page = std::stoul(parameter(r, "page").value_or("0"));
      json::array part(items.begin() + edges[page], items.begin() + edges[page + 1]);
      if (page + 2 == edges.size()) return answer(text(part));
      return answer(text(part), {{"link", "<" + std::string{host} + "/issues?page=" +
                                              std::to_string(page + 1) + R"(>; rel="next")"}});
    };
    const auto& d = definition_of("github");
    auto r =
        resuming ? resume_at_every_edge(d, account(), "", provider) : run_sync(d, account(), "", provider);
    CHECK_FALSE(r.failure.has_value());
    CHECK(r.cursor() == R"({"since":"2025-03-01T10:00:07Z"})");
    auto keys = keys_of(r);
    CHECK(keys.size() == count);
    return std::set<std::string>(keys.begin(), keys.end());
  };
  const auto whole = keys_at({0, count}, false);
  CHECK(whole.size() == count);
  std::uint32_t seed = 7;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::size_t> edges{0};
    while (edges.back() < count) {
      seed = seed * 1'664'525U + 1'013'904'223U;
      edges.push_back(std::min<std::size_t>(count, edges.back() + (seed >> 24U) % 6));  // empty pages too
    }
    CHECK(keys_at(edges, true) == whole);
    CHECK(keys_at(edges, false) == whole);
  }
}

TEST_CASE("an item that comes later with the newest time is not missed") {
  const answering later = [](const http_request& r) {
    if (path_of(r) != "/issues") return answer(R"({"items":[]})");
    CHECK(parameter(r, "since") == "2025-03-01T10%3A00%3A01Z");
    return answer(text(json::array{item(2, "2025-03-01T10:00:01Z"), item(3, "2025-03-01T10:00:01Z")}));
  };
  const auto first = run_sync(definition_of("github"), account(), "", two_pages);
  const auto second = run_sync(definition_of("github"), account(), first.cursor(), later);
  CHECK(keys_of(second).back() == "github:issue_updated:acme/widgets#3:2025-03-01T10:00:01Z");
}

TEST_CASE("a repeated page ends the run as one without progress, and its items are kept all the same") {
  const auto r = run_sync(definition_of("example"), account(), "", [](const http_request& call) {
    const auto page = parameter(call, "page").value_or("1");
    return answer(R"({"items":[{"id":"p)" + page +
                  R"(","action":"created","updated_at":"2025-01-01T00:00:00Z"}],"next_page":2})");
  });
  REQUIRE(r.failure.has_value());
  CHECK(r.failure->no_progress);
  CHECK(r.failure->what == failure_class::transient);
  CHECK(r.without_progress);
  REQUIRE(r.pages.size() == 2);
  CHECK(r.pages[0].moved);
  CHECK_FALSE(r.pages[1].moved);
  CHECK(r.pages[1].signals.size() == 1);
  CHECK(r.pages[1].cursor == r.pages[0].cursor);
}

TEST_CASE("new items that leave the cursor where it was are a run without progress, known ones are none") {
  const auto& d = definition_of("example");
  const auto lost = run_sync(d, account(), R"({"since":"2025-01-01T00:00:00Z"})", [](const auto&) {
    return answer(R"({"items":[{"id":"a","action":"created"}]})");
  });
  CHECK_FALSE(lost.failure.has_value());
  CHECK(lost.without_progress);
  const auto known = run_sync(d, account(), R"({"since":"2025-01-01T00:00:00Z"})", [](const auto&) {
    return answer(R"({"items":[{"id":"a","action":"created","updated_at":"2025-01-01T00:00:00Z"}]})");
  });
  CHECK_FALSE(known.without_progress);
  CHECK_FALSE(known.pages[0].moved);
}

TEST_CASE("a run stops at a page edge when it has seen enough items or taken long enough") {
  const answering endless = [](const http_request& call) {
    const auto page = std::stoi(parameter(call, "page").value_or("1"));
    return answer(R"({"items":[{"id":"x"},{"id":"y"}],"next_page":)" + std::to_string(page + 1) + "}");
  };
  const auto& d = definition_of("example");
  const auto now = at("2026-01-01T00:00:00Z");
  const auto many = run_sync(d, account(), "", endless, now, 1000, {seconds{300}, 100});
  CHECK(many.pages.size() == 50);
  CHECK(many.pages.back().limit_reached);
  CHECK_FALSE(many.without_progress);
  sync_run slow{d, account(), "", {seconds{300}, 5000}, now};
  const auto first = std::get<http_request>(slow.next());
  auto step = slow.take(endless(first), now + seconds{299});
  CHECK_FALSE(std::get<sync_page>(step).limit_reached);
  const auto second = std::get<http_request>(slow.next());
  step = slow.take(endless(second), now + seconds{300});
  CHECK(std::get<sync_page>(step).limit_reached);
}

TEST_CASE("a time that is too far ahead is not believed") {
  const auto now = at("2026-01-01T00:00:00Z");
  const auto r = run_sync(
      definition_of("github"), account(), "",
      [](const http_request& call) {
        if (path_of(call) != "/issues") return answer(R"({"items":[]})");
        return answer(text(json::array{item(1, "2026-01-01T00:05:00Z"), item(2, "2099-01-01T00:00:00Z")}));
      },
      now);
  CHECK(r.cursor() == R"({"since":"2026-01-01T00:05:00Z"})");
  CHECK(r.signals()[0].occurred_at == now + std::chrono::minutes{5});
  CHECK(r.signals()[1].occurred_at == now);
}

TEST_CASE("answers of another form than the definition knows are transient, and nothing of them is kept") {
  for (const auto* body : {R"({"message":"hi"})", R"("text")", "[1]", R"([{"title":"no number"}])",
                           "<html></html>", "", R"([{"id":{}}])", "[[]]", "null", "[1e999999]"}) {
    CAPTURE(body);
    const auto r =
        run_sync(definition_of("github"), account(), "", [&](const auto&) { return answer(body); });
    REQUIRE(r.failure.has_value());
    CHECK(r.failure->what == failure_class::transient);
    CHECK_FALSE(r.failure->no_progress);
    CHECK(r.pages.empty());
  }
}

TEST_CASE("a failure is classified by its status where the definition says nothing") {
  const std::pair<int, failure_class> table[]{
      {0, failure_class::transient},      {302, failure_class::transient}, {400, failure_class::permanent},
      {401, failure_class::unauthorized}, {403, failure_class::permanent}, {404, failure_class::permanent},
      {408, failure_class::transient},    {410, failure_class::permanent}, {422, failure_class::permanent},
      {429, failure_class::rate_limited}, {500, failure_class::transient}, {503, failure_class::transient}};
  for (const auto& [status, what] : table) {
    CAPTURE(status);
    const auto r = run_sync(definition_of("example"), account(), "",
                            [s = status](const auto&) { return answer(R"({"secret":"text"})", {}, s); });
    REQUIRE(r.failure.has_value());
    CHECK(r.failure->what == what);
    CHECK(r.failure->message.find("text") == std::string::npos);
  }
}

TEST_CASE("a pause that the provider asks for is passed on, whatever it refused with") {
  const auto hint = [](int status, header_list headers) {
    return run_sync(definition_of("github"), account(), "",
                    [&](const auto&) { return answer("{}", headers, status); })
        .failure.value()
        .hint;
  };
  CHECK(hint(503, {{"retry-after", "120"}}) == seconds{120});
  CHECK(hint(429, {{"retry-after", "Thu, 01 Jan 2026 00:02:00 GMT"}}) == seconds{120});
  CHECK(hint(429, {{"x-ratelimit-reset", "1767225690"}}) == seconds{90});
  CHECK(hint(429, {{"x-ratelimit-reset", "1767225690"}, {"retry-after", "7"}}) == seconds{7});
  CHECK_FALSE(hint(503, {{"x-ratelimit-reset", "1767225690"}}).has_value());
  CHECK_FALSE(hint(429, {{"x-ratelimit-reset", "soon"}}).has_value());
}

TEST_CASE("after a failure the same call is made again") {
  sync_run run{definition_of("github"), account(), "", {}, at("2026-01-01T00:00:00Z")};
  const auto first = std::get<http_request>(run.next());
  CHECK(std::holds_alternative<sync_failure>(run.take(answer("{}", {}, 401), at("2026-01-01T00:00:01Z"))));
  CHECK(std::get<http_request>(run.next()).url == first.url);
  CHECK(std::holds_alternative<sync_page>(run.take(answer("[]"), at("2026-01-01T00:00:02Z"))));
}

TEST_CASE("an override moves the calls, and links are followed there and nowhere else") {
  auto context = account();
  context.api_base = "http://127.0.0.1:9";
  const auto r = run_sync(definition_of("github"), context, "", [](const http_request& call) {
    if (path_of(call) != "/issues") return answer(R"({"items":[]})");
    if (parameter(call, "page")) return answer("[]");
    return answer("[]", {{"link", R"(<http://127.0.0.1:9/issues?page=2>; rel="next")"}});
  });
  CHECK_FALSE(r.failure.has_value());
  for (const auto& call : r.calls) CHECK(call.url.starts_with("http://127.0.0.1:9/"));
}

TEST_CASE("a stored link of another origin is not followed: the stream starts again") {
  const auto r =
      run_sync(definition_of("github"), account(),
               R"({"resume":{"stream":"issues","page":"https://evil.test/issues?page=2"}})", two_pages);
  CHECK_FALSE(r.failure.has_value());
  for (const auto& call : r.calls) CHECK(call.url.starts_with(host));
  CHECK(keys_of(r).size() == 2);
}

TEST_CASE("a cursor that is not understood counts as none") {
  for (const auto* cursor : {"", "[]", "{", R"({"since":5})", R"({"since":"yesterday"})", R"({"resume":7})",
                             R"({"resume":{"stream":"gone","page":"x"}})", R"({"resume":{"page":["x"]}})"}) {
    CAPTURE(cursor);
    const auto r = run_sync(definition_of("github"), account(), cursor, two_pages);
    CHECK_FALSE(r.failure.has_value());
    CHECK(keys_of(r).size() == 2);
    CHECK_FALSE(parameter(r.calls[0], "since").has_value());
  }
}

TEST_CASE("the account's zone is used where it is known") {
  sync_context context;
  context.external_id = "cloud-1";
  context.utc_offset = [](std::string_view zone, timestamp) -> std::optional<seconds> {
    CHECK(zone == "Australia/Sydney");
    return std::chrono::hours{11};
  };
  const auto r =
      run_sync(definition_of("jira"), context, R"({"since":"2025-02-03T05:05:06Z"})", [](const auto& call) {
        return path_of(call).ends_with("/myself") ? answer(R"({"timeZone":"Australia/Sydney"})")
                                                  : answer(R"({"issues":[]})");
      });
  REQUIRE(r.calls.size() == 2);
  CHECK(r.calls[1].url.find("2025-02-03%2016%3A03") != std::string::npos);
}

namespace {

/// Pages of two items by count, from the new end.
constexpr std::string_view counted = R"(
slug: counted
version: 1.0.0
display_name: Counted
auth_type: oauth2
oauth:
  authorize_url: https://a.test/authorize
  token_url: https://a.test/token
  pkce: required
  refresh: reusable
  account: {external_id: "{token.id}"}
sync:
  shapes:
    item: {entity: "{id}", occurred_at: {epoch_s: at}}
  streams:
    - name: items
      request: {url: "https://a.test/items", query: {offset: "{page}"}}
      page: {style: count, first: 0, step: 2, size: 2, newest_first: true}
      records: items
      cursor: {name: since, newest: {epoch_s: at}}
      since: {overlap_seconds: 10, overlap_key: COUNTED_WINDOW}
      rules:
        - {kind: issue_created, as: item}
)";

http_response countdown(const http_request& call) {
  const auto offset = std::stoi(parameter(call, "offset").value());
  json::array items;
  for (int i = offset; i < std::min(offset + 2, 7); ++i)
    items.push_back(json::object{{"id", i}, {"at", 1'700'000'100 - 10 * i}});
  return answer(text(json::object{{"items", items}}));
}

}  // namespace

TEST_CASE("counted pages end with the first that is not full") {
  const auto r = run_sync(loaded(counted), {}, "", countdown);
  CHECK(r.calls.size() == 4);
  CHECK(keys_of(r).size() == 7);
  CHECK(r.cursor() == R"({"since":"2023-11-14T22:15:00Z"})");
}

TEST_CASE("pages from the new end are read up to what is known, with the overlap that a setting may change") {
  const auto d = loaded(counted);
  const auto cursor = R"({"since":"2023-11-14T22:14:30Z"})";  // of item 3
  const auto r = run_sync(d, {}, cursor, countdown);
  CHECK(r.calls.size() == 3);
  CHECK(keys_of(r).size() == 5);
  sync_context wide;
  wide.settings = {{"COUNTED_WINDOW", "0"}};
  CHECK(keys_of(run_sync(d, wide, cursor, countdown)).size() == 4);
}
