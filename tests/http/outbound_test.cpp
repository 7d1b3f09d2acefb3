#include "http/outbound.hpp"
#include "tests/http/upstream.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace connectord;
using namespace connectord::web;
using namespace connectord::web::testing;

namespace {

std::string answer_of(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}
const std::string fine = answer_of("{}", "Cache-Control: max-age=60\r\nX-Odd: a\r\n");
std::string redirect_to(const std::string& location, int status = 302) {
  return "HTTP/1.1 " + std::to_string(status) + " Found\r\nLocation: " + location +
         "\r\nContent-Length: 0\r\n\r\n";
}

outbound_settings relaxed() {
  outbound_settings s;
  s.relaxed = true;
  return s;
}

/// `answered`, or why not.
std::string reason(const http_response& r) {
  return r.answered() ? "answered" : std::string{name_of(r.failure)};
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("only public unicast addresses are public") {
  for (const auto* text : {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1",
                           "192.0.3.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1"}) {
    CAPTURE(text);
    CHECK(is_public(parse_ip(text).value()));
  }
  for (const auto* text : {"0.0.0.0",      "10.1.2.3",        "100.64.0.1",
                           "127.0.0.1",    "127.255.0.1",     "169.254.169.254",
                           "172.16.0.1",   "172.31.255.255",  "192.0.0.8",
                           "192.0.2.1",    "192.168.1.1",     "198.18.0.1",
                           "198.51.100.7", "203.0.113.9",     "224.0.0.1",
                           "240.0.0.1",    "255.255.255.255", "::",
                           "::1",          "::ffff:10.0.0.1", "::ffff:169.254.169.254",
                           "::127.0.0.1",  "64:ff9b::a00:1",  "100::1",
                           "2001:db8::1",  "2001::1",         "2002:a00:1::1",
                           "3fff::1",      "fc00::1",         "fd12::1",
                           "fe80::1",      "fec0::1",         "ff02::1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_public(parse_ip(text).value()));
  }
}

TEST_CASE("an answer comes back whole, and the request names its host") {
  net n;
  upstream server{n, fine};
  const auto got = server.get(relaxed(), server.at("127.0.0.1", "/keys?v=3"));
  CHECK(got.ok());
  CHECK(got.status == 200);
  CHECK(got.body == "{}");
  CHECK(got.header("cache-control") == "max-age=60");
  CHECK(got.header("x-odd") == "a");
  CHECK_FALSE(got.header("etag"));
  CHECK(server.seen.starts_with("GET /keys?v=3 HTTP/1.1\r\n"));
  CHECK(holds(server.seen, "\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
  CHECK(holds(server.seen, "\r\nAccept-Encoding: identity\r\n"));
}

TEST_CASE("method, headers and body arrive as they were given") {
  net n;
  upstream server{n, "HTTP/1.1 422 Unprocessable\r\nContent-Length: 5\r\n\r\n{\"a\":"};
  outbound_client client{n.io, relaxed()};
  const auto got =
      n.send(client, {"PATCH", server.at(), {{"authorization", "Bearer t"}, {"accept", "a/b"}}, "x=1&y"});
  CHECK(reason(got) == "answered");
  CHECK(got.status == 422);
  CHECK_FALSE(got.ok());
  CHECK(got.body == "{\"a\":");
  CHECK(server.seen.starts_with("PATCH /keys HTTP/1.1\r\n"));
  CHECK(holds(server.seen, "\r\nauthorization: Bearer t\r\n"));
  CHECK(holds(server.seen, "\r\naccept: a/b\r\n"));
  CHECK_FALSE(holds(server.seen, "application/json"));
  CHECK(server.seen.ends_with("\r\n\r\nx=1&y"));

  server.answer_with("HTTP/1.1 204 No Content\r\n\r\n");
  CHECK(n.send(client, {"POST", server.at(), {}, ""}).status == 204);
  CHECK(holds(server.seen, "\r\nContent-Length: 0\r\n"));
  server.answer_with("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  CHECK(n.send(client, {"HEAD", server.at(), {}, ""}).ok());
}

TEST_CASE("a private address is not even connected to, by whatever name it goes") {
  net n;
  upstream server{n, fine};
  outbound_settings strict;
  for (const auto* host : {"127.0.0.1",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "127.1",
                           "0x7f.1",
                           "0x7f000001",
                           "2130706433",
                           "017700000001",
                           "%31%32%37.0.0.1",
                           "127.0.0.1.",
                           "[::1]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "0.0.0.0",
                           "0",
                           "[::]",
                           "[64:ff9b::7f00:1]",
                           "[fe80::1]",
                           "[fe80::1%25lo]",
                           "169.254.169.254",
                           "10.0.0.1",
                           "192.168.0.1",
                           "public.example@127.0.0.1",
                           "127.0.0.1%00.example",
                           "127.0.0.1%20"}) {
    CAPTURE(host);
    const auto port = ":" + std::to_string(server.port());
    for (const auto* scheme : {"http://", "https://"})
      CHECK_FALSE(server.get(strict, scheme + std::string{host} + port, seconds{2}).answered());
  }
  // Relaxed profiles may reach loopback, and nothing else that is private.
  CHECK(reason(server.get(relaxed(), server.at("169.254.169.254"), milliseconds{500})) == "network_error");
  CHECK(reason(server.get(relaxed(), "https://10.0.0.1/", milliseconds{500})) == "network_error");
  // The list lets addresses in; it does not take TLS away.
  strict.allowed_networks = {parse_network("127.0.0.0/8").value()};
  strict.allowed_hosts = {"localhost"};
  CHECK(reason(server.get(strict, server.at("127.0.0.1"))) == "network_error");
  CHECK(server.connected == 0);
}

TEST_CASE("what is allowed by network or by name is reached over TLS, and the name is sent along") {
  net n;
  const certificate identity{"DNS:localhost,IP:127.0.0.1"};
  upstream server{n, fine, &identity};
  outbound_settings strict;
  strict.authorities = identity.file();
  CHECK(reason(server.get(strict, server.at("localhost"))) == "network_error");
  CHECK(server.connected == 0);

  strict.allowed_hosts = {"localhost"};
  CHECK(server.get(strict, server.at("localHost")).ok());
  CHECK(server.named == "localhost");
  CHECK(reason(server.get(strict, server.at("127.0.0.1"))) == "network_error");
  strict.allowed_networks = {parse_network("127.0.0.0/8").value()};
  CHECK(server.get(strict, server.at("127.0.0.1")).ok());
  CHECK(server.named == "");
}

TEST_CASE("a certificate must come from a known authority, be in force and name the host") {
  net n;
  const certificate identity{"DNS:localhost"}, stranger{"DNS:localhost"}, elsewhere{"DNS:other.example"},
      expired{"DNS:localhost", -60};
  auto settings = relaxed();
  settings.authorities = identity.file();
  upstream good{n, fine, &identity}, unknown{n, fine, &stranger}, misnamed{n, fine, &elsewhere},
      old{n, fine, &expired};
  CHECK(reason(good.get(settings, good.at("localhost"))) == "answered");
  CHECK(reason(good.get(settings, good.at("127.0.0.1"))) == "network_error");
  CHECK(reason(unknown.get(settings, unknown.at("localhost"))) == "network_error");
  settings.authorities = elsewhere.file();
  CHECK(reason(misnamed.get(settings, misnamed.at("localhost"))) == "network_error");
  settings.authorities = expired.file();
  CHECK(reason(old.get(settings, old.at("localhost"))) == "network_error");
  CHECK(unknown.connected + misnamed.connected + old.connected == 3);
  CHECK(unknown.asked + misnamed.asked + old.asked == 0);
  settings.authorities.clear();  // those of the system know none of ours
  CHECK(reason(good.get(settings, good.at("localhost"))) == "network_error");
}

TEST_CASE("redirects of a GET are followed where the request allows them, three at most") {
  net n;
  outbound_client client{n.io, relaxed()};
  upstream server{n, std::vector<std::string>{redirect_to("/b?c=1"), redirect_to("c#f", 307),
                                              redirect_to("?d", 301), fine}};
  const http_request three{"GET", server.at("127.0.0.1", "/a"), {{"authorization", "Bearer t"}}, "", 3};
  CHECK(n.send(client, three).ok());
  CHECK(server.asked == 4);
  CHECK(server.seen.starts_with("GET /c?d HTTP/1.1\r\n"));
  CHECK(holds(server.seen, "Bearer t"));

  upstream loop{n, redirect_to("/keys")};
  CHECK(n.send(client, {"GET", loop.at(), {}, "", 100}).status == 302);
  CHECK(loop.asked == 4);
  CHECK(n.send(client, {"GET", loop.at(), {}, ""}).status == 302);
  CHECK(loop.asked == 5);
  for (const auto* method : {"POST", "PUT", "DELETE"})
    CHECK(n.send(client, {method, loop.at(), {}, "", 3}).status == 302);
  CHECK(loop.asked == 8);
}

TEST_CASE("no redirect leads to another origin, and no header of a call goes there") {
  net n;
  const certificate identity{"DNS:localhost,IP:127.0.0.1"};
  upstream thief{n, fine}, same_port_no_more{n, fine, &identity};
  upstream server{n, fine};
  outbound_client client{n.io, relaxed()};
  const auto port = std::to_string(server.port());
  for (const auto& away :
       {thief.at(), same_port_no_more.at(), "//127.0.0.1:" + std::to_string(thief.port()) + "/",
        server.at("localhost"), "https://127.0.0.1:" + port + "/", "http://u:p@127.0.0.1:" + port + "/",
        std::string{"ftp://127.0.0.1/"}, std::string{"http://127.0.0.1"}, std::string{"http://[::1"},
        std::string{"/a b"}}) {
    CAPTURE(away);
    server.answer_with(redirect_to(away));
    const auto asked = server.asked;
    const auto got = n.send(client, {"GET", server.at(), {{"authorization", "Bearer t"}}, "", 3});
    CHECK(got.status == 302);
    CHECK(reason(got) == "answered");
    CHECK(server.asked == asked + 1);
  }
  CHECK(thief.connected + same_port_no_more.connected == 0);
}

TEST_CASE("an answer over the cap is cut off, declared or not") {
  net n;
  auto settings = relaxed();
  settings.most_bytes = 1000;
  const auto outcome = [&](const std::string& answer, habit does = habit::answers) {
    net own;
    upstream server{own, answer};
    server.does = does;
    return server.get(settings, server.at());
  };
  CHECK(reason(outcome("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")) == "too_large");
  CHECK(outcome("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n").failure ==
        call_failure::too_large);
  CHECK(reason(outcome("HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x'))) == "too_large");
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(reason(outcome(chunked + "800\r\n" + std::string(0x800, 'x'))) == "too_large");
  CHECK(reason(outcome(chunked + "1;" + std::string(100'000, 'x'))) == "too_large");
  CHECK(reason(outcome("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n")) == "too_large");
  CHECK(reason(outcome("HTTP/1.1 200 OK\r\n\r\n" + std::string(100, 'x'), habit::pours)) == "too_large");
  CHECK(reason(outcome("HTTP/1.1 100 Continue\r\n\r\n", habit::pours)) == "malformed_response");
  const auto exact = outcome(answer_of(std::string(1000, 'x')));
  CHECK(exact.ok());
  CHECK(exact.body.size() == 1000);
}

TEST_CASE("chunks without an end are cut off at the cap") {
  net n;
  auto settings = relaxed();
  settings.most_bytes = 100'000;
  std::string many;
  for (int i = 0; i < 60'000; ++i) many += "2\r\nxy\r\n";
  upstream server{n, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + many};
  CHECK(reason(server.get(settings, server.at())) == "too_large");
}

TEST_CASE("nobody waits beyond a deadline") {
  net n;
  const auto late = milliseconds{50};
  upstream silent{n, fine};
  silent.does = habit::says_nothing;
  CHECK(reason(silent.get(relaxed(), silent.at(), late)) == "timeout");
  auto settings = relaxed();
  settings.first_byte_timeout = late;
  CHECK(reason(silent.get(settings, silent.at())) == "timeout");
  CHECK(silent.asked == 2);

  upstream unfinished{n, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123"};
  unfinished.stays = true;
  settings = relaxed();
  settings.total_timeout = late;
  const auto got = unfinished.get(settings, unfinished.at());
  CHECK(reason(got) == "timeout");
  CHECK(got.status == 200);
  CHECK(got.body.empty());

  const certificate identity{"DNS:localhost"};
  upstream mute{n, fine, &identity};
  mute.does = habit::does_not_shake_hands;
  settings = relaxed();
  settings.connect_timeout = late;
  CHECK(reason(mute.get(settings, mute.at("localhost"))) == "timeout");
  CHECK(mute.connected == 1);
  upstream any{n, fine};
  CHECK(reason(any.get(relaxed(), any.at("localhost"), milliseconds{-1})) == "timeout");
}

TEST_CASE("an answer that drips, head or body, is given up at the total deadline") {
  net n;
  auto settings = relaxed();
  settings.total_timeout = milliseconds{60};
  settings.first_byte_timeout = milliseconds{30};  // every byte comes sooner: it must not start anew
  for (const auto& answer :
       {std::string{"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyy"}, answer_of(std::string(10'000, 'x'))}) {
    net own;
    upstream server{own, answer};
    server.does = habit::drips;
    const auto begun = steady_clock::now();
    CHECK(reason(server.get(settings, server.at())) == "timeout");
    CHECK(steady_clock::now() - begun < seconds{5});
    CHECK(server.asked == 1);
  }
}

TEST_CASE("what is no HTTP is malformed, and a connection that breaks is a network error") {
  net n;
  const auto outcome = [&](const std::string& answer) {
    net own;
    upstream server{own, answer};
    return reason(server.get(relaxed(), server.at()));
  };
  for (const std::string answer :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "<html></html>\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 999 Odd\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\nxxxx",
        "HTTP/1.1 200 OK\r\nX\1: y\r\n\r\n"}) {
    CAPTURE(answer);
    CHECK(outcome(answer) == "malformed_response");
  }
  for (const std::string answer :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nX: y\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123"}) {
    CAPTURE(answer);
    CHECK(outcome(answer) == "network_error");
  }
  upstream rude{n, fine};
  rude.does = habit::hangs_up;
  CHECK(reason(rude.get(relaxed(), rude.at())) == "network_error");
  CHECK(rude.asked == 1);
  std::string refused;
  {
    net own;
    upstream gone{own, fine};
    refused = gone.at();
  }
  upstream other{n, fine};
  CHECK(reason(other.get(relaxed(), refused)) == "network_error");
}

TEST_CASE("answers of old servers and answers with preludes are understood") {
  net n;
  const auto body = [&](const std::string& answer) {
    net own;
    upstream server{own, answer};
    const auto got = server.get(relaxed(), server.at());
    return reason(got) + " " + got.body;
  };
  CHECK(body("HTTP/1.0 200 OK\r\n\r\nuntil the end") == "answered until the end");
  CHECK(body("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nabcd") == "answered ab");
  CHECK(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + fine) == "answered {}");
  CHECK(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nxy\r\n0\r\nT: u\r\n\r\n") ==
        "answered xy");
  CHECK(body("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx") == "answered x");
}

TEST_CASE("a body that ends without a goodbye of TLS may be cut, so it is no answer") {
  net n;
  const certificate identity{"DNS:localhost"};
  auto settings = relaxed();
  settings.authorities = identity.file();
  upstream open_end{n, "HTTP/1.1 200 OK\r\n\r\nall of it?", &identity};
  CHECK(reason(open_end.get(settings, open_end.at("localhost"))) == "network_error");
}

TEST_CASE("a URL with credentials, without a host or of another kind is refused") {
  net n;
  upstream server{n, fine};
  const auto port = std::to_string(server.port());
  for (const auto& url :
       {"http://user:pw@127.0.0.1:" + port + "/", "ftp://127.0.0.1:" + port + "/",
        "//127.0.0.1:" + port + "/", std::string{"http:///keys"}, std::string{"keys"}, std::string{},
        "http://127.0.0.1:" + port + "/a b", "http://127.0.0.1:" + port + "/a\r\nX: y",
        "http://127.0.0.1:" + port + "\r\n/", "http://127.0.0.1:" + port + "/" + std::string(20'000, 'a')}) {
    CAPTURE(url);
    CHECK(reason(server.get(relaxed(), url)) == "network_error");
  }
  CHECK(server.connected == 0);
}

TEST_CASE("a request that would change its own framing is refused") {
  net n;
  upstream server{n, fine};
  outbound_client client{n.io, relaxed()};
  for (const auto& [name, value] : header_list{{"x", "a\r\ny: b"},
                                               {"x", "a\nb"},
                                               {"x", std::string("a\0b", 3)},
                                               {"x\r\ny", "b"},
                                               {"x:", "y"},
                                               {"", "y"},
                                               {"Content-Length", "0"},
                                               {"transfer-encoding", "chunked"},
                                               {"HOST", "other.example"},
                                               {"Connection", "upgrade"},
                                               {"Accept-Encoding", "gzip"},
                                               {"x", std::string(20'000, 'y')}}) {
    CAPTURE(name);
    CHECK(reason(n.send(client, {"GET", server.at(), {{name, value}}, ""})) == "network_error");
  }
  for (const auto* method : {"", "get", "GET /x HTTP/1.1\r\nX:", "CONNECT", "TRACE", "G T"}) {
    CAPTURE(method);
    CHECK(reason(n.send(client, {method, server.at(), {}, ""})) == "network_error");
  }
  CHECK(server.connected == 0);
}

TEST_CASE("calls one after the other share a connection, and its handshake") {
  net n;
  const certificate identity{"DNS:localhost"};
  auto settings = relaxed();
  settings.authorities = identity.file();
  upstream server{n, fine, &identity};
  server.stays = true;
  outbound_client client{n.io, settings};
  for (int i = 0; i < 20; ++i) CHECK(n.send(client, {"GET", server.at("localhost"), {}, ""}).ok());
  CHECK(server.connected == 1);
  CHECK(server.asked == 20);
  // A call that must not be made twice has a connection of its own; one that may says so.
  CHECK(n.send(client, {"POST", server.at("localhost"), {}, "{}"}).ok());
  CHECK(server.connected == 2);
  CHECK(n.send(client, {"POST", server.at("localhost"), {}, "{}", 0, true}).ok());
  CHECK(server.connected == 2);
}

TEST_CASE("a connection is kept for its origin only, and not for long") {
  net n;
  auto settings = relaxed();
  upstream one{n, fine}, two{n, fine};
  one.stays = two.stays = true;
  outbound_client client{n.io, settings};
  for (const auto& url : {one.at(), two.at(), one.at("localhost"), one.at(), two.at()})
    CHECK(n.send(client, {"GET", url, {}, ""}).ok());
  CHECK(one.connected == 2);
  CHECK(two.connected == 1);

  settings.idle_timeout = milliseconds{0};
  outbound_client forgetful{n.io, settings};
  for (int i = 0; i < 3; ++i) CHECK(n.send(forgetful, {"GET", two.at(), {}, ""}).ok());
  CHECK(two.connected == 4);
}

TEST_CASE("a connection that says more than it was asked is not used again") {
  net n;
  for (const auto& answer : {fine + fine, answer_of("{}", "Connection: close\r\n"),
                             std::string{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"}}) {
    CAPTURE(answer);
    net own;
    upstream server{own, answer};
    server.stays = true;
    outbound_client client{own.io, relaxed()};
    for (int i = 0; i < 3; ++i) CHECK(own.send(client, {"GET", server.at(), {}, ""}).body == "{}");
    CHECK(server.connected == 3);
  }
}

TEST_CASE("a kept connection that breaks before it answers is replaced once, for what may be sent twice") {
  net n;
  upstream server{n, fine};
  server.stays = true;
  outbound_client client{n.io, relaxed()};
  CHECK(n.send(client, {"GET", server.at(), {}, ""}).ok());
  server.does = habit::hangs_up;
  CHECK(reason(n.send(client, {"GET", server.at(), {}, ""})) == "network_error");
  CHECK(server.asked == 3);
  CHECK(server.connected == 2);
  CHECK(reason(n.send(client, {"GET", server.at(), {}, ""})) == "network_error");
  CHECK(server.asked == 4);

  server.does = habit::answers;
  CHECK(n.send(client, {"GET", server.at(), {}, ""}).ok());
  server.does = habit::hangs_up;
  CHECK(reason(n.send(client, {"POST", server.at(), {}, ""})) == "network_error");
  CHECK(server.asked == 6);
}
