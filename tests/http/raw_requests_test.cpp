#include "tests/http/fixture.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace connectord;
using namespace connectord::web;
using namespace std::string_literals;

namespace {

/// What a smuggler hopes to have answered as a request of its own.
const std::string canary = "GET /canary HTTP/1.1\r\nHost: x\r\n\r\n";
/// The same, looking like the end of the request before it.
const std::string hidden = "GET /canary HTTP/1.1\r\nX: ";

struct shape {
  std::string name;  ///< clause and what is wrong
  std::string bytes;
  int status = 400;
};

std::string post(const std::string& fields, const std::string& rest = {}) {
  return "POST /echo HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + rest;
}
std::string get(const std::string& fields) { return "GET /peer HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n"; }
std::string line(const std::string& request_line) { return request_line + "\r\nHost: x\r\n\r\n"; }
std::string chunked(const std::string& body) { return post("Transfer-Encoding: chunked\r\n", body); }
std::string fields(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += "X-" + std::to_string(i) + ": 1\r\n";
  return out;
}

void must_refuse(const std::vector<shape>& shapes) {
  test_server server;
  std::set<std::string> names;
  for (const auto& s : shapes) {
    CAPTURE(s.name);
    CHECK(names.insert(s.name).second);
    const auto answers = talk(server, s.bytes + canary);
    CHECK(status_of(answers) == s.status);
    CHECK(answers_in(answers) == 1);
    CHECK(header_of(answers, "Connection") == "close");
    CHECK(header_of(answers, "Content-Type") == "application/problem+json");
    CHECK(body_of(answers).find(*header_of(answers, "x-trace-id")) != std::string::npos);
  }
  CHECK(server.app().canaries == 0);
  CHECK(server.app().handled == 0);
}

/// Both the request and the canary behind it are answered: the framing was understood.
void must_accept(const std::vector<shape>& shapes) {
  test_server server;
  int expected = 0;
  for (const auto& s : shapes) {
    CAPTURE(s.name);
    const auto answers = talk(server, s.bytes + canary);
    CHECK(status_of(answers) == s.status);
    CHECK(answers_in(answers) == 2);
    CHECK(server.app().canaries == ++expected);
  }
}

}  // namespace

TEST_CASE("requests whose length can be read two ways are refused and the connection is closed") {
  const auto zero = "0\r\n\r\n"s;
  must_refuse({
      {"RFC 9112 6.1: Transfer-Encoding with Content-Length",
       post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", zero)},
      {"RFC 9112 6.1: Content-Length with Transfer-Encoding",
       post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", zero)},
      {"RFC 9112 6.1: both, lengths agreeing on nothing",
       post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", zero)},
      {"RFC 9112 6.1: CL.TE with a hidden request",
       post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", zero + hidden)},
      {"RFC 9112 6.1: TE.CL with a hidden request",
       post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "5c\r\n" + hidden + zero)},
      {"RFC 9112 6.3: two different Content-Length",
       post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")},
      {"RFC 9112 6.3: two equal Content-Length", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
      {"RFC 9112 6.3: Content-Length as a list of equals", post("Content-Length: 5, 5\r\n", "hello")},
      {"RFC 9112 6.3: Content-Length as a list", post("Content-Length: 5, 6\r\n", "hello")},
      {"RFC 9110 8.6: two Content-Length in other letter case",
       post("Content-Length: 5\r\ncontent-length: 0\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length with a sign", post("Content-Length: +5\r\n", "hello")},
      {"RFC 9110 8.6: negative Content-Length", post("Content-Length: -5\r\n", "hello")},
      {"RFC 9110 8.6: hexadecimal Content-Length", post("Content-Length: 0x5\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length with a fraction", post("Content-Length: 5.0\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length with a space inside", post("Content-Length: 5 0\r\n", "hello")},
      {"RFC 9110 8.6: empty Content-Length", post("Content-Length:\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length in words", post("Content-Length: five\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length with a semicolon", post("Content-Length: 5;x\r\n", "hello")},
      {"RFC 9110 8.6: quoted Content-Length", post("Content-Length: \"5\"\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length beyond 2^63", post("Content-Length: 99999999999999999999\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length that wraps to 5",
       post("Content-Length: 18446744073709551621\r\n", "hello")},
      {"RFC 9110 8.6: Content-Length with other digits", post("Content-Length: \xd9\xa5\r\n", "hello")},
      {"RFC 9112 6.1: coding identity", post("Transfer-Encoding: identity\r\n", "hello")},
      {"RFC 9112 6.1: coding gzip", post("Transfer-Encoding: gzip\r\n", "hello")},
      {"RFC 9112 6.1: coding gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", zero)},
      {"RFC 9112 6.1: chunked is not final", post("Transfer-Encoding: chunked, identity\r\n", zero)},
      {"RFC 9112 6.1: chunked twice in a list", post("Transfer-Encoding: chunked, chunked\r\n", zero)},
      {"RFC 9112 6.1: chunked in two fields",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", zero)},
      {"RFC 9112 6.1: TE.TE, the second obfuscated",
       post("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n", zero)},
      {"RFC 9112 6.1: a coding that merely contains chunked", post("Transfer-Encoding: xchunked\r\n", zero)},
      {"RFC 9112 6.1: chunked with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", zero)},
      {"RFC 9112 6.1: quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n", zero)},
      {"RFC 9112 6.1: empty Transfer-Encoding", post("Transfer-Encoding:\r\n", "hello")},
      {"RFC 9112 6.1: chunked behind a comma", post("Transfer-Encoding: ,chunked\r\n", zero)},
      {"RFC 9112 6.1: chunked behind a vertical tab", post("Transfer-Encoding: \x0b"
                                                           "chunked\r\n",
                                                           zero)},
      {"RFC 9112 6.1: chunked behind a no-break space", post("Transfer-Encoding: \xa0"
                                                             "chunked\r\n",
                                                             zero)},
      {"RFC 9112 6.1: Transfer-Encoding in HTTP/1.0",
       "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + zero},
      {"RFC 9112 5.1: Content-Length with a space before the colon", post("Content-Length : 5\r\n", "hello")},
      {"RFC 9112 5.1: Transfer-Encoding with a space before the colon",
       post("Transfer-Encoding : chunked\r\n", zero)},
      {"RFC 9112 5.1: Transfer-Encoding with a tab before the colon",
       post("Transfer-Encoding\t: chunked\r\n", zero)},
      {"RFC 9112 5.2: folded Transfer-Encoding", post("Transfer-Encoding:\r\n chunked\r\n", zero)},
      {"RFC 9112 5.2: folded Content-Length", post("Content-Length:\r\n\t5\r\n", "hello")},
  });
}

TEST_CASE("header fields that are not written as fields are refused and the connection is closed") {
  must_refuse({
      {"RFC 9112 5.2: folded with a space", get("X-A: 1\r\n 2\r\n")},
      {"RFC 9112 5.2: folded with a tab", get("X-A: 1\r\n\t2\r\n")},
      {"RFC 9112 2.2: white space before the first field", "GET /peer HTTP/1.1\r\n Host: x\r\n\r\n"},
      {"RFC 9112 5.1: space before the colon", get("X-A : 1\r\n")},
      {"RFC 9112 5: no colon", get("X-A\r\n")},
      {"RFC 9112 5: no name", get(": 1\r\n")},
      {"RFC 9110 5.1: space in a name", get("X A: 1\r\n")},
      {"RFC 9110 5.1: slash in a name", get("X/A: 1\r\n")},
      {"RFC 9110 5.1: NUL in a name", get("X\0A: 1\r\n"s)},
      {"RFC 9110 5.1: bytes above ASCII in a name", get("X\xc3\xa4: 1\r\n")},
      {"RFC 9110 5.1: parenthesis in a name", get("X(A): 1\r\n")},
      {"RFC 9110 5.1: quote in a name", get("\"X\": 1\r\n")},
      {"RFC 9110 5.5: NUL in a value", get("X-A: 1\0002\r\n"s)},
      {"RFC 9110 5.5: bare CR in a value", get("X-A: 1\r2\r\n")},
      {"RFC 9110 5.5: CR twice at the end of a line", get("X-A: 1\r\r\n")},
      {"RFC 9110 5.5: escape in a value", get("X-A: \x1b[31m\r\n")},
      {"RFC 9110 5.5: DEL in a value", get("X-A: \x7f\r\n")},
      {"RFC 9110 5.5: backspace in a value", get("X-A: a\b\r\n")},
      {"RFC 9110 5.5: form feed in a value", get("X-A: a\fb\r\n")},
      {"RFC 9112 2.2: bare LF ends a field", "GET /peer HTTP/1.1\r\nHost: x\nX-A: 1\r\n\r\n"},
      {"RFC 9112 2.2: bare LF ends the request line", "GET /peer HTTP/1.1\nHost: x\r\n\r\n"},
      {"RFC 9112 2.2: bare LFs throughout", "GET /peer HTTP/1.1\nHost: x\n\n"},
      {"RFC 9112 2.2: bare LF as the empty line", "GET /peer HTTP/1.1\r\nHost: x\r\n\n"},
      {"RFC 9112 2.2: bare CR as the empty line",
       "GET /peer HTTP/1.1\r\nHost: x\r\n\rGET / HTTP/1.1\r\n\r\n"},
      {"RFC 9112 2.2: bare LF hides a length", post("X: y\nContent-Length: 0\r\n")},
      {"RFC 9112 3.2: no Host", "GET /peer HTTP/1.1\r\n\r\n"},
      {"RFC 9112 3.2: no Host among other fields", "GET /peer HTTP/1.1\r\nX-Host: x\r\n\r\n"},
      {"RFC 9112 3.2: two Hosts", get("Host: y\r\n")},
      {"RFC 9112 3.2: two equal Hosts", get("Host: x\r\n")},
      {"RFC 9112 3.2: two Hosts in HTTP/1.0", "GET /peer HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n"},
      {"RFC 9110 7.2: empty Host", "GET /peer HTTP/1.1\r\nHost:\r\n\r\n"},
      {"RFC 9110 7.2: Host with a space", "GET /peer HTTP/1.1\r\nHost: x y\r\n\r\n"},
      {"RFC 9110 7.2: Host with a path", "GET /peer HTTP/1.1\r\nHost: x/y\r\n\r\n"},
      {"RFC 9110 7.2: Host with userinfo", "GET /peer HTTP/1.1\r\nHost: a@x\r\n\r\n"},
      {"RFC 9110 7.2: Host as a list", "GET /peer HTTP/1.1\r\nHost: x,y\r\n\r\n"},
      {"RFC 9110 7.2: Host with a query", "GET /peer HTTP/1.1\r\nHost: x?y\r\n\r\n"},
      {"RFC 9110 7.2: Host above ASCII", "GET /peer HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"},
      {"RFC 9110 8.4: gzip content", post("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"), 415},
      {"RFC 9110 8.4: brotli content", post("Content-Encoding: br\r\nContent-Length: 5\r\n", "hello"), 415},
      {"RFC 9110 8.4: deflate content", post("Content-Encoding: deflate\r\nContent-Length: 5\r\n", "hello"),
       415},
      {"RFC 9110 8.4: a list of content codings",
       post("Content-Encoding: identity, gzip\r\nContent-Length: 5\r\n", "hello"), 415},
      {"RFC 6585 5: 101 fields", "GET /peer HTTP/1.1\r\nHost: x\r\n" + fields(100) + "\r\n", 431},
      {"RFC 6585 5: 500 fields", get(fields(500)), 431},
      {"RFC 6585 5: one field of 17 KiB", get("X-A: " + std::string(17 * 1024, 'a') + "\r\n"), 431},
      {"RFC 6585 5: five fields of 4000 bytes",
       get("A: " + std::string(4000, 'a') + "\r\nB: " + std::string(4000, 'a') +
           "\r\nC: " + std::string(4000, 'a') + "\r\nD: " + std::string(4000, 'a') +
           "\r\nE: " + std::string(4000, 'a') + "\r\n"),
       431},
      {"RFC 6585 5: a field name without end", "GET /peer HTTP/1.1\r\n" + std::string(40'000, 'a'), 431},
  });
}

TEST_CASE("request lines that are not request lines are refused and the connection is closed") {
  must_refuse({
      {"RFC 9112 3: nothing but a target", line("/peer")},
      {"RFC 9112 3: no version (HTTP/0.9)", line("GET /peer")},
      {"RFC 9112 3: two spaces before the target", line("GET  /peer HTTP/1.1")},
      {"RFC 9112 3: two spaces before the version", line("GET /peer  HTTP/1.1")},
      {"RFC 9112 3: tab instead of space", line("GET\t/peer HTTP/1.1")},
      {"RFC 9112 3: space behind the version", line("GET /peer HTTP/1.1 ")},
      {"RFC 9112 3: space before the method", line(" GET /peer HTTP/1.1")},
      {"RFC 9112 3: space inside the target", line("GET /pe er HTTP/1.1")},
      {"RFC 9112 2.2: an empty line first", "\r\n" + get("")},
      {"RFC 9112 2.2: two empty lines first", "\r\n\r\n" + get("")},
      {"RFC 9112 2.2: a bare LF first", "\n" + get("")},
      {"RFC 9112 2.2: a NUL first", "\0"s + get("")},
      {"RFC 9112 3: bare CR inside the line", line("GET /peer\rHTTP/1.1")},
      {"RFC 9112 2.3: HTTP/2.0", line("GET /peer HTTP/2.0")},
      {"RFC 9112 2.3: HTTP/1.2", line("GET /peer HTTP/1.2")},
      {"RFC 9112 2.3: HTTP/0.9", line("GET /peer HTTP/0.9")},
      {"RFC 9112 2.3: HTTP/1.10", line("GET /peer HTTP/1.10")},
      {"RFC 9112 2.3: HTTP/01.1", line("GET /peer HTTP/01.1")},
      {"RFC 9112 2.3: version in lower case", line("GET /peer http/1.1")},
      {"RFC 9112 2.3: another protocol", line("GET /peer ICAP/1.0")},
      {"RFC 9112 2.3: HTTP/1", line("GET /peer HTTP/1")},
      {"RFC 9113 3.4: the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"RFC 8446 5.1: a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s},
      {"RFC 9110 9.1: method with a control character", line("G\x01T /peer HTTP/1.1")},
      {"RFC 9110 9.1: method with a colon", line("GE:T /peer HTTP/1.1")},
      {"RFC 9110 9.1: method with a parenthesis", line("GET( /peer HTTP/1.1")},
      {"RFC 9110 9.1: method above ASCII", line("G\xc3\x89T /peer HTTP/1.1")},
      {"RFC 9110 9.1: method of 33 letters", line(std::string(33, 'A') + " /peer HTTP/1.1")},
      {"RFC 9112 3.2.2: absolute form", line("GET http://x/peer HTTP/1.1")},
      {"RFC 9112 3.2.2: absolute form for another host", line("GET http://y/peer HTTP/1.1")},
      {"RFC 9112 3.2.3: authority form", line("CONNECT x:443 HTTP/1.1")},
      {"RFC 9112 3.2.4: asterisk with GET", line("GET * HTTP/1.1")},
      {"RFC 9112 3.2.4: asterisk with a tail", line("OPTIONS *x HTTP/1.1")},
      {"RFC 9112 3.2: relative target", line("GET peer HTTP/1.1")},
      {"RFC 9112 3.2: target starts with a question mark", line("GET ?x HTTP/1.1")},
      {"RFC 9112 3.2: fragment", line("GET /peer#x HTTP/1.1")},
      {"RFC 9112 3.2: fragment behind a query", line("GET /peer?a#x HTTP/1.1")},
      {"RFC 3986 2: bytes above ASCII in the path", line("GET /p\xc3\xa4"
                                                         "er HTTP/1.1")},
      {"RFC 3986 2: bytes above ASCII in the query", line("GET /peer?q=\xc3\xa4 HTTP/1.1")},
      {"RFC 3986 2: NUL in the path", line("GET /pe\0er HTTP/1.1"s)},
      {"RFC 3986 2: DEL in the path", line("GET /pe\x7f HTTP/1.1")},
      {"RFC 3986 2: backslash in the path", line("GET /pe\\er HTTP/1.1")},
      {"RFC 3986 2: angle bracket in the path", line("GET /<er HTTP/1.1")},
      {"RFC 3986 2: quote in the path", line("GET /\"er HTTP/1.1")},
      {"RFC 3986 2.1: escaped NUL", line("GET /items/%00 HTTP/1.1")},
      {"RFC 3986 2.1: escaped line feed", line("GET /items/a%0ab HTTP/1.1")},
      {"RFC 3986 2.1: escape cut short", line("GET /items/%4 HTTP/1.1")},
      {"RFC 3986 2.1: escape of no digits", line("GET /items/%zz HTTP/1.1")},
      {"RFC 3986 2.1: a lone percent sign", line("GET /items/% HTTP/1.1")},
      {"RFC 3629 3: overlong slash", line("GET /items/%c0%af HTTP/1.1")},
      {"RFC 3629 3: escaped bytes that are not UTF-8", line("GET /items/%ff HTTP/1.1")},
      {"RFC 3629 3: escaped surrogate", line("GET /items/%ed%a0%80 HTTP/1.1")},
      {"RFC 9110 15.5.15: target of 8193 bytes", line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), 414},
      {"RFC 9110 15.5.15: target of 64 KiB", line("GET /" + std::string(65'536, 'a') + " HTTP/1.1"), 414},
      {"RFC 9110 15.5.15: query of 9000 bytes", line("GET /peer?x=" + std::string(9000, 'a') + " HTTP/1.1"),
       414},
  });
}

TEST_CASE("broken chunks are refused and the connection is closed") {
  must_refuse({
      {"RFC 9112 7.1: size is no number", chunked("zz\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: empty size", chunked("\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: size with a sign", chunked("+5\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: negative size", chunked("-5\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: space before the size", chunked(" 5\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: space behind the size", chunked("5 \r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: size beyond 32 bits", chunked("fffffffff\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: size that wraps to 5", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: size of many zeros", chunked(std::string(200, '0') + "5\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: bare LF behind the size", chunked("5\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: bare CR behind the size", chunked("5\rhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: chunk longer than its size", chunked("4\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: chunk shorter than its size", chunked("6\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1: bare LF behind the data", chunked("5\r\nhello\n0\r\n\r\n")},
      {"RFC 9112 7.1: nothing behind the data", chunked("5\r\nhello0\r\n\r\n")},
      {"RFC 9112 7.1.1: NUL in an extension", chunked("5;a=\0\r\nhello\r\n0\r\n\r\n"s)},
      {"RFC 9112 7.1.1: bare LF in an extension", chunked("5;a\nb\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1.1: bare CR in an extension", chunked("5;a\rb\r\nhello\r\n0\r\n\r\n")},
      {"RFC 9112 7.1.2: bare LF in the trailer", chunked("0\r\nA: 1\n\r\n")},
      {"RFC 9112 7.1.2: folded trailer", chunked("0\r\n A: 1\r\n\r\n")},
      {"RFC 9112 7.1.2: NUL in the trailer", chunked("0\r\nA: \0\r\n\r\n"s)},
      {"RFC 9112 7.1.2: trailer without end", chunked("0\r\nA: " + std::string(8000, 'a')), 431},
      {"RFC 9112 7.1.1: extension without end", chunked("1;" + std::string(80'000, 'a'))},
      {"RFC 9110 15.5.14: one chunk over the limit",
       chunked("10001\r\n" + std::string(65'537, 'a') + "\r\n0\r\n\r\n"), 413},
      {"RFC 9110 15.5.14: many chunks over the limit",
       [] {
         std::string body;
         for (int i = 0; i < 20; ++i) body += "1000\r\n" + std::string(4096, 'a') + "\r\n";
         return chunked(body + "0\r\n\r\n");
       }(),
       413},
      {"RFC 9110 15.5.14: a body sent byte by byte",
       [] {
         std::string body;
         for (int i = 0; i < 40'000; ++i) body += "1\r\na\r\n";
         return chunked(body + "0\r\n\r\n");
       }()},
      {"RFC 9110 15.5.14: a length over the limit", post("Content-Length: 65537\r\n", "hello"), 413},
      {"RFC 9110 15.5.14: a length of a gigabyte", post("Content-Length: 1073741824\r\n", "hello"), 413},
      {"RFC 9110 10.1.1: no 100 for a length over the limit",
       post("Expect: 100-continue\r\nContent-Length: 65537\r\n"), 413},
      {"RFC 9112 8: a body cut off", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nhello"},
  });
}

TEST_CASE("well-formed requests are answered one after the other") {
  must_accept({
      {"RFC 9112 3: the smallest request", get(""), 200},
      {"RFC 9112 6.2: a body of known length", post("Content-Length: 5\r\n", "hello"), 200},
      {"RFC 9112 6.2: an empty body", post("Content-Length: 0\r\n"), 200},
      {"RFC 9112 6.3: no body at all", post(""), 200},
      {"RFC 9110 8.6: leading zeros", post("Content-Length: 0005\r\n", "hello"), 200},
      {"RFC 9112 6.2: the canary's text as a body",
       post("Content-Length: " + std::to_string(canary.size()) + "\r\n", canary), 200},
      {"RFC 9112 7.1: chunks", chunked("5\r\nhello\r\n0\r\n\r\n"), 200},
      {"RFC 9112 7.1: a size with leading zeros", chunked("00005\r\nhello\r\n000\r\n\r\n"), 200},
      {"RFC 9112 7.1: sizes in either case", chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), 200},
      {"RFC 9112 7.1: no chunk but the last", chunked("0\r\n\r\n"), 200},
      {"RFC 9112 7.1.1: extensions are ignored", chunked("5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n"), 200},
      {"RFC 9112 7.1.2: trailers are dropped",
       chunked("5\r\nhello\r\n0\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n"), 200},
      {"RFC 9112 7.1: the canary's text as a chunk", chunked("21\r\n" + canary + "\r\n0\r\n\r\n"), 200},
      {"RFC 9112 6.1: coding names are case-insensitive", post("transfer-encoding: CHUNKED\r\n", "0\r\n\r\n"),
       200},
      {"RFC 9112 5.1: padding around a value", get("X-A: \t 1 \t \r\n"), 200},
      {"RFC 9110 5.5: an empty value", get("X-A:\r\n"), 200},
      {"RFC 9110 5.5: bytes above ASCII in a value", get("X-A: \xc3\xa4\r\n"), 200},
      {"RFC 9110 7.2: Host with a port", "GET /peer HTTP/1.1\r\nHost: example.test:8080\r\n\r\n", 200},
      {"RFC 9110 7.2: Host as an IPv6 address", "GET /peer HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200},
      {"RFC 9110 8.4: content coding identity",
       post("Content-Encoding: identity\r\nContent-Length: 5\r\n", "hello"), 200},
      {"RFC 6585 5: 100 fields", "GET /peer HTTP/1.1\r\nHost: x\r\n" + fields(99) + "\r\n", 200},
      {"RFC 9110 15.5.15: a target of 8192 bytes",
       line("GET /peer?" + std::string(8192 - 6, 'a') + " HTTP/1.1"), 200},
      {"RFC 3986 2.1: an escaped letter matches", line("GET /%70eer HTTP/1.1"), 200},
      {"RFC 9110 15.5.5: an unknown path", line("GET /nowhere HTTP/1.1"), 404},
      {"RFC 3986 6.2.2: an escaped slash is no separator", line("GET /items%2Fstatic HTTP/1.1"), 404},
      {"RFC 3986 3.3: an empty segment", line("GET //peer HTTP/1.1"), 404},
      {"RFC 3986 3.3: a segment behind the last slash", line("GET /peer/ HTTP/1.1"), 404},
      {"RFC 3986 5.2.4: dot segments", line("GET /items/../peer HTTP/1.1"), 404},
      {"RFC 3986 5.2.4: escaped dot segments", line("GET /items/%2e%2e/peer HTTP/1.1"), 404},
      {"RFC 3986 3.3: letters matter", line("GET /PEER HTTP/1.1"), 404},
      {"RFC 3986 3.3: parameters of a segment", line("GET /peer;a=b HTTP/1.1"), 404},
      {"RFC 9110 9.3.8: TRACE", line("TRACE /peer HTTP/1.1"), 405},
      {"RFC 9110 9.1: a method that nobody knows", line("BREW /peer HTTP/1.1"), 405},
      {"RFC 9110 9.1: methods are case-sensitive", line("get /peer HTTP/1.1"), 405},
      {"RFC 9110 9.3.7: OPTIONS *", line("OPTIONS * HTTP/1.1"), 204},
      {"RFC 9110 9.3.1: a body on GET is read and not heard",
       "GET /peer HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(canary.size()) + "\r\n\r\n" +
           canary,
       200},
      {"RFC 9112 6.3: the body of a refused request is skipped",
       "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(canary.size()) + "\r\n\r\n" +
           canary,
       404},
  });
}

TEST_CASE("fields with an underscore are not seen: a proxy may have meant the one with a hyphen") {
  test_server server;
  const auto answers = talk(server, "GET /peer HTTP/1.1\r\nHost: x\r\nX_Tenant_Id: 1\r\nX-A: 1\r\n\r\n");
  CHECK(body_of(answers) == "2");
}

TEST_CASE("RFC 9112 9.3: HTTP/1.0 is answered and closed") {
  test_server server;
  const auto answers = talk(server, "GET /peer HTTP/1.0\r\n\r\n" + canary);
  CHECK(status_of(answers) == 200);
  CHECK(answers_in(answers) == 1);
  CHECK(header_of(answers, "Connection") == "close");
  CHECK(server.app().canaries == 0);
}
