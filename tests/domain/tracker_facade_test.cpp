#include "domain/tracker/facade.hpp"
#include "domain/tracker/origin.hpp"

#include <doctest/doctest.h>

using namespace connectord;
using namespace connectord::tracker;

namespace {

const uuid mine = uuid::make();

binding_view in_state(binding_state state) {
  binding_view b;
  b.row.provider = provider::linear;
  b.row.state = state;
  b.project.project_uuid = mine;
  return b;
}

}  // namespace

TEST_CASE("a slug means the project's oldest binding that is not disabled") {
  using enum binding_state;
  CHECK(*meant_by_slug({}) == nullptr);
  const std::vector all{in_state(disabled), in_state(discovered), in_state(active)};
  CHECK(*meant_by_slug(all) == &all[1]);
  const std::vector none{in_state(disabled)};
  const auto refused = meant_by_slug(none);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == errc::mapping_disabled);
}

TEST_CASE("a binding is valid for its own project and provider while it is there and enabled") {
  using enum binding_state;
  const auto verdict = [](binding_state s, provider p, const uuid& project) {
    const auto b = in_state(s);
    return validity_of(&b, p, project);
  };
  CHECK(verdict(active, provider::linear, mine) == validity::valid);
  CHECK(verdict(discovered, provider::linear, mine) == validity::valid);
  CHECK(verdict(disabled, provider::linear, mine) == validity::mapping_disabled);
  CHECK(verdict(deleted, provider::linear, mine) == validity::mapping_deleted);
  CHECK(verdict(active, provider::jira, mine) == validity::project_mismatch);
  CHECK(verdict(active, provider::linear, uuid::make()) == validity::project_mismatch);
  CHECK(validity_of(nullptr, provider::linear, mine) == validity::mapping_deleted);
  auto nameless = in_state(active);
  nameless.project.project_uuid.reset();
  CHECK(validity_of(&nameless, provider::linear, mine) == validity::project_mismatch);
}

TEST_CASE("missions come from two providers only") {
  for (const auto name : words<provider>::all)
    CHECK(has_origins(*parse<provider>(name)) == (name == "jira" || name == "linear"));
}
