#include "domain/provider/discovery.hpp"
#include "storage/tenants.hpp"
#include "tests/support/sync_world.hpp"

#include <stdexcept>

using namespace connectord;

namespace {

/// A tenant with a connection at gitlab, whose account has as many projects as a test likes.
struct discovery_fixture : sync_fixture {
  static constexpr std::size_t page_size = 3;

  std::size_t projects = 7;
  std::size_t pages_shown = 0;
  int status = 200;  ///< of the provider's answers
  connection c;

  discovery_fixture() {
    node.settings->catalog = shipped_catalog();
    node.settings->clients["gitlab"].scopes = {"read_api", "read_user"};
    out.provider = [this](const http_request& r) {
      return fake_provider::is_exchange(r) ? provider.answer(r) : page(r);
    };
    c = consented("gitlab");
  }
  ~discovery_fixture() { end(); }

  connection consented(std::string slug) {
    auto g = granted(account);
    g.provider = std::move(slug);
    g.tokens.scopes = {"read_api"};
    return done_by<stored_connection>(tell(acme, std::move(g))).row;
  }

  http_response page(const http_request& r) {
    if (provider.account_of(r) == nullptr) return fake_provider::failed(401);
    if (status != 200) return fake_provider::failed(status);
    ++pages_shown;
    const auto at = r.url.find("&page=");
    const std::size_t number = at == std::string::npos ? 1 : std::stoul(r.url.substr(at + 6));
    json::array shown;
    for (auto n = (number - 1) * page_size; n < std::min(number * page_size, projects); ++n) {
      const auto name = std::to_string(projects - n);  // the last one first
      shown.push_back(json::object{{"id", n},
                                   {"path_with_namespace", "acme/" + name},
                                   {"namespace", json::object{{"full_path", "acme"}}}});
    }
    http_response answer{200, {}, json::serialize(shown), call_failure::none};
    const auto base = r.url.substr(0, at);
    if (number * page_size < projects)
      answer.headers.emplace_back("link",
                                  "<" + base + "&page=" + std::to_string(number + 1) + ">; rel=\"next\"");
    return answer;
  }

  answer<tenant_outcome> look(bool afresh = false) { return look(c.id, afresh); }
  answer<tenant_outcome> look(const connection_id& id, bool afresh = false) {
    auto asked = tell(acme, discover_resources{id, afresh});
    run();
    return asked;
  }
  static shared_discovery found(const answer<tenant_outcome>& a) {
    REQUIRE(*a);
    REQUIRE((*a)->has_value());
    return std::get<shared_discovery>((*a)->value().value);
  }
  static error refused(const answer<tenant_outcome>& a) {
    REQUIRE(*a);
    REQUIRE_FALSE((*a)->has_value());
    return (*a)->error();
  }
  static std::string reason(const error& e) {
    REQUIRE(e.code() == errc::no_installation);
    return std::string{e.details().at("reason").as_string()};
  }
  /// What happens to the calls from that page on.
  void from_page(std::size_t number, passage p) {
    out.fate = [this, number, p](const http_request&) {
      return pages_shown + 1 >= number ? p : passage::open;
    };
  }
};

}  // namespace

TEST_CASE_FIXTURE(discovery_fixture, "the pages of an account are one list, by name") {
  const auto all = found(look());
  CHECK(all->type == "gitlab_project");
  REQUIRE(all->resources.size() == projects);
  CHECK(all->resources.front().label == "acme/1");
  CHECK(all->resources.back().label == "acme/7");
  CHECK(all->resources.front().ids == std::vector<std::string>{"6", "acme/1"});
  CHECK(all->resources.front().workspaces.front() == "acme");
  CHECK_FALSE(all->partial);
  CHECK(all->read_at == now());
  CHECK(pages_shown == 3);
}

TEST_CASE_FIXTURE(discovery_fixture, "who asks while a look is under way shares it") {
  from_page(1, passage::hold);
  const auto first = look(), second = look(), insistent = look(true);
  from_page(1, passage::open);
  let_all_go();
  CHECK(found(first) == found(second));
  CHECK(found(first) == found(insistent));
  CHECK(pages_shown == 3);
}

TEST_CASE_FIXTURE(discovery_fixture,
                  "what was found is given again for a while, and not to who wants it afresh") {
  const auto first = found(look());
  pass(node.shared->discovery.kept - seconds{1});
  CHECK(found(look()) == first);
  CHECK(pages_shown == 3);
  CHECK(found(look(true)) != first);
  CHECK(pages_shown == 6);
  pass(node.shared->discovery.kept);
  look();
  CHECK(pages_shown == 9);
}

TEST_CASE_FIXTURE(discovery_fixture, "a new consent ends what is remembered: it may show more") {
  look();
  ++projects;
  consented("gitlab");
  CHECK(found(look())->resources.size() == projects);
}

TEST_CASE_FIXTURE(discovery_fixture, "a token that ends between two pages is renewed, once") {
  out.fate = [this](const http_request&) {
    if (pages_shown == 1 && provider.exchanges == 0) provider.expire_access_tokens();
    return passage::open;
  };
  CHECK(found(look())->resources.size() == projects);
  CHECK(provider.exchanges == 1);
  look();  // is remembered although the tokens are others by now
  CHECK(pages_shown == 3);
}

TEST_CASE_FIXTURE(discovery_fixture, "a grant that is gone needs a consent") {
  provider.expire_access_tokens();
  SUBCASE("its new tokens are refused, too") { provider.token_life = seconds{0}; }
  SUBCASE("it has none any more") { provider.revoke(account); }
  CHECK(reason(refused(look())) == "tokens_refused");
  CHECK(pages_shown == 0);
}

TEST_CASE_FIXTURE(discovery_fixture, "a provider that forbids it is a matter of scopes") {
  status = 403;
  const auto e = refused(look());
  CHECK(reason(e) == "access_denied");
  CHECK(e.details().at("missing_scopes") == json::value{"read_user"});
  CHECK(e.details().at("status") == 403);
  status = 200;
  CHECK(found(look())->resources.size() == projects);  // a refusal is not remembered
}

TEST_CASE_FIXTURE(discovery_fixture,
                  "a provider that is ill or full at the first page is a refusal with a pause") {
  from_page(1, passage::unavailable);
  auto e = refused(look());
  CHECK(e.code() == errc::provider_error);
  CHECK(e.retry_after() == 5);
  from_page(1, passage::lose);
  CHECK(refused(look()).code() == errc::provider_error);
  from_page(1, passage::limited);
  e = refused(look());
  CHECK(e.code() == errc::rate_limited);
  CHECK(e.retry_after() == 60);
}

TEST_CASE_FIXTURE(discovery_fixture,
                  "pages that came before trouble are an answer, and it says that there may be more") {
  struct trouble {
    passage what;
    provider::shortfall why;
  };
  for (const auto& [what, why] : {trouble{passage::unavailable, provider::shortfall::provider_error},
                                  trouble{passage::lose, provider::shortfall::provider_error},
                                  trouble{passage::limited, provider::shortfall::rate_limited}}) {
    pages_shown = 0;
    from_page(3, what);
    const auto some = found(look(true));
    CHECK(some->resources.size() == 2 * page_size);
    CHECK(some->partial == why);
  }
}

TEST_CASE_FIXTURE(discovery_fixture, "a provider that is slow costs so long, and no longer") {
  from_page(2, passage::hold);
  const auto asked = look();
  pass_slowly(node.shared->discovery.longest - seconds{1});
  CHECK_FALSE(*asked);
  pass_slowly(seconds{3});
  CHECK(found(asked)->resources.size() == page_size);
  CHECK(found(asked)->partial == provider::shortfall::time);
  let_all_go();  // the late page is for nobody
  CHECK(found(look())->resources.size() == page_size);
}

TEST_CASE_FIXTURE(discovery_fixture,
                  "there is a most, of resources and of pages; just as many are all of them") {
  node.settings->discovery.resources = projects;
  CHECK_FALSE(found(look(true))->partial);
  node.settings->discovery.resources = projects - 1;
  auto some = found(look(true));
  CHECK(some->resources.size() == projects - 1);
  CHECK(some->partial == provider::shortfall::limit);
  node.settings->discovery = {.pages = 2};
  some = found(look(true));
  CHECK(some->resources.size() == 2 * page_size);
  CHECK(some->partial == provider::shortfall::limit);
}

TEST_CASE_FIXTURE(discovery_fixture,
                  "there is nothing to look for without a tracker, a consent or a connection") {
  CHECK(refused(look(connection_id::make())).code() == errc::not_found);
  CHECK(refused(look(consented("gmail").id)).code() == errc::validation_failed);
  auto bare = test_connection("another");
  bare.wanted.provider = "gitlab";
  const auto webhooks_only = done_by<stored_connection>(tell(acme, bare)).row;
  CHECK(reason(refused(look(webhooks_only.id))) == "no_consent");
  done_by<nothing>(tell(acme, delete_connection{c.id, now()}));
  CHECK(reason(refused(look())) == "disconnected");
  CHECK(pages_shown == 0);
}

TEST_CASE_FIXTURE(discovery_fixture, "a tenant that leaves meanwhile sends the asker back to come again") {
  from_page(1, passage::hold);
  const auto asked = look();
  ask<connectord::done>(node.front, steer_tenant{acme, steer_tenant::action::replace});
  run();
  CHECK(refused(asked).code() == errc::service_unavailable);
  from_page(1, passage::open);
  CHECK(found(look())->resources.size() == projects);
}

TEST_CASE_FIXTURE(discovery_fixture, "a look that dies takes nobody along, and the next one works") {
  bool armed = false;
  out.fate = [&](const http_request&) {
    armed = pages_shown == 1;
    return passage::open;
  };
  clock = [&] {
    if (std::exchange(armed, false)) throw std::runtime_error("poison");
    return now();
  };
  CHECK((*look())->has_error());
  out.fate = [](const http_request&) { return passage::open; };
  read_tree everything;
  for (const auto& v : sky.views(everything))
    if (v.kind == "tenant") CHECK_FALSE(v.last_error);
  CHECK(found(look())->resources.size() == projects);
}

TEST_CASE_FIXTURE(discovery_fixture, "a suspended tenant asks no provider") {
  REQUIRE(storage::set_tenant_status(db, acme, tenant_status::suspended, now()).value());
  ask<connectord::done>(node.front, steer_tenant{acme, steer_tenant::action::replace});
  run();
  CHECK(refused(look()).code() == errc::tenant_suspended);
  CHECK(out.calls == 0);
}
