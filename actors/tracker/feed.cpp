#include "actors/tracker/feed.hpp"

#include "domain/tracker/text.hpp"

namespace connectord::tracker {
namespace {

/// As a query value; the characters that need no escape anywhere in a URL stay.
void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out.push_back(c);
    else
      ((out += '%') += digits[byte >> 4]) += digits[byte & 15];
  }
}

}  // namespace

activity told_by(const change& c, std::string type, std::string_view summary) {
  activity a;
  a.id = activity_id::make();
  a.type = std::move(type);
  a.occurred_at = a.recorded_at = c.now;
  a.actor = c.by;
  a.summary = shortened(summary);
  return a;
}

std::string page_of(const project_id& p, const std::optional<wp_ref>& wp) {
  auto url = "/dashboard/projects/" + p.str();
  if (!wp) return url;
  url += "/work-packages/" + wp->wp_id;
  if (!wp->mission.empty()) append_escaped(url += "?mission=", wp->mission);
  return url;
}

}  // namespace connectord::tracker
