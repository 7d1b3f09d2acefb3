#include "domain/tracker/diff.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"

namespace connectord::tracker {

content_mark mark_of(const issue_content& c) {
  std::string text;
  text.reserve(128 + c.title.size() + (c.body ? c.body->size() : 0));
  json_writer w{text};
  const auto texts = [&](const std::vector<std::string>& all) {
    w.open_array();
    for (const auto& one : all) w.value(std::string_view{one});
    w.close_array();
  };
  w.open_array().value(c.key).value(c.url).value(std::string_view{c.title}).value(c.body);
  w.value(name_of(c.status)).value(name_of(c.type));
  w.value(c.priority ? std::optional<std::int64_t>{*c.priority} : std::nullopt);
  w.value(c.updated_at ? std::optional<std::int64_t>{c.updated_at->time_since_epoch().count()}
                       : std::nullopt);
  texts(c.assignees);
  texts(c.labels);
  w.close_array();
  return {to_hex(bytes_of(sha256(text)).substr(0, 16)), c.updated_at};
}

std::string digest_of(std::span<const issue_content> issues, std::span<const content_mark> marks) {
  std::string text;
  text.reserve(issues.size() * 96);
  for (std::size_t i = 0; i < issues.size(); ++i)
    // No text of an issue holds U+0000, so that it parts them safely.
    for (const std::string_view part :
         {issues[i].ref.system, issues[i].ref.workspace, issues[i].ref.id, marks[i].fingerprint})
      text.append(part).push_back('\0');
  return to_hex(bytes_of(sha256(text)));
}

issue_effect compare(const content_mark* stored, const content_mark& incoming) {
  if (stored == nullptr) return issue_effect::created;
  if (stored->updated_at && incoming.updated_at && *incoming.updated_at < *stored->updated_at)
    return issue_effect::skipped_older;
  return stored->fingerprint == incoming.fingerprint ? issue_effect::unchanged : issue_effect::updated;
}

}  // namespace connectord::tracker
