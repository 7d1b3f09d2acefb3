#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connectord::web {

/// Neighbouring words of one text that the other text has too, or that it has not.
struct word_run {
  std::string text;
  bool shared = true;

  bool operator==(const word_run&) const = default;
};

struct word_diff {
  std::vector<word_run> ours, theirs;
};

/// What two texts share, word by word and in order: as much as can be. Words are what white space parts; each
/// text comes back whole, its white space as single spaces. Texts of more than `most_words` words are not
/// compared: all of them is said to differ, except for what they begin and end with.
word_diff compare_words(std::string_view ours, std::string_view theirs);

inline constexpr std::size_t most_words = 200;

}  // namespace connectord::web
