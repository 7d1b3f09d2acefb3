#include "domain/limit_left.hpp"

#include <doctest/doctest.h>

using namespace connectord;

TEST_CASE("what is left of a limit is read from the headers that say it, whatever stands before and behind") {
  CHECK(limit_left_of({{"x-ratelimit-limit", "5000"}, {"x-ratelimit-remaining", "1250"}}) ==
        limit_left{1250, 5000});
  CHECK(limit_left_of({{"ratelimit-remaining", "0"}, {"ratelimit-limit", "60"}}) == limit_left{0, 60});
  CHECK(limit_left_of({{"x-ratelimit-remaining", "70"}, {"x-ratelimit-limit", "60"}}) == limit_left{60, 60});
}

TEST_CASE("of several limits the scarcest one counts") {
  CHECK(limit_left_of({{"x-ratelimit-requests-limit", "100"},
                       {"x-ratelimit-requests-remaining", "50"},
                       {"x-ratelimit-complexity-limit", "1000"},
                       {"x-ratelimit-complexity-remaining", "10"}}) == limit_left{10, 1000});
}

TEST_CASE("half a limit, a limit of nothing and what is no number say nothing") {
  CHECK_FALSE(limit_left_of({}));
  CHECK_FALSE(limit_left_of({{"x-ratelimit-remaining", "3"}}));
  CHECK_FALSE(limit_left_of({{"x-ratelimit-limit", "3"}, {"ratelimit-remaining", "3"}}));
  CHECK_FALSE(limit_left_of({{"x-ratelimit-limit", "0"}, {"x-ratelimit-remaining", "0"}}));
  for (const auto* odd : {"", "-1", "many", "3.5", "60;w=1", "99999999999999999999"})
    CHECK_FALSE(limit_left_of({{"x-ratelimit-limit", "60"}, {"x-ratelimit-remaining", odd}}));
}
