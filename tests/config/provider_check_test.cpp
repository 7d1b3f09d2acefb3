#include "config/provider_check.hpp"

#include "config/provider_loader.hpp"

#include <doctest/doctest.h>

#include <unistd.h>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

using namespace connectord;
using connectord::config::accept_fixtures;
using connectord::config::check_provider;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view acme = R"(slug: acme
version: 1.0.0
display_name: Acme
auth_type: webhook
webhook:
  secret_key: WEBHOOK_ACME_SECRET
  verify:
    - {scheme: token, header: x-acme-token}
  event: "{type}"
  shapes:
    item: {entity: "{id}", raw: $body}
  rules:
    - {when: {type: new}, kind: issue_created, as: item}
    - {when: {type: old}, kind: issue_closed, as: item}
    - {when: {type: gone}, effect: revoke_connection}
    - {when: {type: dull}, effect: ignore}
)";

std::string delivery(std::string_view type) {
  return R"({"secret": "s", "request": {"headers": {"x-acme-token": "s"}, "body": {"type": ")" +
         std::string{type} + R"(", "id": 7}}})";
}

/// A definition with its fixtures, in a folder of its own.
struct workshop {
  fs::path folder = fs::temp_directory_path() / ("connectord-check-" + std::to_string(getpid()));
  fs::path file = folder / "acme.yaml", fixtures = folder / "fixtures" / "acme";

  workshop() {
    fs::create_directories(fixtures);
    write(file, acme);
    for (const auto* type : {"new", "old", "gone"})
      write(fixtures / (std::string{type} + ".json"), delivery(type));
    REQUIRE(accept_fixtures(file).value() == 3);
  }
  workshop(const workshop&) = delete;
  workshop& operator=(const workshop&) = delete;
  ~workshop() { fs::remove_all(folder); }

  static void write(const fs::path& path, std::string_view text) {
    std::ofstream{path, std::ios::binary} << text;
  }
  static void replace(const fs::path& path, std::string_view from, std::string_view to) {
    std::ifstream in{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    write(path, text.replace(at, from.size(), to));
  }
  /// What the check says, without the folder.
  std::string problems() const {
    const auto checked = check_provider(file);
    if (checked) return "none";
    const auto why = checked.error();
    std::string text{why.message()};
    const auto prefix = folder.string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }
};

}  // namespace

TEST_CASE("every definition of ours passes the check that a user's has to pass") {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator{fs::path{SOURCE_DIR} / "config/providers"}) {
    if (entry.path().extension() != ".yaml") continue;
    const auto checked = check_provider(entry.path());
    CHECK_MESSAGE(checked.has_value(), std::string{error{checked ? error{} : checked.error()}.message()});
    ++count;
  }
  CHECK(count == 11);
}

TEST_CASE("a definition whose fixtures mean what they are expected to is accepted") {
  const workshop w;
  const auto checked = check_provider(w.file);
  REQUIRE(checked.has_value());
  CHECK(checked->definition.slug == "acme");
  CHECK(checked->deliveries == 3);
  CHECK(checked->syncs == 0);
  CHECK(accept_fixtures(w.file).value() == 0);
}

TEST_CASE("a problem of the definition or of a fixture names file, line and field") {
  const workshop w;
  const auto said_after = [&](const fs::path& path, std::string_view from, std::string_view to) {
    workshop::replace(path, from, to);
    const auto said = w.problems();
    workshop::replace(path, to, from);
    return said;
  };
  CHECK(said_after(w.file, "issue_closed", "issue_vanished")
            .starts_with("acme.yaml:14: webhook.rules[1].kind: "));
  CHECK(said_after(w.fixtures / "new.json", "issue_created\"", "issue_closed\"") ==
        "fixtures/acme/new.json:20: expect.signals[0].kind: says \"issue_closed\", but it is "
        "\"issue_created\"");
  CHECK(said_after(w.fixtures / "old.json", "\"secret\": \"s\"", "\"secret\": \"t\"")
            .starts_with("fixtures/acme/old.json:2: secret: does not prove the delivery: invalid_token\n"));
  CHECK(said_after(w.fixtures / "gone.json", "\"expect\"", "\"expected\"") ==
        "fixtures/acme/gone.json:1: expect: is required; `providers accept` writes it");
  CHECK(said_after(w.fixtures / "gone.json", "{", "[") == "fixtures/acme/gone.json:1: is not a JSON object");
  CHECK(w.problems() == "none");
}

TEST_CASE("each kind and effect of the rules has to be shown, but for what is ignored") {
  const workshop w;
  fs::remove(w.fixtures / "old.json");
  fs::remove(w.fixtures / "gone.json");
  CHECK(w.problems() ==
        "acme.yaml:14: webhook.rules[1]: no fixture shows issue_closed\n"
        "acme.yaml:15: webhook.rules[2]: no fixture shows revoke_connection");
}

TEST_CASE("without a recorded delivery, or with none that proves itself, a definition does not load") {
  const workshop w;
  for (const auto* name : {"new.json", "old.json", "gone.json"})
    workshop::replace(w.fixtures / name, "\"secret\"", "\"no_secret\"");
  CHECK(w.problems() ==
        "acme.yaml:8: webhook.verify: needs a recorded delivery with its `secret`, which it proves");
  fs::remove_all(w.fixtures);
  CHECK(w.problems() == "acme.yaml:6: webhook: needs a recorded delivery in fixtures/acme");
  const auto all = config::load_catalog(w.folder, true);
  REQUIRE_FALSE(all.has_value());
  const auto why = all.error();
  CHECK(std::string{why.message()}.ends_with("webhook: needs a recorded delivery in " + w.fixtures.string()));
}
