#include "actors/tracker/reading.hpp"

#include "base/compression.hpp"
#include "domain/tracker/diff.hpp"

#include <utility>

namespace connectord::tracker {

body_read::reading read_snapshot(const snapshot_bytes& bytes, std::string raw_sha256, const policy& limits) {
  auto read = read_snapshot(std::string_view{*bytes}, limits);
  if (auto* body = std::get_if<snapshot_body>(&read)) {
    parsed_snapshot parsed{compress(*bytes), std::move(raw_sha256), std::move(*body), {}, {}};
    parsed.marks.reserve(parsed.body.issues.size());
    for (const auto& content : parsed.body.issues) parsed.marks.push_back(mark_of(content));
    parsed.issues_digest = digest_of(parsed.body.issues, parsed.marks);
    return parsed;
  }
  if (auto* refused = std::get_if<refused_body>(&read)) return std::move(*refused);
  if (auto* oversized = std::get_if<oversized_body>(&read)) return *oversized;
  return unreadable_body{};
}

}  // namespace connectord::tracker
