#include "http/trace.hpp"

#include "base/crypto.hpp"

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

std::span<const std::uint8_t, 16> sixteen_random_bytes() {
  thread_local std::array<std::uint8_t, 4096> block;
  thread_local std::size_t used = block.size();
  if (used == block.size()) {
    random_bytes(block);
    used = 0;
  }
  used += 16;
  return std::span<const std::uint8_t, 16>{block.data() + used - 16, 16};
}

}  // namespace

std::optional<std::string_view> trace_id_of(std::string_view t) noexcept {
  // version "-" trace-id "-" parent-id "-" flags; a later version may go on behind another "-".
  if (t.size() < 55 || t[2] != '-' || t[35] != '-' || t[52] != '-') return std::nullopt;
  const auto version = t.substr(0, 2), trace = t.substr(3, 32), parent = t.substr(36, 16);
  if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(t.substr(53, 2))) return std::nullopt;
  if (version == "ff" || is_zero(trace) || is_zero(parent)) return std::nullopt;
  if (t.size() > 55 && (version == "00" || t[55] != '-')) return std::nullopt;
  return trace;
}

bool is_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == ':' || c == '-';
  });
}

std::string new_trace_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto random = sixteen_random_bytes();
  std::string text(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < random.size(); ++i) {
    auto byte = random[i];
    if (i == 6) byte = static_cast<std::uint8_t>(0x40 | (byte & 0x0f));
    if (i == 8) byte = static_cast<std::uint8_t>(0x80 | (byte & 0x3f));
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    text[at++] = digits[byte >> 4];
    text[at++] = digits[byte & 15];
  }
  return text;
}

}  // namespace connectord::web
