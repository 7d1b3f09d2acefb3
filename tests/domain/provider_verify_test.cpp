#include "tests/domain/provider_support.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <functional>
#include <memory>

using namespace connectord;
using namespace connectord::provider;
using connectord::provider::testing::at;
using connectord::provider::testing::definition_of;
using connectord::provider::testing::definitions;
using connectord::provider::testing::examine_text;
using connectord::provider::testing::reason_of;

namespace {

const timestamp now = at("2026-01-01T12:00:00.400Z");
constexpr std::string_view secret_text = "a-webhook-secret-of-the-test";

void set(header_list& headers, const std::string& name, std::string value) {
  const auto hit = std::ranges::find(headers, name, &header_list::value_type::first);
  if (hit != headers.end())
    hit->second = std::move(value);
  else
    headers.emplace_back(name, std::move(value));
}
void drop(header_list& headers, std::string_view name) {
  std::erase_if(headers, [&](const auto& h) { return h.first == name; });
}
std::string get(const header_list& headers, std::string_view name) {
  return std::ranges::find(headers, name, &header_list::value_type::first)->second;
}

/// A delivery that one proof of a definition accepts, written from the definition alone.
struct signed_delivery {
  const definition* provider;
  const proof* by;
  std::string key;
  header_list headers;
  std::string body;

  const std::string& time_header() const { return by->timestamp->time.from.header; }
  bool time_in_body() const { return by->timestamp && by->timestamp->time.from.root == lookup_root::body; }

  bool covers_body() const {
    return std::ranges::any_of(by->content,
                               [](const auto& p) { return p.value && p.value->root == lookup_root::body; });
  }

  void stamp(timestamp t) {
    if (!by->timestamp) return;
    const auto ms = to_millis(t);
    const auto text = std::to_string(by->timestamp->time.format == time_format::epoch_ms ? ms : ms / 1000);
    if (time_in_body())
      body = R"({"n": 1, ")" + by->timestamp->time.from.steps.front().name + "\": " + text + "}";
    else
      set(headers, time_header(), text);
  }

  void sign() {
    if (by->scheme == proof_scheme::token) {
      set(headers, by->header, (by->prefix.empty() ? "" : by->prefix + " ") + key);
      return;
    }
    std::string content;
    for (const auto& piece : by->content) {
      if (!piece.value)
        content += piece.text;
      else
        content += piece.value->root == lookup_root::body ? body : get(headers, piece.value->header);
    }
    const auto mac =
        hmac_sha256(by->key_prefix.empty() ? key : *from_base64(key.substr(by->key_prefix.size())), content);
    const auto text =
        by->encoding == signature_encoding::hex ? to_hex(bytes_of(mac)) : to_base64(bytes_of(mac));
    set(headers, by->header, by->prefix + text);
  }

  result<> check(std::string_view with_key) const {
    proof_settings settings;
    settings.variant = by->variant;
    return verify(*provider, settings, with_key, {headers, body, now}, nullptr);
  }
  std::string reason() const { return reason_of(check(key)); }
};

std::string key_for(const proof& p) {
  return p.key_prefix.empty() ? std::string{secret_text} : p.key_prefix + to_base64(secret_text);
}

void each_proof(const std::function<void(signed_delivery)>& use) {
  for (const auto& d : definitions().all())
    for (const auto& p : d.webhook.proofs) {
      if (p.scheme == proof_scheme::jwt_jwks) continue;
      CAPTURE(d.slug);
      CAPTURE(p.header);
      signed_delivery made{&d, &p, key_for(p), {}, R"({"id": "x-1"})"};
      for (const auto& piece : p.content)
        if (piece.value && piece.value->root == lookup_root::header)
          set(made.headers, piece.value->header, "id-1");
      made.stamp(now);
      made.sign();
      use(std::move(made));
    }
}

}  // namespace

TEST_CASE("a delivery signed as the definition says is accepted") {
  std::size_t proofs = 0;
  each_proof([&](const signed_delivery& good) {
    CHECK(good.reason() == "accepted");
    ++proofs;
  });
  CHECK(proofs >= 10);
}

TEST_CASE("a delivery without any header that its proof needs is refused") {
  each_proof([](signed_delivery d) {
    for (const auto& [name, value] : header_list{d.headers}) {
      auto less = d;
      drop(less.headers, name);
      const bool time = d.by->timestamp && !d.time_in_body() && name == d.time_header();
      CHECK_MESSAGE(less.reason() == (time ? "missing_timestamp" : "missing_signature"), name);
      set(less.headers, name, "");
      CHECK_MESSAGE(less.reason() == (time ? "missing_timestamp" : "missing_signature"), name);
    }
  });
}

TEST_CASE("another key is refused, and an empty one is whatever was sent") {
  each_proof([](signed_delivery d) {
    const bool token = d.by->scheme == proof_scheme::token;
    const auto mismatch = token ? "invalid_token" : "signature_mismatch";
    const auto right = d.key;
    d.key = d.by->key_prefix.empty() ? "another" : d.by->key_prefix + to_base64("another");
    CHECK(d.reason() == mismatch);
    CHECK_FALSE(d.check("").has_value());
    CHECK_FALSE(d.check(d.by->key_prefix).has_value());
    CHECK_FALSE(d.check(d.by->key_prefix + "!").has_value());
    if (!token) {  // a MAC under the empty key proves nothing either
      d.key = d.by->key_prefix;
      d.sign();
      CHECK_FALSE(d.check("").has_value());
      CHECK_FALSE(d.check(d.by->key_prefix).has_value());
      CHECK(reason_of(d.check(right)) == mismatch);
    }
  });
}

TEST_CASE("one flipped bit of proof or signed content is refused") {
  each_proof([](const signed_delivery& good) {
    const auto value = get(good.headers, good.by->header);
    for (std::size_t i = 0; i < value.size(); ++i) {
      auto d = good;
      auto flipped = value;
      flipped[i] = static_cast<char>(flipped[i] ^ 0x01);
      if (filtered(text_filter::lower, flipped) == filtered(text_filter::lower, value)) continue;
      set(d.headers, good.by->header, flipped);
      CHECK_FALSE(d.check(d.key).has_value());
    }
    if (!good.covers_body()) return;
    for (std::size_t i = 0; i < good.body.size(); ++i) {
      auto d = good;
      d.body[i] = static_cast<char>(d.body[i] ^ 0x10);
      CHECK_FALSE(d.check(d.key).has_value());
    }
  });
}

TEST_CASE("a body that was parsed and written again is refused where the body is signed") {
  each_proof([](signed_delivery d) {
    if (!d.covers_body()) return;
    const auto parsed = parse_json(d.body).value();
    d.body = canonical_json(parsed);
    CHECK(d.reason() == "signature_mismatch");
  });
}

TEST_CASE("a signature that is no signature is malformed") {
  each_proof([](signed_delivery d) {
    if (d.by->scheme != proof_scheme::hmac) return;
    const auto good = get(d.headers, d.by->header);
    std::vector<std::string> bad{good.substr(0, good.size() - 2), good + "00",
                                 d.by->prefix + std::string(64, '!')};
    if (!d.by->prefix.empty()) bad.push_back(good.substr(d.by->prefix.size()));
    for (const auto& text : bad) {
      set(d.headers, d.by->header, text);
      CHECK_MESSAGE(d.reason() == "malformed_signature", text);
    }
  });
}

TEST_CASE("a signed time is accepted up to its tolerance, before and after, and not beyond") {
  each_proof([](signed_delivery d) {
    if (!d.by->timestamp) return;
    const auto tolerance = d.by->timestamp->tolerance;
    for (const auto offset : {tolerance, -tolerance}) {
      d.stamp(now + offset);
      d.sign();
      CHECK(d.reason() == "accepted");
      d.stamp(now + offset + (offset > seconds{0} ? seconds{1} : -seconds{1}));
      d.sign();
      CHECK(d.reason() == "timestamp_out_of_window");
    }
    if (!d.time_in_body()) {
      for (const auto* text : {"abc", "-5", "1e9", "99999999999999999999"}) {
        set(d.headers, d.time_header(), text);
        d.sign();
        CHECK(d.reason() == "malformed_timestamp");
      }
      return;
    }
    for (const auto& [text, reason] : {std::pair{R"({"webhookTimestamp": "soon"})", "malformed_timestamp"},
                                       {"{}", "missing_timestamp"},
                                       {"not json", "missing_timestamp"}}) {
      d.body = text;
      d.sign();
      CHECK(d.reason() == reason);
    }
  });
}

TEST_CASE("the time is checked before the signature, and a setting overrides the tolerance") {
  each_proof([](signed_delivery d) {
    if (!d.by->timestamp) return;
    d.stamp(now - std::chrono::hours{2});
    d.key = d.by->key_prefix.empty() ? "another" : d.by->key_prefix + to_base64("another");
    CHECK(d.reason() == "timestamp_out_of_window");
    d.key = key_for(*d.by);
    d.sign();
    proof_settings settings;
    settings.tolerance = seconds{7200};
    CHECK(verify(*d.provider, settings, d.key, {d.headers, d.body, now}, nullptr).has_value());
  });
}

TEST_CASE("a replayed delivery has the dedupe id of the first") {
  each_proof([](const signed_delivery& d) {
    auto headers = d.headers;
    for (const auto& t : d.provider->webhook.delivery_id)
      for (const auto& piece : t.pieces)
        if (piece.value && piece.value->root == lookup_root::header)
          set(headers, piece.value->header, "delivery-1");
    const auto first = examine_text(*d.provider, d.body, headers, now);
    const auto again = examine_text(*d.provider, d.body, headers, now + std::chrono::hours{1});
    CHECK_FALSE(first.dedupe_id.empty());
    CHECK(first.dedupe_id == again.dedupe_id);
    CHECK(examine_text(*d.provider, d.body + " ", headers, now).body_sha256 != first.body_sha256);
  });
}

TEST_CASE("several signatures in one header are accepted when any of them matches") {
  each_proof([](signed_delivery d) {
    if (!d.by->several) return;
    const auto good = get(d.headers, d.by->header);
    set(d.headers, d.by->header, "v1a,xyz v1," + to_base64(std::string(32, 'x')) + " " + good);
    CHECK(d.reason() == "accepted");
    set(d.headers, d.by->header, "v1a,xyz");
    CHECK(d.reason() == "malformed_signature");
  });
}

TEST_CASE("the setting chooses between variants, and only the chosen header is looked at") {
  const auto& d = definition_of("jira");
  const std::string body = "{}";
  const header_list both{{"authorization", "Bearer " + std::string{secret_text}},
                         {"x-hub-signature", "sha256=" + to_hex(bytes_of(hmac_sha256(secret_text, body)))}};
  const auto reason = [&](const header_list& headers, const std::string& variant) {
    proof_settings settings;
    settings.variant = variant;
    return reason_of(verify(d, settings, secret_text, {headers, body, now}, nullptr));
  };
  for (const auto* variant : {"", "bearer", "hmac"}) CHECK(reason(both, variant) == "accepted");
  CHECK(reason({both[0]}, "hmac") == "missing_signature");
  CHECK(reason({both[1]}, "bearer") == "missing_signature");
  CHECK(reason({both[1]}, "") == "missing_signature");
  CHECK(reason({{"authorization", "bearer " + std::string{secret_text}}}, "") == "accepted");
  CHECK(reason({{"authorization", "Basic " + std::string{secret_text}}}, "") == "missing_signature");
}

// ---- key sets

namespace {

struct rsa_key {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  rsa_key() = default;
  rsa_key(const rsa_key&) = delete;
  rsa_key& operator=(const rsa_key&) = delete;
  ~rsa_key() { EVP_PKEY_free(key); }

  std::string number(const char* name) const {
    BIGNUM* n = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(key, name, &n) == 1);
    std::string out(static_cast<std::size_t>(BN_num_bytes(n)), '\0');
    BN_bn2bin(n, reinterpret_cast<unsigned char*>(out.data()));
    BN_free(n);
    return out;
  }
  jwk published(std::string kid) const {
    return {std::move(kid), number(OSSL_PKEY_PARAM_RSA_N), number(OSSL_PKEY_PARAM_RSA_E)};
  }
  std::string sign(std::string_view text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> c{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    std::size_t size = 0;
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    REQUIRE(EVP_DigestSignInit(c.get(), nullptr, EVP_sha256(), nullptr, key) == 1);
    REQUIRE(EVP_DigestSign(c.get(), nullptr, &size, data, text.size()) == 1);
    std::string out(size, '\0');
    REQUIRE(EVP_DigestSign(c.get(), reinterpret_cast<unsigned char*>(out.data()), &size, data, text.size()) ==
            1);
    out.resize(size);
    return out;
  }
};

struct token_maker {
  rsa_key key;
  json::object header{{"alg", "RS256"}, {"kid", "k-1"}, {"typ", "JWT"}};
  json::object claims{{"aud", "https://connectors.example/hooks"},
                      {"iss", "https://accounts.google.com"},
                      {"email", "push@project.iam.gserviceaccount.com"},
                      {"email_verified", true},
                      {"iat", to_millis(now) / 1000 - 30},
                      {"exp", to_millis(now) / 1000 + 3600}};
  key_set keys{key.published("k-1")};
  proof_settings settings;

  token_maker() {
    settings.audience = "https://connectors.example/hooks";
    settings.issuers = {"accounts.google.com", "https://accounts.google.com"};
  }
  std::string token() const {
    const auto text = to_base64url(json::serialize(header)) + "." + to_base64url(json::serialize(claims));
    return text + "." + to_base64url(key.sign(text));
  }
  std::string reason(const std::string& authorization, const key_set* with) const {
    const header_list headers{{"authorization", authorization}};
    return reason_of(verify(definition_of("gmail"), settings, "", {headers, "{}", now}, with));
  }
  std::string reason() const { return reason("Bearer " + token(), &keys); }
};

}  // namespace

TEST_CASE("a push token of the key set with the right claims is accepted") {
  token_maker m;
  CHECK(m.reason() == "accepted");
  m.settings.subject_email = "push@project.iam.gserviceaccount.com";
  CHECK(m.reason() == "accepted");
  m.claims["exp"] = to_millis(now) / 1000 - 59;
  m.claims["iat"] = to_millis(now) / 1000 + 59;
  CHECK(m.reason() == "accepted");
  const header_list headers{{"authorization", "Bearer " + m.token()}};
  CHECK(jwt_key_id({headers, "", now}) == "k-1");
}

TEST_CASE("a push token with any claim off is refused") {
  const auto with = [](const char* name, json::value value) {
    token_maker m;
    m.claims[name] = std::move(value);
    CHECK_MESSAGE(m.reason() == "invalid_token", name);
  };
  with("aud", "https://connectors.example/hooks/");
  with("aud", json::array{"https://connectors.example/hooks"});
  with("iss", "https://accounts.example");
  with("email_verified", false);
  with("email_verified", "true");
  with("exp", to_millis(now) / 1000 - 62);
  with("iat", to_millis(now) / 1000 + 62);
  for (const auto* name : {"aud", "iss", "email_verified", "exp", "iat"}) with(name, nullptr);
  token_maker other;
  other.settings.subject_email = "somebody@project.iam.gserviceaccount.com";
  CHECK(other.reason() == "invalid_token");
}

TEST_CASE("a push token that this key set did not sign is refused") {
  token_maker m;
  const rsa_key another;
  const key_set foreign{another.published("k-1")}, unknown{m.key.published("k-2")}, empty;
  const auto good = "Bearer " + m.token();
  for (const auto* keys : {&foreign, &unknown, &empty}) CHECK(m.reason(good, keys) == "invalid_token");
  CHECK(m.reason(good, nullptr) == "invalid_token");
  for (std::size_t i = 7; i < good.size(); i += 13) {
    auto flipped = good;
    flipped[i] = flipped[i] == 'A' ? 'B' : 'A';
    CHECK(m.reason(flipped, &m.keys) == "invalid_token");
  }
  for (const auto* text : {"Bearer x", "Bearer a.b", "Bearer ..", "Bearer a.b.c.d"})
    CHECK(m.reason(text, &m.keys) == "invalid_token");
  for (const auto* text : {"", "Bearer", "Bearer ", "Basic abc"})
    CHECK(m.reason(text, &m.keys) == "missing_signature");
  m.header["alg"] = "none";
  CHECK(m.reason() == "invalid_token");
}

TEST_CASE("what is not configured never verifies a push token") {
  token_maker m;
  m.claims["aud"] = "";
  m.settings.audience = "";
  CHECK(m.reason() == "invalid_token");
  token_maker n;
  n.settings.issuers.clear();
  CHECK(n.reason() == "invalid_token");
}
