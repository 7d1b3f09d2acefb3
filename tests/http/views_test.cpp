#include "http/views/page.hpp"

#include "base/embedded.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <set>

using namespace connectord;
using namespace connectord::web;

namespace {

/// Names of the values, sections and slots of a template, slots excepted.
std::set<std::string> names_in(std::string_view text, std::string_view mark) {
  std::set<std::string> out;
  const std::string source{text};
  const std::regex tag{R"(\{\{)" + std::string{mark} + R"(([A-Za-z_]+)\}\})"};
  for (std::sregex_iterator i{source.begin(), source.end(), tag}, end; i != end; ++i) out.insert((*i)[1]);
  return out;
}

constexpr std::string_view hostile =
    R"("><script>pwned()</script><img src=x onerror=pwned()>'{{X}}javascript:pwned()//</textarea></title>)";

std::string filled(std::string_view file, std::string_view source, std::string_view value) {
  return render(file, [&](fields f) {
    for (const auto& section : names_in(source, "#")) f.show(section);
    for (const auto& name : names_in(source, "")) f.set(name, value);
  });
}

}  // namespace

TEST_CASE("every template begins with the pragma, quotes its attributes and holds no script") {
  const std::regex unquoted{R"(\s[a-z-]+=\{\{)"}, handler{R"(\son[a-z]+=)"},
      inline_style{R"(\sstyle=|<style)"}, naked_script{R"(<script(?![^>]*\ssrc=))"};
  REQUIRE_FALSE(embedded::templates().empty());
  for (const auto& f : embedded::templates()) {
    CAPTURE(f.name);
    const std::string text{f.content};
    CHECK(text.starts_with(R"({{%AUTOESCAPE context="HTML"}})"));
    for (const auto* banned : {&unquoted, &handler, &inline_style, &naked_script})
      CHECK_FALSE(std::regex_search(text, *banned));
  }
}

TEST_CASE("a hostile value stays text in every place of every template") {
  for (const auto& f : embedded::templates()) {
    CAPTURE(f.name);
    const auto page = filled(f.name, f.content, hostile);
    CHECK(page.find("<script>") == std::string::npos);
    CHECK(page.find("<img src=x") == std::string::npos);
    CHECK(page.find("{{") == page.find("{{X}}"));
    const std::regex live_link{R"(href="\s*javascript:)", std::regex::icase};
    const auto bare = filled(f.name, f.content, "javascript:pwned()");
    CHECK_FALSE(std::regex_search(bare, live_link));
  }
}

TEST_CASE("times of a page are relative words") {
  const auto now = from_millis(1'790'000'000'000);
  CHECK(relative(now - seconds{10}, now) == "just now");
  CHECK(relative(now + seconds{10}, now) == "in a moment");
  CHECK(relative(now - seconds{15}, now) == "15 s ago");
  CHECK(relative(now + seconds{59}, now) == "in 59 s");
  CHECK(relative(now - seconds{60}, now) == "1 min ago");
  CHECK(relative(now - std::chrono::minutes{5}, now) == "5 min ago");
  CHECK(relative(now - std::chrono::hours{5}, now) == "5 h ago");
  CHECK(relative(now + std::chrono::hours{50}, now) == "in 2 days");
  CHECK(relative(now - std::chrono::hours{24 * 60}, now) ==
        to_rfc3339(now - std::chrono::hours{24 * 60}).substr(0, 10));
}

TEST_CASE("an asset is found by the name that holds its digest, and may be kept") {
  const auto url = asset_url("dashboard.css");
  REQUIRE(url.starts_with("/dashboard/assets/"));
  const auto found = asset(url.substr(std::string_view{"/dashboard/assets/"}.size()));
  REQUIRE(found.has_value());
  CHECK(found->cache_control.find("immutable") != std::string_view::npos);
  CHECK(asset("dashboard.css").error().code() == errc::not_found);
  CHECK(asset("docs.js").error().code() == errc::not_found);
}
