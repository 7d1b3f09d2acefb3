#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connectord {

/// Kept as its lower-case hyphenated text: that is how the wire and the store hold it, and byte
/// order of the text equals byte order of the value.
class uuid {
 public:
  constexpr uuid() : text_{nil_text()} {}

  /// Hyphenated form in any letter case; the nil UUID is refused.
  static std::optional<uuid> parse(std::string_view text) noexcept;
  /// Version 7: time-ordered, so that rows are appended to their indexes.
  static uuid make();
  /// Version 4.
  static uuid random();

  std::string_view text() const noexcept { return {text_.data(), text_.size()}; }
  std::string str() const { return std::string{text()}; }

  friend auto operator<=>(const uuid&, const uuid&) = default;

 private:
  static constexpr std::array<char, 36> nil_text() {
    std::array<char, 36> t{};
    for (std::size_t i = 0; i < t.size(); ++i) t[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : '0';
    return t;
  }
  static uuid from_bytes(const std::array<std::uint8_t, 16>& bytes);

  std::array<char, 36> text_;
};

}  // namespace connectord
