#include "http/app.hpp"
#include "http/docs.hpp"
#include "http/openapi.hpp"
#include "tests/http/fixture.hpp"
#include "tests/http/printing.hpp"

#include "base/json.hpp"

#include <boost/asio/co_spawn.hpp>

#include <future>
#include <set>

using namespace connectord;
using namespace connectord::web;

namespace {

const auto acme = tenant_id::parse("5b0a0f7e-2b1d-4a56-9c11-7d4f3a0e9b21").value();
const auto other = tenant_id::parse("9c1d0f7e-2b1d-4a56-9c11-7d4f3a0e9b21").value();
const std::string tenant_secret = "cdt_" + std::string(43, 'a');

/// A request with these header lines, as the gate leaves it.
struct headed {
  explicit headed(const std::string& lines) : text("GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n") {
    REQUIRE(parse_head(text, r.head));
    r.received_at = from_millis(1'000'000);
  }
  std::string text;
  request r;
};

tenant_token token_of_acme() {
  tenant_token t;
  t.id = token_id::make();
  t.tenant = acme;
  t.scopes = {"signals:read"};
  return t;
}

authenticator with_token(tenant_token t) {
  return {{secret{std::string{operator_token}}, secret{std::string{"another-operator-token"}}},
          [t](std::string hash) -> asio::awaitable<result<tenant_token>> {
            if (hash != to_hex(bytes_of(sha256(tenant_secret)))) co_return error{errc::unauthorized};
            co_return t;
          }};
}

result<principal> admitted(const authenticator& a, const web::access& needed, const request& r) {
  asio::io_context io;
  std::optional<result<principal>> out;
  asio::co_spawn(io, a.admit(needed, r),
                 [&](std::exception_ptr, result<principal> p) { out = std::move(p); });
  io.run();
  return out.value();
}

errc code_of(const result<principal>& r) { return r ? errc::internal : r.error().code(); }

json::object document() {
  static const test_server server;
  return parse_json_object(openapi_document(server.routes(), "1.2.3")).value();
}

void each_ref(const json::value& v, const std::function<void(std::string_view)>& visit) {
  if (const auto* object = v.if_object()) {
    for (const auto& [key, value] : *object)
      if (key == "$ref")
        visit(value.as_string());
      else
        each_ref(value, visit);
  } else if (const auto* array = v.if_array()) {
    for (const auto& value : *array) each_ref(value, visit);
  }
}

}  // namespace

TEST_CASE("a bearer is one credential after one scheme, in any letter case") {
  CHECK(bearer_of(headed{"Authorization: Bearer abc\r\n"}.r) == "abc");
  CHECK(bearer_of(headed{"authorization: bEARER   abc\r\n"}.r) == "abc");
  for (const char* lines :
       {"", "Authorization: Basic abc\r\n", "Authorization: Bearer\r\n", "Authorization: Bearer \r\n",
        "Authorization: abc\r\n", "Authorization: Bearer a b\r\n", "Authorization: Bearerabc\r\n",
        "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"}) {
    CAPTURE(lines);
    CHECK_FALSE(bearer_of(headed{lines}.r));
  }
}

TEST_CASE("an operator needs the header, whichever of the configured tokens it brings") {
  const auto a = with_token(token_of_acme());
  for (const auto& token : {std::string{operator_token}, std::string{"another-operator-token"}}) {
    const headed named{"Authorization: Bearer " + token + "\r\nX-Tenant-Id: " + acme.str() + "\r\n"};
    const auto who = admitted(a, tenant_with("jobs:read"), named.r);
    REQUIRE(who);
    CHECK(who->is_operator);
    CHECK(who->tenant == acme);
  }
  const std::string bearer = "Authorization: Bearer " + std::string{operator_token} + "\r\n";
  for (const char* header :
       {"", "X-Tenant-Id: 12345\r\n", "X-Tenant-Id: 00000000-0000-0000-0000-000000000000\r\n",
        "X-Tenant-Id: {5b0a0f7e-2b1d-4a56-9c11-7d4f3a0e9b21}\r\n", "X-Tenant-Id:\r\n"}) {
    CAPTURE(header);
    const auto who = admitted(a, any_tenant, headed{bearer + header}.r);
    CHECK(code_of(who) == errc::validation_failed);
    CHECK(who.error().details().contains("X-Tenant-Id"));
  }
  CHECK(admitted(a, operators_only, headed{bearer}.r));
  CHECK(code_of(admitted(
            a, any_tenant,
            headed{bearer + "X-Tenant-Id: " + acme.str() + "\r\nX-Tenant-Id: " + other.str() + "\r\n"}.r)) ==
        errc::tenant_scope_mismatch);
}

TEST_CASE("a tenant token acts for its tenant within its scopes") {
  const auto a = with_token(token_of_acme());
  const std::string bearer = "Authorization: Bearer " + tenant_secret + "\r\n";
  const auto who = admitted(a, tenant_with("signals:read"), headed{bearer}.r);
  REQUIRE(who);
  CHECK_FALSE(who->is_operator);
  CHECK(who->tenant == acme);
  CHECK(who->token.has_value());
  CHECK(admitted(a, any_tenant, headed{bearer + "X-Tenant-Id: " + acme.str() + "\r\n"}.r));
  CHECK(code_of(admitted(a, any_tenant, headed{bearer + "X-Tenant-Id: " + other.str() + "\r\n"}.r)) ==
        errc::tenant_scope_mismatch);
  CHECK(code_of(admitted(a, any_tenant, headed{bearer + "X-Tenant-Id: x\r\n"}.r)) == errc::validation_failed);
  CHECK(code_of(admitted(a, operators_only, headed{bearer}.r)) == errc::forbidden);
  const auto denied = admitted(a, tenant_with("jobs:read"), headed{bearer}.r);
  CHECK(code_of(denied) == errc::forbidden);
  CHECK(denied.error().details().at("required_scope") == "jobs:read");
}

TEST_CASE("unknown, revoked and expired tokens are unauthorized before anything else is looked at") {
  const std::string bearer = "Authorization: Bearer " + tenant_secret + "\r\nX-Tenant-Id: nonsense\r\n";
  auto revoked = token_of_acme(), expired = token_of_acme(), expiring = token_of_acme();
  revoked.revoked_at = from_millis(1);
  expired.expires_at = from_millis(1'000'000);
  expiring.expires_at = from_millis(1'000'001);
  CHECK(code_of(admitted(with_token(revoked), operators_only, headed{bearer}.r)) == errc::unauthorized);
  CHECK(code_of(admitted(with_token(expired), operators_only, headed{bearer}.r)) == errc::unauthorized);
  CHECK(code_of(admitted(with_token(expiring), operators_only, headed{bearer}.r)) == errc::forbidden);
  for (const std::string& token :
       {std::string{"wrong-token"}, std::string{operator_token} + "x", "cdt_" + std::string(43, 'b'),
        "cdt_" + std::string(42, 'a'), "cdt_" + std::string(43, '.')}) {
    CAPTURE(token);
    CHECK(code_of(admitted(with_token(token_of_acme()), operators_only,
                           headed{"Authorization: Bearer " + token + "\r\n"}.r)) == errc::unauthorized);
  }
}

TEST_CASE("static segments win over parameters, and a dead end is left again") {
  test_server server;
  const auto body = [&](const std::string& target) {
    return body_of(talk(server, "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"));
  };
  CHECK(body("/items/static") == R"({"id":"static"})");
  CHECK(body("/items/x%20y") == R"({"id":"x y"})");
  CHECK(body("/items/static/parts/1") == R"({"id":"static"})");
}

TEST_CASE("a table with two routes of one method and path, or of one operation id, is refused") {
  CHECK_THROWS_AS(router({{verb::get, "/a", "one"}, {verb::get, "/a", "two"}}), std::logic_error);
  CHECK_THROWS_AS(router({{verb::get, "/a/{x}", "one"}, {verb::get, "/a/{y}", "two"}}), std::logic_error);
  CHECK_THROWS_AS(router({{verb::get, "/a", "one"}, {verb::get, "/b", "one"}}), std::logic_error);
}

TEST_CASE("every route is in the document, with the access and errors it has") {
  test_server server;
  const auto doc = document();
  CHECK(doc.at("openapi").as_string().starts_with("3.1"));
  CHECK(doc.at("info").at("version") == "1.2.3");
  const auto& paths = doc.at("paths").as_object();
  std::size_t operations = 0;
  std::set<std::string> ids;
  for (const auto& [path, item] : paths)
    for (const auto& [method, operation] : item.as_object()) {
      ++operations;
      CHECK(ids.insert(std::string{operation.at("operationId").as_string()}).second);
      for (const auto& [status, answer] : operation.at("responses").as_object())
        if (status[0] >= '4')
          CHECK(answer.at("content").at("application/problem+json").at("schema").at("$ref") ==
                "#/components/schemas/ApiError");
    }
  CHECK(operations == server.routes().routes().size());
  for (const auto& r : server.routes().routes()) CHECK(ids.contains(std::string{r.operation_id}));

  CHECK(paths.at("/canary").at("get").at("security").as_array().empty());
  const auto& who = paths.at("/whoami").at("post");
  CHECK(who.at("security").as_array().size() == 1);
  CHECK(who.at("parameters").at(0).at("name") == "X-Tenant-Id");
  CHECK(who.at("requestBody").at("required") == false);
  CHECK(who.at("responses").as_object().contains("415"));
  const auto& part = paths.at("/items/{id}/parts/{part}").at("get").at("parameters").as_array();
  CHECK(part.size() == 2);
  CHECK(part.at(0).at("schema").at("format") == "uuid");
  CHECK(part.at(1).at("required") == true);
}

TEST_CASE("every reference in the document of the service leads somewhere") {
  const router served{all_routes(nullptr)};
  const auto doc = parse_json_object(openapi_document(served, "1.2.3")).value();
  CHECK(doc.at("components").at("schemas").at("ApiError").at("properties").as_object().contains("trace_id"));
  each_ref(doc, [&](std::string_view ref) {
    CAPTURE(std::string{ref});
    REQUIRE(ref.starts_with("#/"));
    boost::system::error_code missing;
    const json::value whole = doc;
    CHECK(whole.find_pointer(ref.substr(1), missing) != nullptr);
  });
}

TEST_CASE("the viewer is made of local parts and runs no inline script") {
  const auto page = docs_page();
  CHECK(page.content_type.starts_with("text/html"));
  CHECK(page.body.find("//") == std::string::npos);
  CHECK(page.body.find("<script>") == std::string::npos);
  CHECK(page.content_security_policy.find("unsafe") == std::string_view::npos);
  for (const char* name : {"swagger-ui-bundle.js", "swagger-ui.css", "docs.js"}) {
    CAPTURE(name);
    CHECK(page.body.find(std::string{"docs/"} + name) != std::string::npos);
    CHECK_FALSE(docs_asset(name)->body.empty());
  }
  for (const char* name : {"schemas.json", "docs.html", "../docs.js", ""}) CHECK_FALSE(docs_asset(name));
}
