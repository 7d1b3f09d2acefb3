#include "domain/retry_hint.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace connectord {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, out);
  if (failure == std::errc::result_out_of_range && !text.starts_with('-')) return longest_hint.count();
  if (failure != std::errc{} || end != last || out < 0) return std::nullopt;
  return out;
}

}  // namespace

std::optional<timestamp> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != form.size() || !text.ends_with(" GMT") || text.substr(3, 2) != ", ") return std::nullopt;
  const auto* const month = std::ranges::find(months, text.substr(8, 3));
  if (month == months.end() || text[7] != ' ' || text[11] != ' ' || text[16] != ' ') return std::nullopt;
  const auto number = std::to_string(month - months.begin() + 1);
  std::string iso{text.substr(12, 4)};
  ((iso += '-').append(2 - number.size(), '0') += number) += '-';
  ((iso.append(text.substr(5, 2)) += 'T').append(text.substr(17, 8))) += 'Z';
  return parse_rfc3339(iso);
}

std::optional<seconds> pause_until(timestamp then, timestamp now) {
  if (then <= now) return std::nullopt;
  return std::min(std::chrono::ceil<seconds>(then - now), longest_hint);
}

std::optional<seconds> retry_after(const http_response& answer, timestamp now) {
  const auto header = answer.header("retry-after");
  if (!header) return std::nullopt;
  const auto text = trimmed(*header);
  if (const auto count = whole_number(text)) return std::min(seconds{*count}, longest_hint);
  const auto date = parse_http_date(text);
  return date ? pause_until(*date, now) : std::nullopt;
}

}  // namespace connectord
