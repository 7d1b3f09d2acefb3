#include "http/views/export.hpp"

#include "http/tracker_shapes.hpp"

#include <initializer_list>

namespace connectord::web {
namespace {

void append_line(std::string& out, std::initializer_list<std::string_view> texts) {
  bool first = true;
  for (const auto text : texts) {
    if (!std::exchange(first, false)) out.push_back(',');
    out += csv_field(text);
  }
  out += "\r\n";
}

}  // namespace

std::string csv_field(std::string_view text) {
  constexpr std::string_view starts_a_formula = "=+-@\t\r\n";
  std::string out{"\""};
  out.reserve(text.size() + 3);
  if (!text.empty() && starts_a_formula.find(text.front()) != text.npos) out.push_back('\'');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out += '"';
}

std::string as_csv(std::span<const tracker::activity> rows) {
  std::string out;
  append_line(out, {"seq", "occurred_at", "recorded_at", "type", "project", "work_package", "mission",
                    "actor", "actor_kind", "summary", "url", "payload"});
  const auto text = [](const auto& maybe) { return maybe ? std::string_view{*maybe} : std::string_view{}; };
  for (const auto& a : rows)
    append_line(out, {std::to_string(a.seq), to_rfc3339(a.occurred_at), to_rfc3339(a.recorded_at), a.type,
                      text(a.project_slug), a.wp ? std::string_view{a.wp->wp_id} : std::string_view{},
                      a.wp ? std::string_view{a.wp->mission} : std::string_view{}, a.actor.name,
                      tracker::name_of(a.actor.kind), a.summary, text(a.url), a.payload});
  return out;
}

std::string as_ndjson(std::span<const tracker::activity> rows) {
  std::string out;
  for (const auto& a : rows) {
    json_writer w{out};
    write(w, a);
    out.push_back('\n');
  }
  return out;
}

}  // namespace connectord::web
