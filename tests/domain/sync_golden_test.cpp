#include "tests/domain/golden_json.hpp"
#include "tests/domain/sync_support.hpp"

#include <cstdlib>
#include <map>
#include <set>

// tests/golden/<provider>/sync/<case>.json holds a connection, a cursor, the answers that the provider
// gives one after the other, and what comes of it: the calls, the signals, the cursor.
using namespace connectord;
using namespace connectord::provider;
using namespace connectord::provider::testing;

namespace {

namespace fs = std::filesystem;

struct recording {
  fs::path path;
  json::object content;
};

std::map<std::string, std::vector<recording>> recordings() {
  std::map<std::string, std::vector<recording>> out;
  for (const auto& folder : fs::directory_iterator{fs::path{SOURCE_DIR} / "tests/golden"}) {
    if (!fs::is_directory(folder.path() / "sync")) continue;
    auto& list = out[folder.path().filename().string()];
    for (const auto& file : fs::directory_iterator{folder.path() / "sync"}) {
      auto parsed = parse_json_object(slurp(file.path()));
      REQUIRE_MESSAGE(parsed.has_value(), file.path().string());
      list.push_back({file.path(), std::move(*parsed)});
    }
  }
  return out;
}

sync_context context_of(const json::object& recorded) {
  const auto& connection = recorded.at("connection").as_object();
  sync_context out;
  out.external_id = connection.at("external_id").as_string();
  out.metadata = connection.at("metadata").as_object();
  if (const auto* region = connection.if_contains("region")) out.region = region->as_string();
  return out;
}

http_response answer_of(const json::object& recorded) {
  http_response out;
  out.status = static_cast<int>(recorded.at("status").as_int64());
  for (const auto& h : recorded.at("headers").as_object())
    out.headers.emplace_back(h.key(), std::string{h.value().as_string()});
  out.body = json::serialize(recorded.at("body"));
  return out;
}

ran replay(const definition& d, const json::object& recorded) {
  const auto* cursor = recorded.if_contains("cursor");
  std::size_t next = 0;
  const auto& answers = recorded.at("answers").as_array();
  auto out =
      run_sync(d, context_of(recorded), cursor == nullptr ? "" : json::serialize(*cursor), [&](const auto&) {
        REQUIRE(next < answers.size());
        return answer_of(answers[next++].as_object());
      });
  CHECK(next == answers.size());
  return out;
}

json::object shown(const ran& r) {
  constexpr std::string_view classes[]{"unauthorized", "rate_limited", "transient", "permanent"};
  json::array calls, signals;
  std::size_t items = 0, unmapped = 0, rejected = 0;
  for (const auto& c : r.calls) {
    calls.push_back(json::string{c.method + " " + c.url});
    if (!c.body.empty()) calls.push_back(parse_json(c.body).value());
  }
  for (const auto& page : r.pages) {
    items += page.items;
    unmapped += page.unmapped;
    rejected += page.rejected.size();
  }
  for (const auto& s : r.signals()) signals.push_back(shown_signal(s));
  json::object out{{"calls", std::move(calls)}, {"pages", r.pages.size()}, {"items", items}};
  if (unmapped > 0) out["unmapped"] = unmapped;
  if (rejected > 0) out["rejected"] = rejected;
  if (r.failure) {
    out["failure"] = classes[static_cast<std::size_t>(r.failure->what)];
    out["message"] = r.failure->message;
    if (r.failure->hint) out["hint"] = r.failure->hint->count();
  }
  out["cursor"] = parse_json(r.cursor()).value();
  out["signals"] = std::move(signals);
  return out;
}

}  // namespace

TEST_CASE("every recorded sync asks and means what its golden file says") {
  const bool update = std::getenv("UPDATE_GOLDEN") != nullptr;
  for (auto& [slug, list] : recordings()) {
    const auto& d = definition_of(slug);
    for (auto& r : list) {
      CAPTURE(r.path.string());
      const auto found = shown(replay(d, r.content));
      if (update) {
        r.content["expect"] = found;
        std::string text;
        pretty(text, r.content, 0);
        std::ofstream{r.path, std::ios::binary} << text << '\n';
      }
      REQUIRE(r.content.contains("expect"));
      std::string want, have;
      pretty(want, r.content.at("expect"), 0);
      pretty(have, found, 0);
      CHECK(have == want);
    }
  }
}

TEST_CASE("every definition with a sync has recordings that show each kind of its rules") {
  const auto all = recordings();
  for (const auto& d : definitions().all()) {
    if (!d.sync) continue;
    CAPTURE(d.slug);
    REQUIRE(all.contains(d.slug));
    std::set<std::string> kinds;
    for (const auto& r : all.at(d.slug))
      for (const auto& s : replay(d, r.content).signals()) kinds.insert(s.kind);
    for (const auto& stream : d.sync->streams)
      for (const auto& rule : stream.rules) {
        // The example provider maps items as it maps webhooks, whose fixtures show the rest.
        const bool shared = d.local_only;
        if (rule.effect == rule_effect::signal && !shared)
          CHECK_MESSAGE(kinds.contains(rule.kind), rule.kind);
      }
  }
}

TEST_CASE("whatever is cut off or put into an answer, a sync says what is wrong and makes valid signals") {
  for (const auto& [slug, list] : recordings()) {
    const auto& d = definition_of(slug);
    for (const auto& r : list) {
      CAPTURE(r.path.string());
      const auto* cursor = r.content.if_contains("cursor");
      for (const auto& recorded : r.content.at("answers").as_array()) {
        const auto whole = answer_of(recorded.as_object());
        for (std::size_t cut = 0; cut < whole.body.size(); cut += 1 + whole.body.size() / 8) {
          auto broken = whole;
          broken.body =
              whole.body.substr(0, cut) + (cut % 2 == 0 ? "" : "\x01 null" + whole.body.substr(cut));
          const auto out =
              run_sync(d, context_of(r.content), cursor == nullptr ? "" : json::serialize(*cursor),
                       [&](const auto&) { return broken; });
          CHECK(out.failure.has_value());
          for (const auto& s : out.signals()) CHECK(parse_json_object(s.payload).has_value());
        }
      }
    }
  }
}
