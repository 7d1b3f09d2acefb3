#include "http/views/export.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

using namespace connectord;
using namespace connectord::web;

TEST_CASE("what a spreadsheet would run is text") {
  for (const std::string_view text : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"})
    CHECK(csv_field(text) == "\"'" + std::string{text} + "\"");
  CHECK(csv_field("1=1") == "\"1=1\"");
  CHECK(csv_field("") == "\"\"");
}

TEST_CASE("quotes, commas and line breaks stay inside their field") {
  CHECK(csv_field("a\"b,c\nd") == "\"a\"\"b,c\nd\"");
}

TEST_CASE("a file has a line of names, or an object a line") {
  std::array<tracker::activity, 2> rows;
  rows[0].seq = 2, rows[0].type = "Note", rows[0].wp = tracker::wp_ref{"WP01", "m"};
  rows[1].seq = 1, rows[1].type = "Note";
  const auto csv = as_csv(rows);
  CHECK(csv.starts_with("\"seq\",\"occurred_at\""));
  CHECK(csv.find("\r\n\"2\",") != csv.npos);
  CHECK(csv.find("\"WP01\",\"m\"") != csv.npos);
  CHECK(csv.ends_with("\r\n"));
  const auto lines = as_ndjson(rows);
  CHECK(lines.starts_with("{\"id\":"));
  CHECK(std::ranges::count(lines, '\n') == 2);
  CHECK(as_ndjson({}).empty());
}
