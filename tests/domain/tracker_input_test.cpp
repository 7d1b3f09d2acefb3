#include "domain/tracker/input.hpp"
#include "domain/tracker/text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace connectord;
using namespace connectord::tracker;

TEST_CASE("tracker input: a provider is trimmed, in any letter case, under its aliases") {
  for (const auto name : words<provider>::all) CHECK(name_of(read_provider(name).value()) == name);
  CHECK(read_provider(" Linear\t") == provider::linear);
  for (const auto alias : {"azure", "AZURE", "azure-devops", "azure_devops", " Azure-DevOps "})
    CHECK(read_provider(alias) == provider::azure_devops);
  for (const auto unknown : {"", " ", "git hub", "linear1", "azure devops"})
    CHECK_FALSE(read_provider(unknown).has_value());
}

TEST_CASE("tracker input: modes, owners and fields have one alias each") {
  CHECK(read_mode("split") == doctrine_mode::split_ownership);
  CHECK(read_mode("split_ownership") == doctrine_mode::split_ownership);
  CHECK_FALSE(read_mode("Split").has_value());
  CHECK(read_owner("spec_kitty") == owner::local);
  CHECK(read_owner("shared") == owner::shared);
  CHECK_FALSE(read_owner("nobody").has_value());
  CHECK(field_name("assignees") == "assignee");
  CHECK(field_name("status") == "status");
}

TEST_CASE("tracker input: every provider has a resource type of its own") {
  CHECK(default_resource_type(provider::github) == "github_repo");
  for (const auto name : words<provider>::all)
    CHECK(default_resource_type(read_provider(name).value()).starts_with(name));
}

TEST_CASE("tracker input: times are instants, to the microsecond") {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"},
      {"2026-11-01T10:00:00.5Z", "2026-11-01T10:00:00.5Z"},
      {"2026-11-01T12:00:00.123456+02:00", "2026-11-01T10:00:00.123456Z"},
      {"2026-11-01T10:00:00.1000009Z", "2026-11-01T10:00:00.1Z"},
      {"2026-11-01T10:00:00.000001Z", "2026-11-01T10:00:00.000001Z"},
      {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
  };
  for (const auto& [written, form] : table) {
    CAPTURE(written);
    const auto time = read_time(written);
    REQUIRE(time);
    CHECK(to_rfc3339(*time) == form);
    CHECK(read_time(form) == time);
  }
  for (const auto bad : {"", "2026-11-01", "2026-11-01T10:00:00", "2026-11-01T10:00:00.Z",
                         "2026-13-01T10:00:00Z", "yesterday", "2026-11-01T10:00:00.1234567"}) {
    CAPTURE(bad);
    CHECK_FALSE(read_time(bad).has_value());
  }
}

TEST_CASE("tracker text: titles are trimmed and their white space collapses") {
  CHECK(collapsed(" \tFix \n\r login\v ") == "Fix login");
  CHECK(collapsed(" \n") == "");
  CHECK(collapsed("Fix\u00a0login") == "Fix\u00a0login");
}

TEST_CASE("tracker text: names are equal in any letter case of ASCII") {
  CHECK(same_name(" Ann@Example.com ", "ann@example.COM"));
  CHECK_FALSE(same_name("\u00c9va", "\u00e9va"));
  CHECK_FALSE(same_name("ann", "anne"));
}

TEST_CASE("tracker text: a cut counts code points and leaves an ellipsis") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "ab…");
  CHECK(shortened("éééé", 4) == "éééé");
  CHECK(shortened("ééééé", 4) == "ééé…");
  CHECK(shortened("\U0001F600\U0001F600", 1) == "…");
  CHECK(shortened(std::string(300, 'x')) == std::string(300, 'x'));
  CHECK(shortened(std::string(301, 'x')) == std::string(299, 'x') + "…");
}
