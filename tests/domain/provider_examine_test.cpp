#include "tests/domain/provider_support.hpp"

#include <algorithm>

using namespace connectord;
using namespace connectord::provider;
using connectord::provider::testing::at;
using connectord::provider::testing::definition_of;
using connectord::provider::testing::examine_text;
using connectord::provider::testing::loaded;

namespace {

/// A definition of auth_type webhook around the given content of `webhook`.
definition with_webhook(const std::string& content) {
  return loaded(R"(
slug: acme
version: 1.0.0
display_name: Acme
auth_type: webhook
webhook:
  secret_key: WEBHOOK_ACME_SECRET
  verify: [{scheme: token, header: x-acme-token}]
)" + content);
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + '1' + std::string(depth, ']'); }

json::object payload_of(const examination& e) {
  REQUIRE(e.signals.size() == 1);
  return parse_json_object(e.signals.front().payload).value();
}

const definition& items() {
  static const definition d = with_webhook(R"(
  event: "{type}"
  batch: events
  identity:
    - {kind: external_id, from: "accounts[].id"}
  shapes:
    item:
      entity: "{id}"
      occurred_at: [{epoch_ms: at}, {rfc3339: at}]
      title: ["{title}", "no {{title}}"]
      fields: {labels: "{labels}", size: "{size}", who: ["{first} {last}", "{first}"]}
      raw: $body
  rules:
    - {when: {type: {exists: false}, id: {type: string}}, kind: file_created, as: item}
    - {when: {type: new, "tags[name=hot].level": ["1", "2"]}, kind: issue_created, as: item}
    - {when: {type: [old, ~], flag: {not: [true, "yes"]}}, kind: issue_updated, as: item}
    - {when: {type: sync}, effect: queue_sync}
)");
  return d;
}

examination examine_items(const std::string& list) {
  return examine_text(items(),
                      R"({"accounts": [{"id": 5}, {"id": "six"}, {"id": 5}, {}], "events": [)" + list + "]}");
}

}  // namespace

TEST_CASE("every item of a batch becomes its own signal") {
  const auto e = examine_items(R"({"type": "old", "id": 1}, {"type": "sync"}, {"id": "a"})");
  REQUIRE(e.signals.size() == 2);
  CHECK(e.signals[0].dedupe_key.starts_with("acme:issue_updated:1:"));
  CHECK(e.signals[1].dedupe_key.starts_with("acme:file_created:a:"));
  CHECK(e.queues_sync);
  CHECK(e.outcome == delivery_status::processed);
  CHECK(e.candidates == std::vector<identity>{{"external_id", "5"}, {"external_id", "six"}});
}

TEST_CASE("a bad item of a batch is named and does not cost the others their signals") {
  const auto e = examine_items(R"({"type": "old"}, {"type": "old", "id": 1})");
  CHECK(e.signals.size() == 1);
  CHECK(e.outcome == delivery_status::processed);
  CHECK(e.error == "item 0: the item is not named by id");
  CHECK(examine_items(R"({"type": "old"}, 7)").outcome == delivery_status::failed);
  CHECK(examine_text(items(), R"({"events": {}})").error == "the batch is not an array");
  CHECK(examine_items("").outcome == delivery_status::ignored);
}

TEST_CASE("conditions compare texts, lists, absence, types and selected items") {
  const auto kind = [](const std::string& item) {
    const auto e = examine_items(item);
    return e.signals.empty() ? std::string{e.unmapped ? "unmapped" : "none"} : e.signals.front().kind;
  };
  CHECK(kind(R"({"type": "new", "id": 1, "tags": [{"name": "x"}, {"name": "hot", "level": 2}]})") ==
        "issue_created");
  CHECK(kind(R"({"type": "new", "id": 1, "tags": [{"name": ["a", "hot"], "level": "1"}]})") ==
        "issue_created");
  CHECK(kind(R"({"type": "new", "id": 1, "tags": [{"name": "hot", "level": 3}]})") == "unmapped");
  CHECK(kind(R"({"type": "new", "id": 1, "tags": "hot"})") == "unmapped");
  CHECK(kind(R"({"type": "old", "id": 1, "flag": false})") == "issue_updated");
  CHECK(kind(R"({"type": "old", "id": 1, "flag": true})") == "unmapped");
  CHECK(kind(R"({"type": "old", "id": 1, "flag": "yes"})") == "unmapped");
  CHECK(kind(R"({"type": null, "id": 1})") == "issue_updated");
  CHECK(kind(R"({"type": ["old"], "id": 1})") == "unmapped");
  CHECK(kind(R"({"id": "1"})") == "file_created");
}

TEST_CASE("a field keeps its JSON type when it is one lookup, is text otherwise and null without a value") {
  const auto p = payload_of(
      examine_items(R"({"id": "a", "labels": ["x", {"y": 1}], "size": 4.5, "first": "Ann", "last": ""})"));
  CHECK(p.at("labels") == json::value{"x", {{"y", 1}}});
  CHECK(p.at("size") == 4.5);
  CHECK(p.at("who") == "Ann");
  CHECK(p.at("title") == "no {title}");
  CHECK(payload_of(examine_items(R"({"id": "a"})")).at("who").is_null());
}

TEST_CASE("the event's time is its own, unless it is more than five minutes ahead") {
  const auto received = at("2026-01-01T00:00:00Z");
  const auto occurred = [&](const std::string& time) {
    return to_rfc3339(examine_items(R"({"id": "a", "at": )" + time + "}").signals.at(0).occurred_at);
  };
  CHECK(occurred("1700000000123") == "2023-11-14T22:13:20.123Z");
  CHECK(occurred(R"("2025-03-03T04:05:06+0100")") == "2025-03-03T03:05:06Z");
  CHECK(occurred(std::to_string(to_millis(received) + 300'000)) == "2026-01-01T00:05:00Z");
  CHECK(occurred(std::to_string(to_millis(received) + 300'001)) == "2026-01-01T00:00:00Z");
  for (const auto* nonsense : {R"("soon")", "-1", "1e300", "[]", "9223372036854775807"})
    CHECK(occurred(nonsense) == "2026-01-01T00:00:00Z");
}

TEST_CASE("without a time of its own the version is the digest, so that equal deliveries stay equal") {
  const auto first = examine_items(R"({"id": "a"})"), again = examine_items(R"({"id": "a"})");
  CHECK(first.signals.at(0).entity_version == first.body_sha256.substr(0, 16));
  CHECK(first.signals.at(0).dedupe_key == again.signals.at(0).dedupe_key);
  CHECK(examine_items(R"({"id": "a", "n": 1})").signals.at(0).dedupe_key != first.signals.at(0).dedupe_key);
}

TEST_CASE("a raw object above 256 KiB is left out and says so") {
  const auto sized = [](std::size_t bytes) {
    const std::string frame = R"({"id":"a","text":""})";
    return payload_of(
        examine_items(R"({"id":"a","text":")" + std::string(bytes - frame.size(), 'x') + "\"}"));
  };
  const auto fits = sized(256 * 1024), too_big = sized(256 * 1024 + 1);
  CHECK(fits.at("raw").is_object());
  CHECK_FALSE(fits.contains("raw_truncated"));
  CHECK(too_big.at("raw").is_null());
  CHECK(too_big.at("raw_truncated") == true);
}

TEST_CASE("what is JSON and what is not") {
  const auto& d = definition_of("example");
  const auto is_json = [&](std::string_view body) { return examine_text(d, body).body_is_json; };
  for (const auto* yes : {"{}", "[]", "null", " 1 ", "\"x\"", "{\"n\": 123456789012345678901234567890}"})
    CHECK_MESSAGE(is_json(yes), yes);
  for (const auto* no : {"", " ", "{", "{}x", "{\"a\":1,}", "nul", "\"\xff\"", "'a'"})
    CHECK_MESSAGE(!is_json(no), no);
  CHECK(is_json(nested(64)));
  CHECK_FALSE(is_json(nested(65)));
  CHECK_FALSE(is_json(nested(100000)));
  CHECK(is_json(nested(64)));  // the parser has recovered
  CHECK(is_json("[\"" + std::string(2'000'000, 'x') + "\"]"));
  CHECK(is_json("{}"));
}

TEST_CASE("names that no store could hold count as absent") {
  const auto& d = definition_of("example");
  const auto with_nul = examine_text(d, R"({"action": "crea\u0000ted", "id": "1"})");
  CHECK_FALSE(with_nul.event_type.has_value());
  const auto entity = examine_text(d, R"({"action": "created", "id": "1\u00002"})");
  CHECK(entity.signals.at(0).entity == entity.body_sha256);
  const auto header = examine_text(d, R"({"action": "created"})", {{"x-example-delivery", "\xff\xfe"}});
  CHECK_FALSE(header.provider_delivery_id.has_value());
  CHECK(header.dedupe_id == header.body_sha256);
  const auto long_id = examine_text(d, "{}", {{"x-example-delivery", std::string(256, 'a')}});
  CHECK(long_id.dedupe_id == long_id.body_sha256);
  CHECK(examine_text(d, R"({"action": "created", "id": ")" + std::string(1025, 'a') + "\"}").outcome ==
        delivery_status::failed);
}

TEST_CASE("filters cut one piece out of a text") {
  CHECK(filtered(text_filter::lower, "A.bC") == "a.bc");
  CHECK(filtered(text_filter::head, "one.two.three") == "one");
  CHECK(filtered(text_filter::head, "one") == "");
  CHECK(filtered(text_filter::host, "https://Acme.example:8443/a/b?c") == "acme.example");
  CHECK(filtered(text_filter::host, "https://u:p@acme.example/a") == "acme.example");
  CHECK(filtered(text_filter::host, "https://[::1]:80/") == "[::1]");
  CHECK(filtered(text_filter::host, "acme.example/a") == "");
  CHECK(filtered(text_filter::tail, "https://h/a/file-1?alt=json#x") == "file-1");
  CHECK(filtered(text_filter::tail, "https://h") == "");
}

TEST_CASE("expressions that make no sense do not parse") {
  for (const auto* bad : {"", "a..b", ".a", "a.", "a[", "a[x", "a[]b", "a[=x]", "a[x=]", "a b", "$nothing",
                          "header:", "a|upper", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q"})
    CHECK_MESSAGE(!parse_lookup(bad).has_value(), bad);
  for (const auto* bad : {"", "{a", "a}", "{}", "{a}{b", "{a|x}"})
    CHECK_MESSAGE(!parse_template(bad).has_value(), bad);
  for (const auto* good :
       {"a", "a.b[0][1].c", "[0]", "a[].b", "a[b=c d]", "data:a", "header:X-Y", "$body", "a|host"})
    CHECK_MESSAGE(parse_lookup(good).has_value(), good);
}

TEST_CASE("a connection's identities come from its external id and its metadata") {
  using list = std::vector<identity>;
  const auto of = [](std::string_view slug, std::string_view id, std::string_view metadata) {
    return identities_of(definition_of(slug), id, parse_json_object(metadata).value());
  };
  CHECK(of("github", "42", "{}") == list{{"external_id", "42"}});
  CHECK(of("gmail", "Ann@Example.COM", "{}") == list{{"external_id", "ann@example.com"}});
  CHECK(of("jira", "cloud-1", R"({"site_url": "https://Acme.atlassian.net"})") ==
        list{{"external_id", "cloud-1"}, {"site_host", "acme.atlassian.net"}});
  CHECK(of("gitlab", "7", R"({"namespace_ids": [3, "4", 3, null, {}]})") ==
        list{{"external_id", "7"}, {"namespace_id", "3"}, {"namespace_id", "4"}});
  CHECK(of("gitlab", "7", R"({"namespace_ids": "3"})") == list{{"external_id", "7"}});
}

TEST_CASE("a challenge is only what asks for an answer") {
  const auto& d = definition_of("slack");
  CHECK(examine_text(d, R"({"type": "url_verification", "challenge": "abc"})").challenge == "abc");
  CHECK_FALSE(examine_text(d, R"({"type": "event_callback", "challenge": "abc"})").challenge.has_value());
  CHECK_FALSE(examine_text(d, R"({"type": "url_verification"})").challenge.has_value());
}
