#include "config/provider_loader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace connectord;
using connectord::config::load_provider;

namespace {

constexpr std::string_view good = R"(slug: acme
version: 1.0.0
display_name: Acme
auth_type: oauth2
oauth:
  authorize_url: https://a.test/authorize
  token_url: https://a.test/token
  pkce: required
  refresh: reusable
  account: {external_id: "{token.id}"}
sync:
  shapes:
    item: {entity: "{id}", occurred_at: {rfc3339: at}}
  streams:
    - name: items
      request: {url: "https://a.test/items", query: {since: "{since}"}}
      page: {style: token, token: next}
      records: items
      cursor: {name: since, newest: {rfc3339: at}}
      rules:
        - {kind: issue_created, as: item}
)";

std::string problem(std::string_view from, std::string_view to) {
  std::string text{good};
  const auto where = text.find(from);
  REQUIRE(where != std::string::npos);
  const auto d = load_provider(text.replace(where, from.size(), to), "acme.yaml");
  return d ? "loaded" : std::string{d.error().message()};
}

}  // namespace

TEST_CASE("a sync loads into data") {
  const auto d = load_provider(good, "acme.yaml").value();
  REQUIRE(d.sync.has_value());
  const auto& stream = d.sync->streams.at(0);
  CHECK(stream.name == "items");
  CHECK(stream.page.how == provider::paging::token);
  CHECK(stream.cursor.name == "since");
  CHECK_FALSE(stream.baseline.has_value());
}

TEST_CASE("a sync that is wrong says in which line and field") {
  struct wrong {
    std::string_view from, to, said;
  };
  constexpr wrong cases[]{
      {"name: items", "nam: items", "acme.yaml:15: sync.streams[0].nam: is not a known field"},
      {"https://a.test/items", "http://a.test/items", "sync.streams[0].request.url: must be an https URL"},
      {"https://a.test/items", "{metadata.url}", "sync.streams[0].request.url: must be an https URL"},
      {"style: token", "style: cursor",
       "sync.streams[0].page.style: must be one of none, link, token, count"},
      {"style: token, token: next", "style: token", "sync.streams[0].page.token: is required"},
      {"style: token, token: next", "style: count", "sync.streams[0].page.size: and step must be at least 1"},
      {"newest: {rfc3339: at}", "newest: {date: at}", "cursor.newest: names an unknown time format"},
      {"name: since, newest", "name: resume, newest", "sync.streams[0].cursor.name: is taken"},
      {"name: since, newest: {rfc3339: at}", "name: since",
       "sync.streams[0].cursor: needs either answer or newest"},
      {"newest: {rfc3339: at}", "answer: token", "sync.streams[0].baseline: is required where an answer"},
      {"kind: issue_created, as: item", "effect: queue_sync",
       "sync.streams[0].rules: of a sync can make signals"},
      {"records: items", "baseline: {}\n      records: items",
       "baseline: needs either a request or from_now"},
      {"records: items", "records: \"items[]\"", "records: must name one value, not every item"},
      {"  streams:\n", "  errors: [{when: {$status: 400}, class: gone}]\n  streams:\n",
       "sync.errors[0].class: must be one"},
      {"  streams:\n", "  headers: {Accept: x}\n  streams:\n", "sync.headers.Accept: must be in lower case"},
      {"  streams:\n", "  mail: {factor: 2, from: \"{f}\"}\n  streams:\n",
       "sync.mail.factor: must be a number"},
  };
  for (const auto& c : cases) {
    const auto said = problem(c.from, c.to);
    CHECK_MESSAGE(said.find(c.said) != std::string::npos, c.said << " not in " << said);
  }
}
