#pragma once

#include "base/result.hpp"

#include <array>
#include <string>
#include <string_view>

namespace connectord::web {

/// The decoded segments of a request path. `/` has none, `/a/b` has two.
class path {
 public:
  static constexpr std::size_t most = 8;

  /// BAD_REQUEST for a broken escape, a control character or text that is not UTF-8; NOT_FOUND for
  /// what could mean two routes: empty and dot segments, an escaped slash, more than `most`. One slash
  /// at the end is no segment, but noted.
  /// Views into `raw` and into itself.
  result<> parse(std::string_view raw);

  std::size_t size() const noexcept { return count_; }
  std::string_view operator[](std::size_t i) const noexcept {
    return i < count_ ? segments_[i] : std::string_view{};
  }
  std::string_view raw() const noexcept { return raw_; }
  bool ends_in_slash() const noexcept { return count_ > 0 && raw_.ends_with('/'); }

 private:
  std::string_view raw_;
  std::array<std::string_view, most> segments_;
  std::size_t count_ = 0;
  std::string decoded_;
};

/// Appends `text` without its percent escapes; `plus_is_space` as in a query. False when an escape
/// is broken or stands for NUL.
bool percent_decode(std::string_view text, std::string& out, bool plus_is_space = false);

}  // namespace connectord::web
