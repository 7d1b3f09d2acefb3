#include "base/time.hpp"

#include <cstdio>

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

}  // namespace

timestamp now_utc() { return floor<milliseconds>(system_clock::now()); }

std::string to_rfc3339(timestamp t) {
  const auto whole = floor<seconds>(t);
  auto out = to_rfc3339_seconds(t);
  if (const auto rest = (t - whole).count(); rest != 0) {
    char text[8];
    std::snprintf(text, sizeof text, ".%03d", static_cast<int>(rest));
    out.insert(out.size() - 1, text);
  }
  return out;
}

std::string to_rfc3339_seconds(timestamp t) {
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(t - day)};
  char text[40];
  const auto n =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(n)};
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
