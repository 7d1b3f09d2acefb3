#include "http/views/word_diff.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace connectord::web {
namespace {

using words = std::vector<std::string_view>;

words words_of(std::string_view text) {
  constexpr std::string_view white = " \t\r\n\f\v";
  words out;
  for (auto from = text.find_first_not_of(white); from != text.npos;) {
    const auto to = std::min(text.find_first_of(white, from), text.size());
    out.push_back(text.substr(from, to - from));
    from = text.find_first_not_of(white, to);
  }
  return out;
}

void append(std::vector<word_run>& runs, std::string_view word, bool shared) {
  if (runs.empty() || runs.back().shared != shared)
    runs.push_back({std::string{word}, shared});
  else
    (runs.back().text += ' ') += word;
}

/// Longest common subsequences of every pair of ends: `at(i, j)` of a[i…] and b[j…].
class common_ends {
 public:
  common_ends(std::span<const std::string_view> a, std::span<const std::string_view> b)
      : width_(b.size() + 1), lengths_((a.size() + 1) * width_) {
    for (auto i = a.size(); i-- > 0;)
      for (auto j = b.size(); j-- > 0;)
        lengths_[i * width_ + j] = a[i] == b[j] ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                                : std::max(at(i + 1, j), at(i, j + 1));
  }
  std::uint16_t at(std::size_t i, std::size_t j) const { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint16_t> lengths_;
};

void compare_middle(std::span<const std::string_view> a, std::span<const std::string_view> b,
                    word_diff& out) {
  std::size_t i = 0, j = 0;
  if (a.size() <= most_words && b.size() <= most_words) {
    const common_ends common{a, b};
    while (i < a.size() && j < b.size()) {
      if (a[i] == b[j]) {
        append(out.ours, a[i++], true);
        append(out.theirs, b[j++], true);
      } else if (common.at(i + 1, j) >= common.at(i, j + 1)) {
        append(out.ours, a[i++], false);
      } else {
        append(out.theirs, b[j++], false);
      }
    }
  }
  while (i < a.size()) append(out.ours, a[i++], false);
  while (j < b.size()) append(out.theirs, b[j++], false);
}

}  // namespace

word_diff compare_words(std::string_view ours, std::string_view theirs) {
  const auto a = words_of(ours), b = words_of(theirs);
  const auto least = std::min(a.size(), b.size());
  std::size_t front = 0, back = 0;
  while (front < least && a[front] == b[front]) ++front;
  while (back < least - front && a[a.size() - 1 - back] == b[b.size() - 1 - back]) ++back;
  word_diff out;
  const auto both = [&](std::string_view word) {
    append(out.ours, word, true);
    append(out.theirs, word, true);
  };
  for (std::size_t i = 0; i < front; ++i) both(a[i]);
  compare_middle(std::span{a}.subspan(front, a.size() - front - back),
                 std::span{b}.subspan(front, b.size() - front - back), out);
  for (std::size_t i = a.size() - back; i < a.size(); ++i) both(a[i]);
  return out;
}

}  // namespace connectord::web
