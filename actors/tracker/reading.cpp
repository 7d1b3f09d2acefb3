#include "actors/tracker/reading.hpp"

#include <utility>

namespace connectord::tracker {

body_read::reading read_snapshot(snapshot_bytes bytes, std::string raw_sha256, const policy& limits) {
  auto read = read_snapshot(std::string_view{*bytes}, limits);
  if (auto* body = std::get_if<snapshot_body>(&read)) {
    parsed_snapshot parsed{std::move(bytes), std::move(raw_sha256), std::move(*body), {}};
    parsed.marks.reserve(parsed.body.issues.size());
    for (const auto& content : parsed.body.issues) parsed.marks.push_back(mark_of(content));
    return parsed;
  }
  if (auto* refused = std::get_if<refused_body>(&read)) return std::move(*refused);
  if (auto* oversized = std::get_if<oversized_body>(&read)) return *oversized;
  return unreadable_body{};
}

}  // namespace connectord::tracker
