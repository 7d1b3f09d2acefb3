#include "http/key_sets.hpp"
#include "base/crypto.hpp"
#include "base/json.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <stdexcept>

using namespace connectord;
using namespace connectord::web;

namespace {

std::string jwk(const std::string& kid, const std::string& members = "") {
  return R"({"kty":"RSA","kid":")" + kid + R"(","n":")" + to_base64url(std::string(256, '\xc5')) +
         R"(","e":"AQAB")" + members + "}";
}
std::string document(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }

/// A key server, and a clock that moves when it is told to.
struct world {
  boost::asio::io_context io{1};
  steady_time now{std::chrono::hours{1}};
  int asked = 0;
  bool down = false, broken = false;
  std::string published = document(jwk("k1")), cache_control;
  std::optional<boost::asio::steady_timer> gate;  ///< holds answers back
  key_sets sets{io, [this](std::string url, steady_time) { return answer(std::move(url)); },
                [this] { return now; }};

  asio::awaitable<http_response> answer(std::string) {
    ++asked;
    if (broken) throw std::runtime_error("a bug");
    if (gate) {
      boost::system::error_code ignored;
      co_await gate->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    http_response out{200, {{"cache-control", cache_control}}, published};
    if (down) out = {503, {}, {}};
    co_return out;
  }

  void ask(const std::string& kid, std::function<void(result<key_set_ptr>)> done,
           const std::string& url = "https://keys.example/") {
    asio::co_spawn(io, sets.find(url, kid), [done](std::exception_ptr crash, result<key_set_ptr> got) {
      CHECK_FALSE(crash);
      done(std::move(got));
    });
  }
  void settle() {
    io.restart();
    io.poll();
  }
  /// `k1 k2` of the set that is found; `none` without one.
  std::string found(const std::string& kid, const std::string& url = "https://keys.example/") {
    std::string out = "unanswered";
    ask(
        kid,
        [&out](const result<key_set_ptr>& got) {
          out = got ? "" : "none";
          if (got)
            for (const auto& k : **got) out += (out.empty() ? "" : " ") + k.kid;
        },
        url);
    settle();
    return out;
  }
};

}  // namespace

TEST_CASE("only RSA signature keys of a sane size are taken from a key set") {
  const auto keys = parse_key_set(
      document(jwk("plain") + "," + jwk("full", R"(,"use":"sig","alg":"RS256")") + "," +
               jwk("enc", R"(,"use":"enc")") + "," + jwk("other", R"(,"alg":"PS512")") + "," + jwk("") +
               R"(,{"kty":"EC","kid":"ec","crv":"P-256"},{"kty":"RSA","kid":"no-n","e":"AQAB"},7,)"
               R"({"kty":"RSA","kid":"padded","n":"AQ==","e":"AQAB"})"));
  REQUIRE(keys);
  REQUIRE(keys->size() == 2);
  CHECK(keys->at(0).kid == "plain");
  CHECK(keys->at(0).n == std::string(256, '\xc5'));
  CHECK(keys->at(0).e == std::string("\x01\x00\x01", 3));
  CHECK(keys->at(1).kid == "full");

  for (const auto* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", "{\"keys\":[", "<html>"})
    CHECK_FALSE(parse_key_set(text));
  std::string many = jwk("first");
  for (int i = 0; i < 200; ++i) many += "," + jwk(std::to_string(i));
  CHECK(parse_key_set(document(many))->size() == 64);
}

TEST_CASE("max-age is kept within a minute and a day") {
  CHECK(lifetime_of("") == seconds{300});
  CHECK(lifetime_of("public") == seconds{300});
  CHECK(lifetime_of("public, max-age=19204, must-revalidate") == seconds{19204});
  CHECK(lifetime_of("Max-Age=120") == seconds{120});
  CHECK(lifetime_of("max-age=0") == seconds{60});
  CHECK(lifetime_of("no-store, max-age=500") == seconds{60});
  CHECK(lifetime_of("max-age=604800") == seconds{86400});
  CHECK(lifetime_of("max-age=99999999999999999999") == seconds{86400});
  CHECK(lifetime_of("max-age=soon") == seconds{300});
  CHECK(lifetime_of("max-age=-1,,") == seconds{300});
  CHECK(lifetime_of("s-maxage=7,x-max-age=9") == seconds{300});
}

TEST_CASE("a set is asked for once in its lifetime, and each URL has its own") {
  world w;
  w.cache_control = "max-age=100";
  CHECK(w.found("k1") == "k1");
  w.now += seconds{99};
  CHECK(w.found("k1") == "k1");
  CHECK(w.asked == 1);
  w.now += seconds{1};
  CHECK(w.found("k1") == "k1");
  CHECK(w.asked == 2);
  CHECK(w.found("k1", "https://other.example/") == "k1");
  CHECK(w.asked == 3);
}

TEST_CASE("a rotated key is found at once") {
  world w;
  CHECK(w.found("k1") == "k1");
  w.published = document(jwk("k1") + "," + jwk("k2"));
  CHECK(w.found("k2") == "k1 k2");
  CHECK(w.asked == 2);
  w.published = document(jwk("k3"));
  CHECK(w.found("k3") == "k3");
  CHECK(w.found("k1") == "k3");  // a key that was withdrawn is gone, after one more look
  CHECK(w.asked == 4);
}

TEST_CASE("an unknown key id costs one look a minute") {
  world w;
  w.cache_control = "max-age=86400";
  CHECK(w.found("k1") == "k1");
  for (int i = 0; i < 5; ++i) CHECK(w.found("nobody") == "k1");
  CHECK(w.asked == 2);
  w.now += seconds{59};
  CHECK(w.found("nobody") == "k1");
  CHECK(w.asked == 2);
  w.now += seconds{1};
  CHECK(w.found("nobody") == "k1");
  CHECK(w.asked == 3);
}

TEST_CASE("the look that filled the cache counts for the id that asked for it") {
  world w;
  CHECK(w.found("nobody") == "k1");
  CHECK(w.found("nobody") == "k1");
  CHECK(w.asked == 1);
}

TEST_CASE("ever new key ids cannot make us flood the key server") {
  world w;
  w.cache_control = "max-age=86400";
  CHECK(w.found("k1") == "k1");
  for (int i = 0; i < 100; ++i) w.found("made-up-" + std::to_string(i));
  CHECK(w.asked == 1 + static_cast<int>(key_sets::most_refetches));
  CHECK(w.found(std::string(5000, 'k')) == "k1");
  w.now += seconds{60};
  w.found(std::string(5000, 'k'));
  CHECK(w.asked == 1 + static_cast<int>(key_sets::most_refetches));
  w.found("made-up-again");
  CHECK(w.asked == 2 + static_cast<int>(key_sets::most_refetches));
}

TEST_CASE("however many wait, one fetch is under way") {
  world w;
  w.gate.emplace(w.io, steady_time::max());
  int answered = 0;
  for (int i = 0; i < 50; ++i)
    w.ask(i % 2 ? "k1" : "nobody", [&](const result<key_set_ptr>& got) {
      CHECK(got.has_value());
      ++answered;
    });
  w.settle();
  CHECK(answered == 0);
  CHECK(w.asked == 1);
  w.gate->cancel();
  w.settle();
  CHECK(answered == 50);
  CHECK(w.asked == 1);
}

TEST_CASE("without an answer there are no keys, and old ones are not used beyond their time") {
  world w;
  w.down = true;
  CHECK(w.found("k1") == "none");
  CHECK(w.found("k1") == "none");
  CHECK(w.asked == 1);  // a pause before the next try
  w.now += seconds{1};
  w.down = false;
  w.published = "<html>";
  CHECK(w.found("k1") == "none");
  w.now += seconds{1};
  w.published = document(jwk("k1"));
  CHECK(w.found("k1") == "k1");
  w.down = true;
  CHECK(w.found("other") == "k1");  // the failed look for an unknown id takes nothing away
  CHECK(w.found("k1") == "k1");
  w.now += seconds{300};
  CHECK(w.found("k1") == "none");
  CHECK(w.asked == 5);
}

TEST_CASE("a fetch that crashes is a failed fetch") {
  world w;
  w.broken = true;
  CHECK(w.found("k1") == "none");
  w.broken = false;
  w.now += seconds{1};
  CHECK(w.found("k1") == "k1");
}
