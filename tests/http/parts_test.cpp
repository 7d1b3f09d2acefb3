#include "http/chunked.hpp"
#include "http/cursor.hpp"
#include "http/limiter.hpp"
#include "http/path.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "http/request_gate.hpp"
#include "http/trace.hpp"
#include "tests/http/printing.hpp"

#include <set>

using namespace connectord;
using namespace connectord::web;

namespace {

std::string refusal(const query_reader& q, std::string_view name) {
  const auto finished = q.finish();
  if (finished) return {};
  const auto refused = finished.error();  // a copy: a result hands its error out by value
  const auto* reason = refused.details().if_contains(name);
  return reason ? std::string{reason->as_string()} : std::string{};
}

keyring ring(std::initializer_list<char> fills) {
  std::vector<keyring::key> keys;
  for (const char c : fills) keys.push_back({std::string{"k"} + c, secret{std::string(32, c)}});
  return keyring{std::move(keys)};
}

ip_address ip(std::string_view text) { return parse_ip(text).value(); }

}  // namespace

TEST_CASE("a head is known to be complete wherever it was cut") {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  const auto size = text.size() - 4;
  for (std::size_t cut = 0; cut < size; ++cut) {
    CHECK(find_head_end(std::string_view{text}.substr(0, cut)).value() == 0);
    CHECK(find_head_end(text, cut).value() == size);
  }
}

TEST_CASE("a head is parsed into views of its text") {
  const std::string text =
      "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX-Y:  z \r\nx-y: 2\r\nConnection: te, "
      "Close\r\n"
      "Expect: 100-Continue\r\n\r\n";
  head h;
  REQUIRE(parse_head(text, h));
  CHECK(h.method == verb::post);
  CHECK(h.target == "/a?b=c");
  CHECK(h.content_length == 12);
  CHECK(h.find("x-y") == "z");
  CHECK(h.count("x-y") == 2);
  CHECK_FALSE(h.find("x-z"));
  CHECK_FALSE(h.keep_alive);
  CHECK(h.expects_continue);
  CHECK(h.has_body());
  REQUIRE(parse_head("GET / HTTP/1.0\r\n\r\n", h));
  CHECK(h.fields.empty());
  CHECK_FALSE(h.content_length);
  CHECK_FALSE(h.keep_alive);
}

TEST_CASE("a chunked body is the same however it is cut") {
  const std::string text = "3\r\nabc\r\n5;e=1\r\ndefgh\r\n0\r\nT: 1\r\n\r\nnext";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    chunked_decoder decoder{100};
    std::string body;
    std::size_t at = 0;
    while (!decoder.done() && at < text.size())
      at += decoder.feed(std::string_view{text}.substr(at, step), body).value();
    CHECK(decoder.done());
    CHECK(body == "abcdefgh");
    CHECK(text.substr(at) == "next");
  }
  chunked_decoder decoder{7};
  std::string body;
  CHECK(decoder.feed(text, body).error().code() == errc::payload_too_large);
  CHECK(body.size() <= 7);
}

TEST_CASE("a path is decoded once and what could mean two paths is none") {
  path p;
  REQUIRE(p.parse("/a%20b/%c3%a4/c+d"));
  CHECK(p.size() == 3);
  CHECK(p[0] == "a b");
  CHECK(p[1] == "ä");
  CHECK(p[2] == "c+d");
  CHECK(p[3].empty());
  REQUIRE(p.parse("/"));
  CHECK(p.size() == 0);
  CHECK(p.parse("/%2541").has_value());
  CHECK(p[0] == "%41");
  REQUIRE(p.parse("/a/"));
  CHECK((p.size() == 1 && p.ends_in_slash()));
  CHECK((p.parse("/a") && !p.ends_in_slash()));
  CHECK((p.parse("/") && !p.ends_in_slash()));
  for (const char* text : {"//", "/a//", "/a//b", "//a/", "/.", "/..", "/a/../b", "/%2e", "/%2E%2e", "/a%2fb",
                           "/a%5cb", "/1/2/3/4/5/6/7/8/9"}) {
    CAPTURE(text);
    CHECK(p.parse(text).error().code() == errc::not_found);
  }
  for (const char* text :
       {"/%", "/%4", "/%gg", "/%00", "/%1f", "/%7f", "/%ff", "/%c0%af", "/%f8%80%80%80%af"}) {
    CAPTURE(text);
    CHECK(p.parse(text).error().code() == errc::bad_request);
  }
}

TEST_CASE("a query is read by what each parameter may be") {
  query_reader q{
      "a=x%20y+z&limit=100&flag=true&n=-3&score=0.25&id=5B0A0F7E-2b1d-4a56-9c11-7d4f3a0e9b21"
      "&at=2025-01-02T03:04:05+00:00&kind=b&unknown=1&unknown=2&&empty_unknown="};
  CHECK(q.text("a") == "x y z");
  CHECK(q.limit() == 100);
  CHECK(q.boolean("flag") == true);
  CHECK(q.integer("n", -5, 5) == -3);
  CHECK(q.number("score", 0, 1) == 0.25);
  CHECK(q.id("id")->text() == "5b0a0f7e-2b1d-4a56-9c11-7d4f3a0e9b21");
  CHECK(to_rfc3339(*q.time("at")) == "2025-01-02T03:04:05Z");
  CHECK(q.one_of("kind", {"a", "b"}) == "b");
  CHECK_FALSE(q.text("absent"));
  CHECK(query_reader{""}.limit() == 50);
  CHECK(q.finish());
}

TEST_CASE("every offending parameter is named") {
  query_reader q{
      "twice=1&twice=1&empty=&bare&broken=%zz&utf=%ff&limit=101&flag=TRUE&score=nan&id=x&at=today&kind=c&nul="
      "%00"};
  for (const char* name : {"twice", "empty", "bare", "broken", "utf", "nul"}) CHECK_FALSE(q.text(name));
  CHECK(q.limit() == 50);
  CHECK_FALSE(q.boolean("flag"));
  CHECK_FALSE(q.number("score", 0, 1));
  CHECK_FALSE(q.id("id"));
  CHECK_FALSE(q.time("at"));
  CHECK_FALSE(q.one_of("kind", {"a", "b"}));
  const auto finished = q.finish();
  REQUIRE_FALSE(finished);
  CHECK(finished.error().code() == errc::validation_failed);
  CHECK(finished.error().details().size() == 12);
  CHECK(refusal(q, "kind") == "must be one of a, b");
}

TEST_CASE("a limit is a plain decimal integer from 1 to 100") {
  for (const char* value :
       {"0", "101", "-1", "abc", "1.5", "1e1", "99999999999999999999", "+5", "%205", "5%20", "0x5"}) {
    CAPTURE(value);
    query_reader q{std::string{"limit="} + value};
    q.limit();
    CHECK_FALSE(refusal(q, "limit").empty());
  }
}

TEST_CASE("a cursor comes back only as it was made, to where it was made") {
  const cursor_codec codec{ring({'a'})};
  const cursor_scope scope{"/signals", "t1", "kind=x"};
  const auto cursor = codec.encode(json::array{1, "id"}, scope);
  CHECK(codec.decode(cursor, scope).value() == json::value(json::array{1, "id"}));
  CHECK(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);

  const auto refused = [&](std::string_view text, const cursor_scope& s) {
    const auto got = codec.decode(text, s);
    return !got && got.error().code() == errc::validation_failed && got.error().details().contains("cursor");
  };
  CHECK(refused(cursor, {"/jobs", "t1", "kind=x"}));
  CHECK(refused(cursor, {"/signals", "t2", "kind=x"}));
  CHECK(refused(cursor, {"/signals", "t1", "kind=y"}));
  CHECK(refused(cursor, {"/signals", "t1k", "ind=x"}));
  for (const std::string& text :
       {std::string{}, std::string{"@@@"}, std::string(1001, 'x'), std::string{"AAAA"},
        std::string{"eyJuYW1lIjoiZ2l0aHViIn0"}, cursor + "=", cursor.substr(0, cursor.size() - 1)}) {
    CAPTURE(text);
    CHECK(refused(text, scope));
  }
  const auto bytes = from_base64url(cursor).value();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(refused(to_base64url(changed), scope));
  }
}

TEST_CASE("a cursor survives key rotation while its key is in the ring") {
  const cursor_scope scope{"/signals", "t1", ""};
  const auto cursor = cursor_codec{ring({'a'})}.encode(7, scope);
  CHECK(cursor_codec{ring({'b', 'a'})}.decode(cursor, scope).value() == 7);
  CHECK_FALSE(cursor_codec{ring({'b'})}.decode(cursor, scope));
}

TEST_CASE("a traceparent is taken as W3C defines it") {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", parent = "00f067aa0ba902b7";
  CHECK(trace_id_of("00-" + trace + "-" + parent + "-01") == trace);
  CHECK(trace_id_of("cc-" + trace + "-" + parent + "-01-later") == trace);
  for (const std::string& text :
       {"00-" + trace + "-" + parent + "-01-x", "ff-" + trace + "-" + parent + "-01",
        "00-" + std::string(32, '0') + "-" + parent + "-01", "00-" + trace + "-0000000000000000-01",
        "00-" + trace + "-" + parent + "-0", "00-" + trace + "-" + parent + "-0g",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent + "-01", "cc-" + trace + "-" + parent + "-01x",
        std::string{"junk"}, std::string{}}) {
    CAPTURE(text);
    CHECK_FALSE(trace_id_of(text));
  }
  CHECK(is_request_id("req-42.a:b_c"));
  CHECK(is_request_id(std::string(128, 'x')));
  for (const std::string& text :
       {std::string{}, std::string(129, 'x'), std::string{"a b"}, std::string{"a;b"}, std::string{"ä"}})
    CHECK_FALSE(is_request_id(text));
}

TEST_CASE("new trace ids are UUIDs of version 4 and differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto id = new_trace_id();
    REQUIRE(uuid::parse(id));
    CHECK(id[14] == '4');
    CHECK((id[19] == '8' || id[19] == '9' || id[19] == 'a' || id[19] == 'b'));
    CHECK(seen.insert(id).second);
  }
}

TEST_CASE("a problem has the members of the contract and no others") {
  const auto plain = problem(error{errc::not_found}, "t-1");
  CHECK(plain.status == 404);
  CHECK(plain.body ==
        R"({"code":"NOT_FOUND","message":"There is nothing here.","retry_after":null,"trace_id":"t-1"})");
  CHECK(plain.headers.empty());
  const auto limited = problem(error{errc::rate_limited}.with("limit", 3).retry_in(17), "t-2");
  const auto body = parse_json_object(limited.body).value();
  CHECK(body.at("retry_after") == 17);
  CHECK(body.at("details").at("limit") == 3);
  CHECK(limited.headers == std::vector<std::pair<std::string, std::string>>{{"Retry-After", "17"}});
  CHECK(problem(error{errc::invalid_signature}, "t").headers.front().first == "WWW-Authenticate");
  for (const auto code : {errc::database_unavailable, errc::tenant_unavailable, errc::commit_in_doubt})
    CHECK(problem(error{code}, "t").headers.front() ==
          std::pair<std::string, std::string>{"Retry-After", "1"});
}

TEST_CASE("the limiter counts per provider, tenant and client, and opens again with the next window") {
  rate_limiter limiter{{.per_minute = 3, .burst = 50, .global_per_minute = 1000}};
  const auto client = ip("203.0.113.9");
  const steady_time start{seconds{1000}};
  for (int i = 0; i < 3; ++i) CHECK_FALSE(limiter.admit("github", "t1", client, start + seconds{10 * i}));
  CHECK(limiter.admit("github", "t1", client, start + seconds{30}) == 30);
  CHECK(limiter.admit("github", "t1", client, start + milliseconds{59'900}) == 1);
  CHECK_FALSE(limiter.admit("slack", "t1", client, start + seconds{30}));
  CHECK_FALSE(limiter.admit("github", "t2", client, start + seconds{30}));
  CHECK_FALSE(limiter.admit("github", "t1", ip("203.0.113.10"), start + seconds{30}));
  CHECK_FALSE(limiter.admit("github", "t1", client, start + seconds{60}));
}

TEST_CASE("no second ever holds more than the burst, wherever it begins") {
  rate_limiter limiter{{.per_minute = 100'000, .burst = 5, .global_per_minute = 100'000}};
  const auto client = ip("::1");
  std::vector<steady_time> passed;
  for (int i = 0; i < 5000; ++i) {
    const steady_time now{milliseconds{100'000 + i * 7}};
    const auto wait = limiter.admit("github", "t", client, now);
    if (wait)
      CHECK(*wait == 1);
    else
      passed.push_back(now);
  }
  for (std::size_t i = 5; i < passed.size(); ++i) CHECK(passed[i] - passed[i - 5] >= seconds{1});
  CHECK(passed.size() > 5 * 30);
}

TEST_CASE("the global limit is over all callers and its refusals are not counted against them") {
  rate_limiter limiter{{.per_minute = 10, .burst = 10, .global_per_minute = 2}};
  const steady_time now{seconds{1000}};
  CHECK_FALSE(limiter.admit("a", "t", ip("10.0.0.1"), now));
  CHECK_FALSE(limiter.admit("a", "t", ip("10.0.0.2"), now));
  CHECK(limiter.admit("a", "t", ip("10.0.0.3"), now) == 60);
  CHECK(limiter.callers() == 2);
}

TEST_CASE("the limiter's memory is bounded and idle callers are dropped") {
  rate_limiter limiter{{.per_minute = 10, .burst = 10, .global_per_minute = 100'000, .most_callers = 100}};
  const steady_time start{seconds{1000}};
  for (int i = 0; i < 1000; ++i) limiter.admit("a", std::to_string(i), ip("10.0.0.1"), start);
  CHECK(limiter.callers() == 100);
  for (int i = 0; i < 100; ++i) limiter.admit("a", "busy", ip("10.0.0.1"), start + seconds{120});
  CHECK(limiter.callers() == 1);
}

TEST_CASE("X-Forwarded-For counts from the right and only behind trusted proxies") {
  const std::vector trusted{parse_network("10.0.0.0/8").value(), parse_network("::1/128").value()};
  const auto proxy = ip("10.1.2.3"), stranger = ip("192.0.2.1");
  CHECK(client_address(stranger, "203.0.113.9", trusted) == stranger);
  CHECK(client_address(proxy, "203.0.113.9", trusted) == ip("203.0.113.9"));
  CHECK(client_address(proxy, "198.51.100.1, 203.0.113.9, 10.9.9.9", trusted) == ip("203.0.113.9"));
  CHECK(client_address(proxy, "203.0.113.9:4711", trusted) == ip("203.0.113.9"));
  CHECK(client_address(proxy, "[2001:db8::1]:443", trusted) == ip("2001:db8::1"));
  CHECK(client_address(proxy, "", trusted) == proxy);
  CHECK(client_address(proxy, "203.0.113.9, nonsense", trusted) == proxy);
  CHECK(client_address(proxy, "10.0.0.7", trusted) == ip("10.0.0.7"));
}
