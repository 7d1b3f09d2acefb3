#include "domain/provider/draft.hpp"

#include "base/json.hpp"

namespace connectord::provider {
namespace {

constexpr std::size_t max_entity = 1024;  // bytes
constexpr std::size_t max_raw = 256 * 1024;

/// `text` is the document's own, empty when `s.body` is only a part of it.
void write_raw(json_writer& w, const shape& as, const scene& s, std::string_view text) {
  const auto value = as.raw ? element_at(*as.raw, s) : std::nullopt;
  if (!value) {
    w.raw_member("raw", "null");
    return;
  }
  if (!text.empty() && value->is_object() && as.raw->root == lookup_root::body) {
    if (const auto slice = object_text(text, as.raw->steps)) {
      w.raw_member("raw", *slice);
      return;
    }
  }
  const auto written = simdjson::minify(*value);
  if (written.size() <= max_raw) {
    w.raw_member("raw", written);
    return;
  }
  w.raw_member("raw", "null").member("raw_truncated", true);
}

std::string payload_of(const draft_facts& f, const shape& as, std::string_view entity, const scene& s) {
  std::string out;
  out.reserve(1024 + f.text.size());
  json_writer w{out};
  w.open().key("entity").open().member("type", as.name).member("id", entity);
  if (const auto key = render(as.key, s)) w.member("key", *key);
  w.close();
  if (const auto title = render(as.title, s)) w.member("title", *title);
  if (const auto url = render(as.url, s)) w.member("url", *url);
  const auto actor = render(as.actor_id, s), name = render(as.actor_name, s);
  if (actor || name) w.key("actor").open().member("id", actor).member("name", name).close();
  const auto label = render(f.label, s);
  w.member("event", label ? *label : s.event);
  for (const auto& [member, values] : as.fields) write_member(w, member, values, s);
  write_raw(w, as, s, f.text);
  w.close();
  return out;
}

std::string version_of(const shape& as, const scene& s) {
  for (const auto& candidate : as.version) {
    if (const auto* t = std::get_if<text_template>(&candidate)) {
      if (auto text = bounded(render(*t, s), max_entity)) return std::move(*text);
    } else if (const auto time = first_time({std::get<time_candidate>(candidate)}, s)) {
      return to_rfc3339_seconds(*time);
    }
  }
  if (!s.time.empty()) return s.time;
  return s.digest.substr(0, 16);
}

std::string read_path(const choice& any) {
  std::string out;
  for (const auto& t : any)
    for (const auto& piece : t.pieces)
      if (piece.value) (out += out.empty() ? "" : " ") += piece.value->text;
  return out;
}

}  // namespace

std::optional<std::string> bounded(std::optional<std::string> text, std::size_t limit) {
  if (text && text->size() > limit) return std::nullopt;
  return text;
}

std::optional<std::string> draft(const draft_facts& f, const shape& as, std::string_view kind, scene& s,
                                 std::vector<draft_signal>& out) {
  auto entity = render(as.entity, s);
  if (!entity) return "the " + as.name + " is not named by " + read_path(as.entity);
  if (entity->size() > max_entity) return "the " + as.name + " has too long a name";
  draft_signal made;
  const auto time = first_time(as.occurred_at, s);
  made.occurred_at = time && *time <= f.received_at + max_ahead ? *time : f.received_at;
  s.time = time ? to_rfc3339_seconds(*time) : std::string{};
  s.unix_time = std::to_string(std::chrono::floor<seconds>(made.occurred_at).time_since_epoch().count());
  made.kind = kind;
  made.entity_version = version_of(as, s);
  made.payload = payload_of(f, as, *entity, s);
  ((((made.dedupe_key += f.provider) += ':') += kind) += ':') += *entity;
  (made.dedupe_key += ':') += made.entity_version;
  made.entity = std::move(*entity);
  out.push_back(std::move(made));
  return std::nullopt;
}

}  // namespace connectord::provider
