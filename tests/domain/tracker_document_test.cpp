#include "domain/tracker/document.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace connectord::tracker;

namespace {

std::string canonical(std::string_view text) {
  const auto parsed = document::parse(text);
  if (!parsed) return "refused";
  std::string out;
  append_canonical(out, parsed->root());
  return out;
}

std::string canonical_value(std::string_view value) {
  const auto out = canonical("{\"v\":" + std::string{value} + "}");
  return out == "refused" ? out : out.substr(5, out.size() - 6);
}

std::string nested(std::size_t depth) {
  return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

}  // namespace

TEST_CASE("tracker document: members are sorted by code point, at every level, and white space goes") {
  CHECK(canonical(" {\"b\" : [ 1 , {\"d\":2,\"c\":3} ] ,\n\"a\":{} , \"A\":[]}\t") ==
        R"({"A":[],"a":{},"b":[1,{"c":3,"d":2}]})");
  // U+FF5E comes before U+1F600, as in UTF-8 and unlike in UTF-16.
  CHECK(canonical(R"({"\ud83d\ude00":1,"\uff5e":2})") == "{\"\uff5e\":2,\"\U0001F600\":1}");
}

TEST_CASE("tracker document: of duplicate members the last one counts") {
  CHECK(canonical(R"({"a":1,"b":2,"a":{"x":1,"x":[3]},"\u0061":4})") == R"({"a":4,"b":2})");
  CHECK(canonical(R"({"o":{"x":1,"x":[3]}})") == R"({"o":{"x":[3]}})");
}

TEST_CASE("tracker document: strings have the shortest escapes") {
  CHECK(canonical_value(R"("\u0022\u005c\/\b\f\n\r\t\u0000\u001F\u007f\u00e9")") ==
        "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u00e9\"");
}

TEST_CASE("tracker document: integers stay as written, however large; other numbers are the shortest") {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"0", "0"},
      {"-0", "0"},
      {"-17", "-17"},
      {"9223372036854775808", "9223372036854775808"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"-123456789012345678901234567890", "-123456789012345678901234567890"},
      {"1.0", "1.0"},
      {"1.50", "1.5"},
      {"1e2", "100.0"},
      {"1E16", "1e+16"},
      {"123456789012345680.0", "1.2345678901234568e+17"},
      {"0.0001", "0.0001"},
      {"0.00001", "1e-05"},
      {"0.1000000000000000055511151231257827", "0.1"},
      {"-0.0", "-0.0"},
      {"1e999", "1e999"},
      {"true", "true"},
      {"null", "null"},
  };
  for (const auto& [written, form] : table) {
    CAPTURE(written);
    CHECK(canonical_value(written) == form);
  }
}

TEST_CASE("tracker document: what is no JSON object is refused") {
  const std::string_view table[] = {"",
                                    "[]",
                                    "1",
                                    "null",
                                    "{",
                                    "{}}",
                                    "{} {}",
                                    "{\"a\":}",
                                    "{\"a\":1,}",
                                    "{,}",
                                    "{\"a\":[1,]}",
                                    "{\"a\":[1 2]}",
                                    "{\"a\":01}",
                                    "{\"a\":1.}",
                                    "{\"a\":.5}",
                                    "{\"a\":+1}",
                                    "{\"a\":1e}",
                                    "{\"a\":NaN}",
                                    "{\"a\":tru}",
                                    "{\"a\":nulll}",
                                    "{'a':1}",
                                    "{a:1}",
                                    "{\"a\" 1}",
                                    "{\"a\":\"\n\"}",
                                    "{\"a\":\"\\x\"}",
                                    "{\"a\":\"\\ud800\"}",
                                    "{\"a\":\"\xff\"}",
                                    "{\"a\":1\v}",
                                    "\xef\xbb\xbf{}",
                                    "{\"a\":\"}",
                                    "{\"a\":[}]"};
  for (const auto text : table) {
    CAPTURE(text);
    CHECK_FALSE(document::parse(text).has_value());
  }
}

TEST_CASE("tracker document: 64 levels are read, 65 are not") {
  CHECK(document::parse(nested(64)).has_value());
  CHECK_FALSE(document::parse(nested(65)).has_value());
}

TEST_CASE("tracker document: values know where they stood") {
  constexpr std::string_view text = R"({"b":[10, "x"], "a":null})";
  const auto parsed = document::parse(text);
  REQUIRE(parsed);
  CHECK(parsed->root().find("a")->at() == text.find("null"));
  CHECK(parsed->root().find("b")->items()[1].at() == text.find("\"x\""));
  CHECK(parsed->root().find("c") == nullptr);
}
