#include "domain/limit_left.hpp"

#include <algorithm>
#include <charconv>

namespace connectord {
namespace {

constexpr std::string_view remaining = "-remaining";

std::optional<double> number_of(std::string_view text) {
  std::uint32_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  return failed == std::errc{} && end == text.data() + text.size() ? std::optional<double>{n} : std::nullopt;
}

}  // namespace

std::optional<double> limit_left(const header_list& headers) {
  std::optional<double> scarcest;
  for (const auto& [name, value] : headers) {
    if (!name.ends_with(remaining) || name.find("ratelimit") == name.npos) continue;
    const auto most = name.substr(0, name.size() - remaining.size()) + "-limit";
    const auto limit = std::ranges::find(headers, most, &header_list::value_type::first);
    if (limit == headers.end()) continue;
    const auto of = number_of(limit->second), left = number_of(value);
    if (!of || !left || *of == 0) continue;
    const auto share = std::min(*left / *of, 1.0);
    scarcest = std::min(scarcest.value_or(share), share);
  }
  return scarcest;
}

}  // namespace connectord
