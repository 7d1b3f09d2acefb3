#include "domain/signal.hpp"
#include "tests/domain/golden_json.hpp"
#include "tests/domain/provider_support.hpp"

#include <cstdlib>
#include <map>
#include <set>

// tests/golden/<provider>/<case>.json holds one delivery and what it means. UPDATE_GOLDEN=1 writes
// what the engine says now; read the diff.
using namespace connectord;
using namespace connectord::provider;
using connectord::provider::testing::at;
using connectord::provider::testing::definition_of;
using connectord::provider::testing::definitions;
using connectord::provider::testing::pretty;
using connectord::provider::testing::shown_signal;
using connectord::provider::testing::slurp;

namespace {

namespace fs = std::filesystem;

json::value maybe(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::object shown(const examination& e) {
  if (e.challenge) return {{"challenge", *e.challenge}};
  json::array candidates, signals;
  for (const auto& c : e.candidates) candidates.push_back(json::array{c.kind, c.value});
  for (const auto& s : e.signals) signals.push_back(shown_signal(s));
  json::object out{{"event_type", maybe(e.event_type)},
                   {"provider_delivery_id", maybe(e.provider_delivery_id)},
                   {"dedupe_id", e.dedupe_id},
                   {"candidates", std::move(candidates)},
                   {"outcome", name_of(e.outcome)}};
  if (e.connection_hint) out["connection_hint"] = *e.connection_hint;
  if (e.error) out["error"] = *e.error;
  if (!e.body_is_json) out["body_is_json"] = false;
  if (e.unmapped) out["unmapped"] = true;
  if (e.queues_sync) out["queues_sync"] = true;
  if (e.revokes_connection) out["revokes_connection"] = true;
  out["signals"] = std::move(signals);
  return out;
}

struct fixture {
  fs::path path;
  json::object content;
  header_list headers;
  std::string body;
  timestamp received_at;
};

fixture load(const fs::path& path) {
  fixture out{path, {}, {}, {}, at("2026-01-01T00:00:00Z")};
  auto parsed = parse_json_object(slurp(path));
  REQUIRE_MESSAGE(parsed.has_value(), path.string());
  out.content = std::move(*parsed);
  const auto& request = out.content.at("request").as_object();
  for (const auto& h : request.at("headers").as_object())
    out.headers.emplace_back(h.key(), std::string{h.value().as_string()});
  if (const auto* text = request.if_contains("body_text"))
    out.body = text->as_string();
  else
    out.body = json::serialize(request.at("body"));
  return out;
}

std::map<std::string, std::vector<fixture>> all_fixtures() {
  std::map<std::string, std::vector<fixture>> out;
  for (const auto& folder : fs::directory_iterator{fs::path{SOURCE_DIR} / "tests/golden"}) {
    if (!folder.is_directory()) continue;
    auto& list = out[folder.path().filename().string()];
    for (const auto& file : fs::directory_iterator{folder.path()})
      if (file.path().extension() == ".json") list.push_back(load(file.path()));
  }
  return out;
}

}  // namespace

TEST_CASE("every recorded delivery means what its golden file says") {
  const bool update = std::getenv("UPDATE_GOLDEN") != nullptr;
  for (auto& [slug, fixtures] : all_fixtures()) {
    const auto& d = definition_of(slug);
    for (auto& f : fixtures) {
      CAPTURE(f.path.string());
      const auto found = shown(examine(d, {f.headers, f.body, f.received_at}));
      if (update) {
        f.content["expect"] = found;
        std::string text;
        pretty(text, f.content, 0);
        std::ofstream{f.path, std::ios::binary} << text << '\n';
      }
      REQUIRE(f.content.contains("expect"));
      std::string want, have;
      pretty(want, f.content.at("expect"), 0);
      pretty(have, found, 0);
      CHECK(have == want);
    }
  }
}

TEST_CASE("every definition with webhooks has fixtures that show each kind and effect of its rules") {
  const auto fixtures = all_fixtures();
  for (const auto& d : definitions().all()) {
    if (!d.webhooks) continue;
    CAPTURE(d.slug);
    REQUIRE(fixtures.contains(d.slug));
    std::set<std::string> shown_kinds;
    bool sync = false, revoke = false;
    for (const auto& f : fixtures.at(d.slug)) {
      const auto e = examine(d, {f.headers, f.body, f.received_at});
      for (const auto& s : e.signals) shown_kinds.insert(s.kind);
      sync |= e.queues_sync;
      revoke |= e.revokes_connection;
    }
    for (const auto& r : d.webhook.rules) {
      if (r.effect == rule_effect::signal) CHECK_MESSAGE(shown_kinds.contains(r.kind), r.kind);
      if (r.effect == rule_effect::queue_sync) CHECK(sync);
      if (r.effect == rule_effect::revoke_connection) CHECK(revoke);
    }
  }
}

TEST_CASE("whatever is cut off or put in, a delivery has exactly one outcome and valid payloads") {
  for (const auto& [slug, fixtures] : all_fixtures()) {
    const auto& d = definition_of(slug);
    for (const auto& f : fixtures) {
      CAPTURE(f.path.string());
      for (std::size_t cut = 0; cut < f.body.size(); cut += 1 + f.body.size() / 16) {
        auto body = f.body.substr(0, cut) + std::string("\x00\xff", 2) + f.body.substr(cut);
        for (const auto& variant : {f.body.substr(0, cut), body}) {
          const auto e = examine(d, {f.headers, variant, f.received_at});
          for (const auto& s : e.signals) {
            CHECK(parse_json_object(s.payload).has_value());
            CHECK(is_signal_kind(s.kind));
          }
          const bool meant = !e.signals.empty() || e.queues_sync || e.revokes_connection;
          CHECK(meant == (e.outcome == delivery_status::processed));
          CHECK(e.error.has_value() == (e.outcome == delivery_status::failed));
        }
      }
    }
  }
}
