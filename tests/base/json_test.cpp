#include "base/json.hpp"
#include "base/uuid.hpp"

#include <doctest/doctest.h>
#include <cstdlib>
#include <limits>

using namespace connectord;

TEST_CASE("what is no readable JSON object is refused as such") {
  for (const std::string_view bad : {"", "{", "[]", "\"text\"", "{\"a\":1}x", "{\"a\":\"\xff\"}", "nul"})
    CHECK(parse_json_object(bad).error().code() == errc::invalid_body);
}

TEST_CASE("nesting is bounded: 64 deep is read, a hundred thousand is refused and does no harm") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(max_json_depth)).has_value());
  CHECK_FALSE(parse_json(nested(max_json_depth + 1)).has_value());
  CHECK_FALSE(parse_json(nested(100'000)).has_value());
}

TEST_CASE("a number that no double can hold is refused, for it could not be written again") {
  for (const auto* bad : {"1e309", "[-1e400]", R"({"a":{"b":[17356890e6000]}})"})
    CHECK(parse_json(bad).error().code() == errc::invalid_body);
  for (const auto* good : {"1e308", "[-1e-400]", "123456789012345678901234567890"})
    CHECK(parse_json(canonical_json(parse_json(good).value())).has_value());
}

TEST_CASE("a number is the double that is nearest to its text, and stays it however often it is rewritten") {
  for (const auto* text :
       {"2222222222222222212222222222222221", "2222222222222222222222222222222221", "2.2222222222222222E33",
        "0.1", "-1.7976931348623157e308", "5e-324", "1e23", "123456789012345678901234567890.5e-10"}) {
    CAPTURE(text);
    const auto once = parse_json(text);
    REQUIRE(once.has_value());
    CHECK(once->as_double() == std::strtod(text, nullptr));
    const auto written = canonical_json(*once);
    const auto again = parse_json(written);
    REQUIRE(again.has_value());
    CHECK(again->as_double() == once->as_double());
    CHECK(canonical_json(*again) == written);
  }
  CHECK(parse_json("18446744073709551615")->as_uint64() == 18446744073709551615U);
  CHECK(parse_json("-9223372036854775808")->as_int64() == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("what stands around a value is nothing but space; of two members of one name the last counts") {
  CHECK(parse_json(" \r\n\t[1, 2] \n")->as_array().size() == 2);
  for (const auto* bad : {"1 2", "{}x", "[1]]", "", "  ", "nul", "\"a", "[1,]", "// c\n1", "01", "1.", "NaN"})
    CHECK_FALSE(parse_json(bad).has_value());
  CHECK(canonical_json(*parse_json(R"({"a":1.5,"b":2,"a":3.5})")) == R"({"a":3.5E0,"b":2})");
}

TEST_CASE("a reader reports every offender under its path and names the first one") {
  const auto body =
      parse_json_object(R"({"name":"","count":"x","when":"never","flag":1,"tags":[1],"more":[]})").value();
  object_reader r{body, "items[3]"};
  r.text("name", {1, 10});
  r.optional_integer("count", 0, 5);
  r.optional_time("when");
  r.optional_boolean("flag");
  r.texts("tags", {});
  r.optional_object("more");
  r.text("absent", {});
  const error e = r.finish().error();
  CHECK(e.code() == errc::validation_failed);
  for (const auto* path : {"items[3].name", "items[3].count", "items[3].when", "items[3].flag",
                           "items[3].tags", "items[3].more", "items[3].absent"})
    CHECK(e.details().contains(path));
  CHECK(e.details().at("field").as_string() == "items[3].name");
}

TEST_CASE("lengths are counted in characters, not in bytes") {
  const auto body = parse_json_object("{\"name\":\"\u682a\u5f0f\u4f1a\u793e\"}").value();
  object_reader r{body};
  CHECK_FALSE(r.text("name", {1, 4}).empty());
  CHECK(r.finish().has_value());
}

TEST_CASE("equal JSON has one canonical text") {
  const auto a = parse_json(R"({"b":[1,{"y":2,"x":null}],"a":"\u00e9"})").value();
  const auto b = parse_json("{ \"a\" : \"\u00e9\", \"b\" : [ 1, { \"x\":null, \"y\":2 } ] }").value();
  CHECK(canonical_json(a) == canonical_json(b));
  CHECK(canonical_json(a) != canonical_json(parse_json(R"({"a":"e"})").value()));
}

TEST_CASE("what the writer writes is read back as it was") {
  std::string out;
  json_writer w{out};
  w.open().member("text", "q\"\\\n\x01").member("n", -5).member("d", 0.25).member("yes", true);
  w.member("none", std::optional<std::string>{})
      .key("list")
      .open_array()
      .value("a")
      .open()
      .close()
      .close_array();
  w.raw_member("raw", "{\"a\":[]}").close();
  const auto back = parse_json_object(out);
  REQUIRE(back.has_value());
  CHECK(back->at("text").as_string() == "q\"\\\n\x01");
  CHECK(back->at("n").as_int64() == -5);
  CHECK(back->at("none").is_null());
  CHECK(back->at("list").as_array().size() == 2);
}

TEST_CASE("UTF-8 is checked byte by byte") {
  for (const std::string_view good : {"", "a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"})
    CHECK(is_utf8(good));
  for (const std::string_view bad :
       {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("ids are read in any case, written in lower case, and grow with time") {
  CHECK(uuid::parse("0190A0A0-0000-7000-8000-00000000000F")->text() ==
        "0190a0a0-0000-7000-8000-00000000000f");
  for (const auto* bad :
       {"", "00000000-0000-0000-0000-000000000000", "{0190a0a0-0000-7000-8000-000000000001}",
        "0190a0a0000070008000000000000001", "0190a0a0-0000-7000-8000-00000000000g"})
    CHECK_FALSE(uuid::parse(bad));
  auto last = uuid::make();
  for (int i = 0; i < 10'000; ++i) {
    const auto next = uuid::make();
    CHECK(last < next);
    last = next;
  }
}
