#include "domain/http.hpp"

#include <doctest/doctest.h>

using namespace connectord;

TEST_CASE("the authority of a URL is its host and port in lower case, and never its credentials") {
  CHECK(authority_of("https://API.example:8443/v1?q=a@b:c") == "api.example:8443");
  CHECK(authority_of("https://api.example") == "api.example");
  CHECK(authority_of("https://api.example?a=b") == "api.example");
  CHECK(authority_of("https://user:p@ss@api.example/") == "api.example");
  CHECK(authority_of("https://api.example\\@other.example/") == "api.example");
  CHECK(authority_of("https://[::1]:80/#f") == "[::1]:80");
  CHECK(authority_of("api.example/path") == "");
  CHECK(authority_of("") == "");
}

TEST_CASE("an answer that did not come whole is not ok, whatever its status") {
  http_response r;
  r.status = 200;
  CHECK(r.ok());
  r.failure = call_failure::timeout;
  CHECK_FALSE(r.ok());
  CHECK(upstream_error(r) == "timeout");
  r.failure = call_failure::too_large;
  CHECK(upstream_error(r) == "malformed_response");
  r = {503, {}, {}};
  CHECK(r.answered());
  CHECK(upstream_error(r) == "http_error");
}
