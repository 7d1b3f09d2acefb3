#include "config/provider_check.hpp"
#include "domain/signal.hpp"
#include "tests/domain/sync_support.hpp"

#include <filesystem>

using namespace connectord;
using namespace connectord::provider;
using namespace connectord::provider::testing;

namespace {

void each_fixture(bool sync, const std::function<void(const definition&, const config::fixture&)>& use) {
  std::size_t seen = 0;
  for (const auto& d : definitions().all()) {
    const auto folder = std::filesystem::path{SOURCE_DIR} / "tests/golden" / d.slug;
    for (const auto& f : config::load_fixtures(folder).value()) {
      if (f.sync != sync) continue;
      CAPTURE(f.file.string());
      use(d, f);
      ++seen;
    }
  }
  CHECK(seen > 20);
}

std::string problem(const definition& d, std::string_view fixture, bool sync) {
  config::fixture f{"x.json", sync, {}, parse_json_object(fixture).value()};
  const auto found = config::replay(d, f);
  return found ? "none" : std::string{error{found.error()}.message()};
}

}  // namespace

TEST_CASE("whatever is cut off or put in, a delivery has exactly one outcome and valid payloads") {
  each_fixture(false, [](const definition& d, const config::fixture& f) {
    const auto sent = read_delivery(f.content).value();
    for (std::size_t cut = 0; cut < sent.body.size(); cut += 1 + sent.body.size() / 16) {
      const auto put_in = sent.body.substr(0, cut) + std::string("\x00\xff", 2) + sent.body.substr(cut);
      for (const auto& body : {sent.body.substr(0, cut), put_in}) {
        const auto e = examine(d, {sent.headers, body, sent.received_at});
        for (const auto& s : e.signals) {
          CHECK(parse_json_object(s.payload).has_value());
          CHECK(is_signal_kind(s.kind));
        }
        const bool meant = !e.signals.empty() || e.queues_sync || e.revokes_connection;
        CHECK(meant == (e.outcome == delivery_status::processed));
        CHECK(e.error.has_value() == (e.outcome == delivery_status::failed));
      }
    }
  });
}

TEST_CASE("whatever is cut off or put into an answer, a sync says what is wrong and makes valid signals") {
  each_fixture(true, [](const definition& d, const config::fixture& f) {
    const auto recorded = read_sync(f.content).value();
    for (const auto& whole : recorded.answers)
      for (std::size_t cut = 0; cut < whole.body.size(); cut += 1 + whole.body.size() / 8) {
        auto broken = whole;
        broken.body = whole.body.substr(0, cut) + (cut % 2 == 0 ? "" : "\x01 null" + whole.body.substr(cut));
        const auto run = run_sync(d, recorded.context, recorded.cursor, [&](const auto&) { return broken; });
        CHECK(run.failure.has_value());
        for (const auto& s : run.signals()) CHECK(parse_json_object(s.payload).has_value());
      }
  });
}

TEST_CASE("a recorded delivery that its secret does not prove is refused") {
  const auto fixture = [](std::string_view secret) {
    // GitHub's own test vector.
    return R"({"secret": ")" + std::string{secret} +
           R"(", "request": {"body_text": "Hello, World!", "headers": {
      "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}})";
  };
  const auto& d = definition_of("github");
  CHECK(problem(d, fixture("It's a Secret to Everybody"), false) == "none");
  CHECK(problem(d, fixture("another"), false) == "secret: does not prove the delivery: signature_mismatch");
}

TEST_CASE("a recorded sync has an answer for each call and a call for each answer") {
  const auto& d = definition_of("example");
  const auto with = [&](const std::string& answers) {
    return problem(d, R"({"connection": {"external_id": "1"}, "answers": [)" + answers + "]}", true);
  };
  const std::string last = R"({"body": {"items": []}})", first = R"({"body": {"items": [], "next_page": 2}})";
  CHECK(with(last) == "none");
  CHECK(with(first) == "answers: no answer was recorded for GET https://example.invalid/items?page=2");
  CHECK(with(last + "," + last) == "answers[1]: was not asked for");
}

TEST_CASE("a recording of another form names the member") {
  const auto& d = definition_of("example");
  CHECK(problem(d, "{}", false) == "request: is required");
  CHECK(problem(d, R"({"request": {}})", false) == "request.body: is required, or body_text");
  CHECK(problem(d, R"({"request": {"body": {}, "headers": {"a": 1}}})", false) ==
        "request.headers.a: must be a text");
  CHECK(problem(d, R"({"received_at": "now", "request": {"body": {}}})", false) ==
        "received_at: must be an RFC 3339 time");
  CHECK(problem(d, R"({"connection": {}, "answers": []})", true) == "connection.external_id: is required");
  CHECK(problem(d, R"({"connection": {"external_id": "1"}, "answers": [7]})", true) ==
        "answers[0]: must be an object");
  CHECK(problem(d, R"({"connection": {"external_id": "1"}, "answers": [{"status": "200"}]})", true) ==
        "answers[0].status: must be an integer from 100 to 599");
  CHECK(problem(definition_of("slack"), "{}", true) == "answers: the definition has no sync");
  CHECK(problem(definition_of("zoho-mail"), "{}", false) == "request: the definition has no webhook");
}
