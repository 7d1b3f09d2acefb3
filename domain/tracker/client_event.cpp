#include "domain/tracker/client_event.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace connectord::tracker {
namespace {

constexpr std::size_t longest_word = 200, longest_text = 4000;

std::string_view view(const json::string& s) { return {s.data(), s.size()}; }

bool is_ulid(std::string_view text) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz";
  return text.size() == 26 && text.find_first_not_of(alphabet) == text.npos;
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
  return out;
}

bool is_plain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

event_effect effect_of(std::string_view type) {
  if (type == "WPCreated") return event_effect::create;
  if (type == "WPStatusChanged") return event_effect::move;
  if (type == "WPAssigned") return event_effect::assign;
  if (type == "MissionClosed" || type == "FeatureCompleted") return event_effect::close_mission;
  return event_effect::none;
}

/// What an event that changes no work package must say all the same: published clients are told so when it
/// is missing (their batch contract 2.0.0, section 4 and fixture 4).
std::vector<std::string_view> told_by(std::string_view type) {
  if (type == "ErrorLogged") return {"error_type", "error_message"};
  return {};
}

/// Reads members one by one; the first fault is the one that is told.
class event_reader {
 public:
  event_reader(const json::object& from, std::string_view path, std::optional<std::string>& fault)
      : from_(from), path_(path), fault_(fault) {}

  const json::value* find(std::string_view name) const {
    const auto* value = from_.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  void blame(std::string_view what, std::string_view name) {
    if (!fault_) fault_ = std::string{what} + " " + path_ + std::string{name};
  }
  /// Absent is fine.
  std::optional<std::string> word(std::string_view name, std::size_t longest) {
    const auto* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto* text = value->if_string();
    if (text && !text->empty() && code_points(view(*text)) <= longest && is_plain(view(*text)))
      return std::string{view(*text)};
    blame("invalid field", name);
    return std::nullopt;
  }
  std::string required_word(std::string_view name, std::size_t longest) {
    if (find(name) == nullptr) blame("missing field", name);
    return word(name, longest).value_or("");
  }
  const json::object* required_object(std::string_view name) {
    const auto* value = find(name);
    if (value == nullptr) blame("missing field", name);
    const auto* object = value ? value->if_object() : nullptr;
    if (value && !object) blame("invalid field", name);
    return object;
  }

 private:
  const json::object& from_;
  std::string path_;
  std::optional<std::string>& fault_;
};

void read_rank(event_reader& envelope, client_event& e) {
  e.rank.event = e.key;
  e.rank.node = envelope.required_word("node_id", longest_word);
  const auto* clock = envelope.find("lamport_clock");
  if (clock == nullptr)
    envelope.blame("missing field", "lamport_clock");
  else if (!clock->is_int64() || clock->get_int64() < 0)
    envelope.blame("invalid field", "lamport_clock");
  else
    e.rank.lamport = clock->get_int64();
}

void read_envelope(event_reader& envelope, client_event& e) {
  e.type = envelope.required_word("event_type", longest_word);
  e.effect = effect_of(e.type);
  envelope.required_word("aggregate_id", longest_word);
  envelope.required_word("aggregate_type", longest_word);
  read_rank(envelope, e);
  const auto at = parse_rfc3339(envelope.required_word("timestamp", longest_word));
  if (!at) envelope.blame("invalid field", "timestamp");
  e.occurred_at = at.value_or(timestamp{});
  const auto project = uuid::parse(envelope.required_word("project_uuid", longest_word));
  if (!project) envelope.blame("invalid field", "project_uuid");
  e.project = project.value_or(uuid{});
  e.project_slug = envelope.word("project_slug", longest_word);
}

void read_work_package(event_reader& payload, client_event& e, bool needed) {
  if (needed && !payload.find("wp_id")) payload.blame("missing field", "wp_id");
  const auto id = payload.word("wp_id", longest_word);
  if (!id) return;
  if (is_wp_id(*id))
    e.wp = wp_ref{*id, e.mission};
  else if (needed)
    payload.blame("invalid field", "wp_id");
}

void read_payload(event_reader& payload, client_event& e) {
  auto mission = payload.word("mission_slug", longest_word);
  if (!mission) mission = payload.word("feature_slug", longest_word);
  e.mission = mission.value_or("");
  const bool of_wp = e.effect != event_effect::none && e.effect != event_effect::close_mission;
  read_work_package(payload, e, of_wp);
  for (const auto name : told_by(e.type))
    if (payload.find(name) == nullptr) payload.blame("missing field", name);
  if (e.effect == event_effect::create) {
    e.title = payload.word("wp_title", longest_text);
    if (!e.title) e.title = payload.word("title", longest_text);
  }
  if (e.effect == event_effect::assign) e.assignee = payload.required_word("agent_id", longest_word);
  if (e.effect == event_effect::close_mission && !mission) payload.blame("missing field", "mission_slug");
  if (e.effect != event_effect::move) return;
  const auto name = payload.required_word("to_lane", longest_word);
  const auto lane = parse<tracker::lane>(name);
  if (!lane) payload.blame("unknown lane in", "to_lane");
  e.lane = lane.value_or(tracker::lane::planned);
}

}  // namespace

bool is_wp_id(std::string_view text) noexcept {
  return text.size() > 2 && text.size() <= 32 && text.starts_with("WP") &&
         text.find_first_not_of("0123456789", 2) == text.npos;
}

client_event read_event(const json::value& sent) {
  client_event e;
  const auto* object = sent.if_object();
  if (object == nullptr) {
    e.fault = "the event is not an object";
    return e;
  }
  event_reader envelope{*object, "", e.fault};
  e.id = envelope.required_word("event_id", longest_word);
  if (const auto id = uuid::parse(e.id))
    e.key = id->str();
  else if (is_ulid(e.id))
    e.key = upper(e.id);
  else
    envelope.blame("invalid field", "event_id");
  read_envelope(envelope, e);
  if (const auto* payload = envelope.required_object("payload")) {
    event_reader inner{*payload, "payload.", e.fault};
    read_payload(inner, e);
    e.payload = json::serialize(*payload);
  }
  e.envelope = json::serialize(*object);
  return e;
}

}  // namespace connectord::tracker
