#include "domain/tenant_state.hpp"
#include "base/json.hpp"
#include "domain/snapshot.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace connectord;

namespace {

connection named(std::string provider, std::string external_id, std::vector<identity> ids = {}) {
  connection c;
  c.id = connection_id::make();
  c.provider = std::move(provider);
  c.external_id = std::move(external_id);
  c.identities = std::move(ids);
  return c;
}

/// Arbitrary, but equal for equal seeds.
connection arbitrary(std::mt19937& dice) {
  const auto text = [&] {
    std::string s;
    for (auto n = dice() % 12; n > 0; --n) s += "aé\"\\\n\u4e2d0"[dice() % 5];
    return is_utf8(s) ? s : std::string{"x"};
  };
  const auto bytes = [&] {
    std::string s(dice() % 40, '\0');
    for (auto& b : s) b = static_cast<char>(dice());
    return s;
  };
  const auto time = [&] { return from_millis(static_cast<std::int64_t>(dice()) * 1000); };
  auto c = named("p" + std::to_string(dice() % 3), text() + std::to_string(dice()));
  if (dice() % 2) c.display_name = text();
  c.status = static_cast<connection_status>(dice() % 3);
  if (dice() % 3 == 0) c.status_reason = text();
  if (dice() % 2) c.access_ciphertext = bytes();
  if (dice() % 2) c.refresh_ciphertext = bytes();
  if (dice() % 2) c.previous_refresh = sealed_secret{bytes(), time()};
  c.token_epoch = static_cast<std::int64_t>(dice());
  if (dice() % 2) c.expires_at = time();
  for (auto n = dice() % 3; n > 0; --n) c.scopes.push_back(text());
  c.metadata = R"({"n":)" + std::to_string(dice()) + "}";
  if (dice() % 2) c.webhook_secret = sealed_secret{bytes(), std::nullopt};
  if (dice() % 2) c.previous_webhook_secret = sealed_secret{bytes(), time()};
  for (auto n = dice() % 3; n > 0; --n) c.identities.push_back({"external_id", text()});
  if (dice() % 2) c.next_run_at = time();
  c.created_at = time();
  c.updated_at = time();
  return c;
}

}  // namespace

TEST_CASE("a snapshot read back is what was written, for 500 arbitrary states") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::mt19937 dice{seed};
    std::vector<connection> state;
    for (auto n = dice() % 6; n > 0; --n) state.push_back(arbitrary(dice));
    CAPTURE(seed);
    const auto back = read_snapshot(write_snapshot(state));
    REQUIRE(back);
    CHECK(*back == state);
  }
}

TEST_CASE("a snapshot with any byte changed is refused by its checksum") {
  std::mt19937 dice{7};
  const auto text = write_snapshot({arbitrary(dice), arbitrary(dice)});
  const auto sum = snapshot_checksum(text);
  for (std::size_t i = 0; i < text.size(); i += 17) {
    auto damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK(snapshot_checksum(damaged) != sum);
    read_snapshot(damaged);  // whatever it says, it does not crash
  }
}

TEST_CASE("a snapshot of another version is not read") {
  auto text = write_snapshot({});
  text.replace(text.find("\"version\":1"), 11, "\"version\":2");
  CHECK_FALSE(read_snapshot(text));
  for (const auto* junk : {"", "{}", "[]", "{\"version\":1}", "{\"version\":1,\"connections\":[{}]}"})
    CHECK_FALSE(read_snapshot(junk));
}

TEST_CASE("a snapshot of a row that nobody could have written is not read") {
  std::mt19937 dice{3};
  const auto text = write_snapshot({arbitrary(dice)});
  const auto with = [&](std::string_view member, std::size_t length, std::string_view value) {
    auto changed = text;
    return changed.replace(changed.find(member) + member.size(), length, value);
  };
  REQUIRE(read_snapshot(with("\"status\":", 1, "0")));
  CHECK_FALSE(read_snapshot(with("\"status\":", 1, "3")));
  CHECK_FALSE(read_snapshot(with("\"status\":", 1, "-1")));
  CHECK_FALSE(read_snapshot(with("\"id\":", 38, "null")));
}

TEST_CASE("a payload's identity decides before the provider's only connection does") {
  const auto a = named("p", "1", {{"external_id", "1"}}), b = named("p", "2", {{"external_id", "2"}});
  const tenant_state s{{}, {a, b}};
  CHECK(s.resolve("p", {{"external_id", "2"}}).row->id == b.id);
  CHECK(s.resolve("p", {{"external_id", "9"}, {"external_id", "1"}}).row->id == a.id);
  CHECK(s.resolve("p", {{"external_id", "9"}}).row == nullptr);
  CHECK(s.resolve("q", {{"external_id", "1"}}).row == nullptr);
}

TEST_CASE("the only active connection is taken by default, and said to be") {
  auto a = named("p", "1", {{"external_id", "1"}}), b = named("p", "2", {{"external_id", "2"}});
  b.status = connection_status::error;
  const tenant_state s{{}, {a, b}};
  CHECK(s.resolve("p", {{"external_id", "9"}}).row->id == a.id);
  CHECK(s.resolve("p", {{"external_id", "9"}}).by_default);
  CHECK_FALSE(s.resolve("p", {{"external_id", "1"}}).by_default);
}

TEST_CASE("two connections behind one identity are nobody's") {
  const auto a = named("p", "1", {{"host", "h"}}), b = named("p", "2", {{"host", "h"}});
  CHECK(tenant_state{{}, {a, b}}.resolve("p", {{"host", "h"}}).row == nullptr);
}

TEST_CASE("a replaced connection gives its old identities up") {
  auto a = named("p", "1", {{"host", "old"}});
  tenant_state s{{}, {a, named("p", "2")}};
  a.identities = {{"host", "new"}};
  s.put(a);
  CHECK(s.resolve("p", {{"host", "old"}}).row == nullptr);
  CHECK(s.resolve("p", {{"host", "new"}}).row->id == a.id);
}

TEST_CASE("the same account updates, another account creates") {
  const timestamp now = from_millis(1000);
  tenant_state s;
  const auto first = decide_connection(s, {"p", "1", "name", std::nullopt}, now);
  CHECK(first.created);
  s.put(first.row);
  const auto again = decide_connection(s, {"p", "1", std::nullopt, std::nullopt}, now);
  CHECK_FALSE(again.created);
  CHECK(again.row.id == first.row.id);
  CHECK(again.row.display_name == "name");
  CHECK(decide_connection(s, {"p", "2", std::nullopt, std::nullopt}, now).created);
}

TEST_CASE("a revoked connection comes back to life under its own id") {
  tenant_state s;
  const auto made = decide_connection(s, {"p", "1", std::nullopt, std::nullopt}, {}).row;
  s.put(revoked(made, {}));
  const auto again = decide_connection(s, {"p", "1", std::nullopt, std::nullopt}, {});
  CHECK(again.row.id == made.id);
  CHECK(again.row.status == connection_status::active);
}

TEST_CASE("a patch merges metadata by top-level key, and null removes") {
  auto c = named("p", "1");
  c.metadata = R"({"a":1,"b":2})";
  const tenant_state s{{}, {c}};
  connection_patch p;
  p.metadata = R"({"b":null,"c":{"d":3}})";
  CHECK(parse_json(decide_patch(s, c.id, p, seconds{86400}, {})->metadata).value() ==
        parse_json(R"({"a":1,"c":{"d":3}})").value());
}

TEST_CASE("only the sync interval may be set, and only within its bounds") {
  const auto c = named("p", "1");
  const tenant_state s{{}, {c}};
  const auto patch = [&](const char* metadata) {
    connection_patch p;
    p.metadata = metadata;
    return decide_patch(s, c.id, p, seconds{3600}, {}).has_value();
  };
  CHECK(patch(R"({"sync":{"interval_seconds":60}})"));
  CHECK(patch(R"({"sync":{"interval_seconds":3600}})"));
  CHECK_FALSE(patch(R"({"sync":{"interval_seconds":59}})"));
  CHECK_FALSE(patch(R"({"sync":{"interval_seconds":3601}})"));
  CHECK_FALSE(patch(R"({"sync":{"cursor":"x"}})"));
  CHECK_FALSE(patch(R"({"sync":5})"));
}

TEST_CASE("a connection in error is not activated without a usable token") {
  auto c = named("p", "1");
  c.status = connection_status::error;
  connection_patch p;
  p.activate = true;
  CHECK(decide_patch(tenant_state{{}, {c}}, c.id, p, {}, {}).error().code() == errc::conflict);
  c.access_ciphertext = "sealed";
  CHECK(decide_patch(tenant_state{{}, {c}}, c.id, p, {}, {})->status == connection_status::active);
}
