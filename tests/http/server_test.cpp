#include "tests/http/fixture.hpp"

#include "base/json.hpp"

#include <doctest/doctest.h>

using namespace connectord;
using namespace connectord::web;

namespace {

const std::string host = " HTTP/1.1\r\nHost: x\r\n";
const std::string bearer = "Authorization: Bearer " + std::string{operator_token} + "\r\n";
const std::string tenant_text = "5b0a0f7e-2b1d-4a56-9c11-7d4f3a0e9b21";

json::object problem_in(std::string_view answer) {
  const auto parsed = parse_json_object(body_of(answer));
  return parsed ? *parsed : json::object{};
}
std::string code_in(std::string_view answer) {
  const auto body = problem_in(answer);
  return body.contains("code") ? std::string{body.at("code").as_string()} : std::string{};
}

/// Timeouts that pass at once when a test waits for them.
server_settings impatient() {
  auto s = test_server::quick();
  s.header_timeout = s.body_timeout = s.idle_timeout = milliseconds{60};
  return s;
}

}  // namespace

TEST_CASE("an answer carries its trace id, a date and the security headers") {
  test_server server;
  const auto answer = talk(server, "GET /items/1" + host + "\r\n");
  CHECK(status_of(answer) == 200);
  CHECK(body_of(answer) == R"({"id":"1"})");
  CHECK(header_of(answer, "Content-Type") == "application/json; charset=utf-8");
  CHECK(header_of(answer, "x-trace-id")->size() == 36);
  CHECK(header_of(answer, "Date")->ends_with(" GMT"));
  CHECK(header_of(answer, "X-Content-Type-Options") == "nosniff");
  CHECK(header_of(answer, "Referrer-Policy") == "no-referrer");
  CHECK(header_of(answer, "Cache-Control") == "no-store");
  CHECK(header_of(answer, "Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'");
  CHECK_FALSE(header_of(answer, "Connection"));
}

TEST_CASE("the trace id is the caller's when it is well-formed") {
  test_server server;
  const auto traced = [&](const std::string& fields) {
    return header_of(talk(server, "GET /canary" + host + fields + "\r\n"), "x-trace-id").value();
  };
  CHECK(traced("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n") ==
        "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(traced("X-Request-Id: req-42.a:b_c\r\n") == "req-42.a:b_c");
  CHECK(traced("X-Request-Id: has space\r\n").size() == 36);
  CHECK(traced("") != traced(""));
}

TEST_CASE("HEAD is GET without its body, and the next answer starts where it should") {
  test_server server;
  client c{server.port()};
  c.send("HEAD /items/1" + host + "\r\nGET /items/2" + host + "\r\n");
  const auto head = c.read_answer(true);
  CHECK(status_of(head) == 200);
  CHECK(header_of(head, "Content-Length") == "10");
  CHECK(body_of(c.read_answer()) == R"({"id":"2"})");
}

TEST_CASE("a connection serves many requests, also when they come in pieces") {
  test_server server;
  client c{server.port()};
  const std::string body(40'000, 'b');
  const auto request = "POST /echo" + host + "Content-Length: 40000\r\n\r\n" + body;
  for (int i = 0; i < 3; ++i) {
    for (std::size_t at = 0; at < request.size(); at += 7001) c.send(request.substr(at, 7001));
    CHECK(body_of(c.read_answer()) == body);
  }
  for (const char byte : "GET /items/bytewise" + host + "\r\n") c.send({&byte, 1});
  CHECK(body_of(c.read_answer()) == R"({"id":"bytewise"})");
}

TEST_CASE("chunks may be cut anywhere") {
  test_server server;
  client c{server.port()};
  const std::string request =
      "POST /echo" + host +
      "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n";
  for (const char byte : request) c.send({&byte, 1});
  CHECK(body_of(c.read_answer()) == "hello world");
}

TEST_CASE("Expect: 100-continue gets 100 when the body is wanted and the final status when it is not") {
  test_server server;
  client wanted{server.port()};
  wanted.send("POST /echo" + host + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  CHECK(status_of(wanted.read_answer()) == 100);
  wanted.send("hello");
  CHECK(body_of(wanted.read_answer()) == "hello");

  const auto first_answer_to = [&](const std::string& head) {
    client c{server.port()};
    c.send(head + "Expect: 100-continue\r\nContent-Length: 2000\r\n\r\n");
    return status_of(c.read_answer());
  };
  CHECK(first_answer_to("POST /small" + host) == 413);
  CHECK(first_answer_to("POST /nowhere" + host) == 404);
  CHECK(first_answer_to("POST /canary" + host) == 405);
  CHECK(first_answer_to("POST /whoami" + host) == 401);
}

TEST_CASE("an early refusal reaches a client that goes on sending") {
  test_server server;
  client c{server.port()};
  const std::string flood(60'000, 'f');
  c.send("POST /small" + host + "Content-Length: 6000000\r\n\r\n");
  for (int i = 0; i < 100; ++i) c.send(flood);
  const auto answer = c.read_answer();
  CHECK(status_of(answer) == 413);
  CHECK(header_of(answer, "Connection") == "close");
  CHECK(problem_in(answer).at("details").at("limit_bytes") == 16);
  CHECK(server.app().handled == 0);
}

TEST_CASE("a client that is too slow gets 408, one that says nothing is dropped") {
  test_server server{impatient()};
  client head{server.port()};
  head.send("GET /canary HTTP/1.1\r\nHost:");
  const auto answer = head.read_answer();
  CHECK(code_in(answer) == "REQUEST_TIMEOUT");
  CHECK(header_of(answer, "Connection") == "close");
  head.finish();
  CHECK(head.closed_by_server());

  client body{server.port()};
  body.send("POST /echo" + host + "Content-Length: 10\r\n\r\nhello");
  CHECK(status_of(body.read_answer()) == 408);

  client chunks{server.port()};
  chunks.send("POST /echo" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel");
  CHECK(status_of(chunks.read_answer()) == 408);

  client silent{server.port()};
  CHECK(silent.closed_by_server());
  client idle{server.port()};
  idle.send("GET /canary" + host + "\r\n");
  CHECK(status_of(idle.read_answer()) == 200);
  CHECK(idle.closed_by_server());
  CHECK(server.app().handled == 0);
}

TEST_CASE("a handler may take longer than any client may") {
  test_server server{impatient()};
  client c{server.port()};
  c.send("GET /wait" + host + "\r\n");
  client other{server.port()};  // its own timeout proves that the other one's has passed as well
  CHECK(other.closed_by_server());
  server.on_io([&] { server.app().gate.cancel(); });
  CHECK(status_of(c.read_answer()) == 200);
}

TEST_CASE("a handler that throws costs one answer, not the connection") {
  test_server server;
  client c{server.port()};
  c.send("GET /boom" + host + "\r\n");
  const auto answer = c.read_answer();
  CHECK(code_in(answer) == "INTERNAL_SERVER_ERROR");
  CHECK(answer.find("secret of the handler") == std::string::npos);
  c.send("GET /canary" + host + "\r\n");
  CHECK(status_of(c.read_answer()) == 200);
}

TEST_CASE("checks come in the order of the contract") {
  test_server server;
  const auto code = [&](const std::string& request) { return code_in(talk(server, request)); };
  const std::string huge = "Content-Length: 100000\r\n\r\n", small = "Content-Length: 2\r\n\r\n{}";
  CHECK(code("POST /nowhere" + host + huge) == "NOT_FOUND");
  CHECK(code("PUT /whoami" + host + huge) == "METHOD_NOT_ALLOWED");
  CHECK(code("POST /whoami" + host + huge) == "PAYLOAD_TOO_LARGE");
  CHECK(code("POST /whoami" + host + small) == "UNAUTHORIZED");
  CHECK(code("POST /whoami" + host + "X-Tenant-Id: nonsense\r\n" + small) == "UNAUTHORIZED");
  CHECK(code("POST /whoami" + host + bearer + small) == "VALIDATION_FAILED");
  CHECK(code("POST /whoami" + host + bearer + "X-Tenant-Id: " + tenant_text +
             "\r\nContent-Length: 100\r\n\r\n{}") == "BAD_REQUEST");
  const auto answer =
      talk(server, "POST /whoami" + host + bearer + "X-Tenant-Id: " + tenant_text + "\r\n" + small);
  CHECK(body_of(answer) == "{\"tenant\":\"" + tenant_text + "\"}");
}

TEST_CASE("a route with a proof of its own knows its limit before the length is checked") {
  test_server server;
  const auto status = [&](const std::string& provider, int length) {
    return status_of(talk(server, "POST /hooks/" + provider + host +
                                      "Content-Length: " + std::to_string(length) + "\r\n\r\n" +
                                      std::string(static_cast<std::size_t>(length), 'x')));
  };
  CHECK(status("unknown", 100'000) == 404);
  CHECK(status("tiny", 5) == 413);
  CHECK(status("tiny", 4) == 200);
  CHECK(status("other", 4096) == 200);
  CHECK(status("other", 4097) == 413);
  CHECK(server.app().seen_by_admission.empty());
}

TEST_CASE("the wrong method is answered with the right ones") {
  test_server server;
  CHECK(header_of(talk(server, "PUT /items/1" + host + "\r\n"), "Allow") == "GET, HEAD, DELETE, OPTIONS");
  CHECK(header_of(talk(server, "GET /echo" + host + "\r\n"), "Allow") == "POST, OPTIONS");
}

TEST_CASE("a preflight is answered without credentials and any answer may be read across origins") {
  test_server server;
  const auto preflight =
      talk(server, "OPTIONS /whoami" + host +
                       "Origin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  CHECK(status_of(preflight) == 204);
  CHECK_FALSE(header_of(preflight, "Content-Length"));
  CHECK(header_of(preflight, "Access-Control-Allow-Origin") == "*");
  CHECK(header_of(preflight, "Access-Control-Allow-Headers")->find("X-Connection-Id") != std::string::npos);
  const auto refused = talk(server, "POST /whoami" + host + "Origin: https://app.example\r\n\r\n");
  CHECK(status_of(refused) == 401);
  CHECK(header_of(refused, "Access-Control-Allow-Origin") == "*");
  CHECK(header_of(refused, "WWW-Authenticate") == "Bearer");
  CHECK(status_of(talk(server, "OPTIONS /nowhere" + host + "\r\n")) == 404);

  auto settings = test_server::quick();
  settings.cors_origins = {"https://app.example"};
  test_server strict{settings};
  const auto origin = [&](const std::string& from) {
    return header_of(talk(strict, "GET /canary" + host + "Origin: " + from + "\r\n\r\n"),
                     "Access-Control-Allow-Origin");
  };
  CHECK(origin("https://app.example") == "https://app.example");
  CHECK_FALSE(origin("https://app.example.evil"));
}

TEST_CASE(
    "after stop, requests in flight are answered, nobody gets in, and idle connections may ask once more") {
  test_server server;
  client busy{server.port()}, idle{server.port()}, quiet{server.port()};
  idle.send("GET /canary" + host + "\r\n");
  CHECK(status_of(idle.read_answer()) == 200);
  busy.send("GET /wait" + host + "\r\n");
  while (!server.app().waiting) std::this_thread::yield();
  CHECK(server.open_connections() == 3);

  server.stop(milliseconds{100});
  CHECK_THROWS(client{server.port()});
  idle.send("GET /canary" + host + "\r\n");
  const auto last = idle.read_answer();
  CHECK(status_of(last) == 200);
  CHECK(header_of(last, "Connection") == "close");
  CHECK(idle.closed_by_server());
  CHECK(quiet.closed_by_server());
  server.on_io([&] { server.app().gate.cancel(); });
  CHECK(body_of(busy.read_answer()) == R"({"waited":true})");
  CHECK(busy.closed_by_server());
  CHECK(server.open_connections() == 0);
}

TEST_CASE("after stop, requests that stay incomplete end with the grace, whatever their own timeouts allow") {
  auto settings = test_server::quick();
  settings.header_timeout = settings.body_timeout = settings.idle_timeout = settings.linger = seconds{60};
  test_server server{settings};
  client head{server.port()}, body{server.port()}, chunks{server.port()}, refused{server.port()};
  head.send("GET /canary HTTP/1.1\r\nHost");
  body.send("POST /echo" + host + "Content-Length: 10\r\n\r\n12345");
  chunks.send("POST /echo" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\n123");
  refused.send("POST /small" + host + "Content-Length: 100\r\n\r\n");
  CHECK(status_of(refused.read_answer()) == 413);
  client late{server.port()};
  late.send("POST /echo" + host + "Content-Length: 10\r\n\r\n12345");
  while (server.open_connections() < 5) std::this_thread::yield();

  server.stop(seconds{1});
  late.send("67890");
  CHECK(body_of(late.read_answer()) == "1234567890");
  CHECK(status_of(head.read_all()) == 408);
  CHECK(status_of(body.read_all()) == 408);
  CHECK(status_of(chunks.read_all()) == 408);
  CHECK(refused.closed_by_server());
  while (server.open_connections() > 0) std::this_thread::yield();
}

TEST_CASE("beyond the cap, clients wait in the backlog until there is room") {
  auto settings = test_server::quick();
  settings.max_connections = 1;
  test_server server{settings};
  auto first = std::make_unique<client>(server.port());
  first->send("GET /canary" + host + "\r\n");
  CHECK(status_of(first->read_answer()) == 200);
  client second{server.port()};
  second.send("GET /canary" + host + "\r\n");
  CHECK(server.open_connections() == 1);
  first.reset();
  CHECK(status_of(second.read_answer()) == 200);
}

TEST_CASE("requests are counted by route, method and status, never by path") {
  test_server server;
  talk(server, "GET /items/42" + host + "\r\n");
  talk(server, "GET /nowhere/42" + host + "\r\n");
  const auto text = server.meters().exposition();
  CHECK(text.find(R"(http_requests_total{method="GET",route="/items/{id}",status="200"} 1)") !=
        std::string::npos);
  CHECK(text.find(R"(route="unmatched",status="404"} 1)") != std::string::npos);
  CHECK(text.find("/42") == std::string::npos);
}

TEST_CASE("what is refused before any work is counted by its reason, and what was not found is none of it") {
  test_server server;
  talk(server, "GET /items/42" + host + "\r\n");
  talk(server, "GET /nowhere" + host + "\r\n");
  CHECK(server.meters().exposition().find("connectors_http_rejected_total{") == std::string::npos);
  talk(server, "GET /items/42 HTTP/1.1\r\n\r\n");
  talk(server, "GET /items/42" + host + "x: " + std::string(70'000, 'y') + "\r\n\r\n");
  const auto text = server.meters().exposition();
  CHECK(text.find(R"(connectors_http_rejected_total{reason="framing"} 1)") != std::string::npos);
  CHECK(text.find(R"(connectors_http_rejected_total{reason="header_limit"} 1)") != std::string::npos);
}
