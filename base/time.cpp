#include "base/time.hpp"

namespace connectord {
namespace {

using namespace std::chrono;

/// Exactly `count` digits at the front of `text`, which moves past them.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<milliseconds> fraction(std::string_view& text) {
  int value = 0, seen = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1))
    if (++seen <= 3) value = value * 10 + (text.front() - '0');
  if (seen == 0) return std::nullopt;
  for (; seen < 3; ++seen) value *= 10;
  return milliseconds{value};
}

std::optional<minutes> offset(std::string_view text) {
  if (text == "Z" || text == "z") return minutes{0};
  if (text.empty()) return std::nullopt;
  const bool west = text.front() == '-';
  if (!take(text, "+- ")) return std::nullopt;
  const auto h = digits(text, 2);
  take(text, ":");
  const auto m = digits(text, 2);
  if (!h || !m || !text.empty() || *h > 23 || *m > 59) return std::nullopt;
  const auto total = minutes{*h * 60 + *m};
  return west ? -total : total;
}

void put_digits(std::string& out, unsigned value, std::size_t count) {
  out.append(count, '0');
  for (auto at = out.size(); count > 0; --count, value /= 10) out[--at] = static_cast<char>('0' + value % 10);
}

}  // namespace

timestamp now_utc() { return floor<milliseconds>(system_clock::now()); }

std::string to_rfc3339(timestamp t) {
  auto out = to_rfc3339_seconds(t);
  if (const auto rest = (t - floor<seconds>(t)).count(); rest != 0) {
    out.back() = '.';
    put_digits(out, static_cast<unsigned>(rest), 3);
    out += 'Z';
  }
  return out;
}

/// By hand: lists write two of these a row.
std::string to_rfc3339_seconds(timestamp t) {
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(t - day)};
  std::string out;
  out.reserve(24);
  put_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(out += '-', static_cast<unsigned>(date.month()), 2);
  put_digits(out += '-', static_cast<unsigned>(date.day()), 2);
  put_digits(out += 'T', static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(out += ':', static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(out += ':', static_cast<unsigned>(clock.seconds().count()), 2);
  return out += 'Z';
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  const auto y = digits(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  const auto mo = digits(text, 2);
  if (!mo || !take(text, "-")) return std::nullopt;
  const auto d = digits(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  const auto h = digits(text, 2);
  if (!h || !take(text, ":")) return std::nullopt;
  const auto mi = digits(text, 2);
  if (!mi || !take(text, ":")) return std::nullopt;
  const auto s = digits(text, 2);
  if (!s || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  milliseconds part{0};
  if (take(text, ".")) {
    const auto f = fraction(text);
    if (!f) return std::nullopt;
    part = *f;
  }
  const auto zone = offset(text);
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (!zone || !date.ok()) return std::nullopt;
  return timestamp{sys_days{date}} + hours{*h} + minutes{*mi} + seconds{*s} + part - *zone;
}

}  // namespace connectord
