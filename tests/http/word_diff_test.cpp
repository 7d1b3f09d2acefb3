#include "http/views/word_diff.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace connectord::web;

namespace {

/// `a [b] c`: what the other text has not is in brackets.
std::string marked(const std::vector<word_run>& runs) {
  std::string out;
  for (const auto& r : runs) (out += out.empty() ? "" : " ") += r.shared ? r.text : "[" + r.text + "]";
  return out;
}

std::string plain(const std::vector<word_run>& runs, bool only_shared = false) {
  std::string out;
  for (const auto& r : runs)
    if (r.shared || !only_shared) (out += out.empty() ? "" : " ") += r.text;
  return out;
}

void check(std::string_view ours, std::string_view theirs, std::string_view marked_ours,
           std::string_view marked_theirs) {
  CAPTURE(ours);
  CAPTURE(theirs);
  const auto d = compare_words(ours, theirs);
  CHECK(marked(d.ours) == marked_ours);
  CHECK(marked(d.theirs) == marked_theirs);
}

}  // namespace

TEST_CASE("Words that only one text has are told apart from those of both") {
  check("", "", "", "");
  check("Fix login", "Fix login", "Fix login", "Fix login");
  check("Fix login", "Fix login now", "Fix login", "Fix login [now]");
  check("Fix the old login", "Fix login", "Fix [the old] login", "Fix login");
  check("Fix login", "Repair sign-in", "[Fix login]", "[Repair sign-in]");
  check("", "Fix login", "", "[Fix login]");
  check("a b c d", "a x c y d", "a [b] c d", "a [x] c [y] d");
  check("a a b", "a b b", "a [a] b", "a [b] b");
}

TEST_CASE("White space parts words, whatever it is, and is no difference") {
  check(" Fix \t login\n", "Fix login", "Fix login", "Fix login");
  check("漢字 テスト", "漢字 試験", "漢字 [テスト]", "漢字 [試験]");
}

TEST_CASE("Each text comes back whole, and both share the same words in the same order") {
  std::mt19937 chance{7};
  const auto text = [&] {
    std::string out;
    for (auto n = chance() % 12; n > 0; --n)
      (out += out.empty() ? "" : " ") += static_cast<char>('a' + chance() % 4);
    return out;
  };
  for (int n = 0; n < 2000; ++n) {
    const auto ours = text(), theirs = text();
    const auto d = compare_words(ours, theirs);
    CHECK(plain(d.ours) == ours);
    CHECK(plain(d.theirs) == theirs);
    CHECK(plain(d.ours, true) == plain(d.theirs, true));
  }
}

TEST_CASE("Texts of very many words cost little: beyond their ends they are not compared") {
  std::string ours{"same"}, theirs{"same"};
  for (int n = 0; n < 100'000; ++n) {
    ours += " a" + std::to_string(n);
    theirs += " b" + std::to_string(n) + " a" + std::to_string(n);
  }
  const auto d = compare_words(ours + " end", theirs + " end");
  CHECK(d.ours.size() == 3);
  CHECK(d.ours.front() == word_run{"same", true});
  CHECK(plain(d.theirs) == theirs + " end");
}
