#include "domain/provider/discovery.hpp"
#include "tests/domain/provider_support.hpp"

using namespace connectord;
using namespace connectord::provider;
using namespace connectord::provider::testing;

namespace {

connection consented() {
  connection c;
  c.provider = "github";
  c.access_ciphertext = "sealed";
  c.scopes = {"repo"};
  return c;
}

}  // namespace

TEST_CASE("what was found is in the order of its labels, and once") {
  const auto all =
      arranged({{{"2"}, {"w"}, "b"}, {{"1"}, {"w"}, "c"}, {{"2", "x"}, {"w"}, "b"}, {{"3"}, {"w"}, "a"}});
  std::vector<std::string> labels;
  for (const auto& r : all) labels.push_back(r.label);
  CHECK(labels == std::vector<std::string>{"a", "b", "c"});
  CHECK(all[1].ids == std::vector<std::string>{"2"});
}

TEST_CASE("names that no binding can have are left out, and whatever has no other id with them") {
  const std::string long_name(513, 'x');
  const auto all = arranged({{{"a\nb", "7"}, {long_name, "w"}, "usable"},
                             {{std::string{"\0", 1}, " padded", long_name}, {"w"}, "gone"},
                             {{"8"}, {}, " "}});
  REQUIRE(all.size() == 2);
  CHECK(all[0].label == "8");  // it says nothing of itself
  CHECK(all[0].workspaces == std::vector<std::string>{"8"});
  CHECK(all[1].ids == std::vector<std::string>{"7"});
  CHECK(all[1].workspaces == std::vector<std::string>{"w"});
}

TEST_CASE("a connection that only a consent helps says why") {
  const auto& github = definition_of("github");
  CHECK(may_discover(github, consented()).has_value());
  auto c = consented();
  c.access_ciphertext.reset();
  CHECK(reason_of(may_discover(github, c)) == "no_consent");
  c.status = connection_status::error;
  CHECK(reason_of(may_discover(github, c)) == "tokens_refused");
  c.status = connection_status::revoked;
  CHECK(reason_of(may_discover(github, c)) == "disconnected");
  CHECK(may_discover(definition_of("gmail"), consented()).error().code() == errc::validation_failed);
}

TEST_CASE("a denial names the scopes that were not granted") {
  const std::vector<std::string> wanted{"repo", "read:org"};
  const auto e = access_denied(wanted, consented());
  CHECK(e.details().at("missing_scopes") == json::value{"read:org"});
}
