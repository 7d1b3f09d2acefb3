#include "domain/limit_left.hpp"

#include <algorithm>
#include <charconv>

namespace connectord {
namespace {

constexpr std::string_view remaining = "-remaining";

std::optional<std::int64_t> number_of(std::string_view text) {
  std::uint32_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  return failed == std::errc{} && end == text.data() + text.size() ? std::optional<std::int64_t>{n}
                                                                   : std::nullopt;
}

}  // namespace

std::optional<limit_left> limit_left_of(const header_list& headers) {
  std::optional<limit_left> scarcest;
  for (const auto& [name, value] : headers) {
    if (!name.ends_with(remaining) || name.find("ratelimit") == name.npos) continue;
    const auto most = name.substr(0, name.size() - remaining.size()) + "-limit";
    const auto limit = std::ranges::find(headers, most, &header_list::value_type::first);
    if (limit == headers.end()) continue;
    const auto of = number_of(limit->second), left = number_of(value);
    if (!of || !left || *of == 0) continue;
    const limit_left told{std::min(*left, *of), *of};
    if (!scarcest || told.share() < scarcest->share()) scarcest = told;
  }
  return scarcest;
}

}  // namespace connectord
