#include "base/time.hpp"

#include <doctest/doctest.h>

using namespace connectord;

TEST_CASE("times are read with any offset and written in UTC") {
  const auto t = parse_rfc3339("2025-02-03T04:05:06.789+02:00");
  REQUIRE(t);
  CHECK(to_rfc3339(*t) == "2025-02-03T02:05:06.789Z");
  CHECK(parse_rfc3339("2025-02-03T04:05:06.000+0000") == parse_rfc3339("2025-02-03T04:05:06Z"));
  CHECK(parse_rfc3339("2025-02-03T04:05:06 01:00") == parse_rfc3339("2025-02-03T03:05:06Z"));
}

TEST_CASE("fractions are cut to milliseconds and dropped when zero") {
  CHECK(to_rfc3339(*parse_rfc3339("2025-02-03T04:05:06.123999Z")) == "2025-02-03T04:05:06.123Z");
  CHECK(to_rfc3339(*parse_rfc3339("2025-02-03T04:05:06.0004Z")) == "2025-02-03T04:05:06Z");
}

TEST_CASE("what is no time is refused") {
  for (const auto* bad :
       {"", "yesterday", "2024-99-01T00:00:00Z", "2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00", "2024-01-01", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx", "1"})
    CHECK_FALSE(parse_rfc3339(bad));
}

TEST_CASE("times before 1970 and after 2038 keep their value") {
  for (const auto* text : {"1969-12-31T23:59:59.999Z", "1901-01-01T00:00:00Z", "2039-01-01T00:00:00.001Z"})
    CHECK(to_rfc3339(*parse_rfc3339(text)) == text);
}
