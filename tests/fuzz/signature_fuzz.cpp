#include "base/crypto.hpp"
#include "base/json.hpp"
#include "config/provider_loader.hpp"
#include "domain/provider/verify.hpp"

#include <cstdint>
#include <cstdlib>
#include <vector>

// Input: which proof, by how many seconds the clocks differ, which bit is damaged on the way, the body.
// A delivery that knows the secret is accepted within the tolerance and only there; one with any other bit
// never.
using namespace connectord;
using namespace connectord::provider;

namespace {

constexpr timestamp now{seconds{1'767'225'600}};
const std::string key_bytes = "key of the fuzzer";

struct choice_of_proof {
  const definition* provider;
  const proof* how;
};

const std::vector<choice_of_proof>& hmac_proofs() {
  static const auto all = config::load_catalog(std::nullopt, true).value();
  static const auto found = [] {
    std::vector<choice_of_proof> out;
    for (const auto& d : all.all())
      for (const auto& p : d.webhook.proofs)
        if (d.webhooks && p.scheme == proof_scheme::hmac) out.push_back({&d, &p});
    return out;
  }();
  return found;
}

void must(bool holds) {
  if (!holds) std::abort();
}

void flip(std::string& bytes, std::size_t bit) {
  auto& damaged = bytes[bit / 8 % bytes.size()];
  damaged = static_cast<char>(damaged ^ (1 << bit % 8));
}

std::string time_text(time_format format, timestamp t) {
  const auto millis = to_millis(t);
  return std::to_string(format == time_format::epoch_ms ? millis : millis / 1000);
}

/// What a provider sends that signs as `p` says.
struct signed_request {
  signed_request(const proof& p, std::string_view content, timestamp signed_at) : how(p), body(content) {
    if (!p.timestamp) return;
    const auto& [format, from] = p.timestamp->time;
    const auto time = time_text(format, signed_at);
    if (from.root == lookup_root::header)
      headers.emplace_back(from.header, time);
    else  // every one so far is a member of the body's object
      body = R"({")" + from.steps.front().name + R"(":)" + time + R"(,"rest":")" + to_hex(content) + R"("})";
  }

  bool signs_body() const {
    for (const auto& piece : how.content)
      if (piece.value && piece.value->root == lookup_root::body) return true;
    return false;
  }

  void sign() {
    std::string signed_text;
    for (const auto& piece : how.content) {
      if (!piece.value)
        signed_text += piece.text;
      else if (piece.value->root == lookup_root::body)
        signed_text += body;
      else
        signed_text += value_of(piece.value->header);
    }
    mac = bytes_of(hmac_sha256(key_bytes, signed_text));
  }

  /// The header's value, which gets one when it has none.
  std::string value_of(const std::string& header) {
    for (const auto& [name, value] : headers)
      if (name == header) return value;
    return headers.emplace_back(header, "message-1").second;
  }

  bool accepted(const definition& provider) const {
    auto all = headers;
    const auto encoded = how.encoding == signature_encoding::hex ? to_hex(mac) : to_base64(mac);
    all.emplace_back(how.header, how.prefix + encoded);
    proof_settings settings;
    settings.variant = how.variant;
    const auto key = how.key_prefix.empty() ? key_bytes : how.key_prefix + to_base64(key_bytes);
    return verify(provider, settings, key, webhook_request{all, body, now}, nullptr).has_value();
  }

  const proof& how;
  header_list headers;
  std::string body, mac;
};

/// Whatever its parts say, a token that no key of the set has signed proves nothing.
void check_jwt(std::string_view text) {
  const key_set keys{{"k-1", std::string(256, '\x7f'), std::string("\x01\x00\x01", 3)}};
  std::string token = "Bearer ";
  for (int part = 0; part < 3; ++part) {
    const auto end = std::min(text.find('\n'), text.size());
    token += (part == 0 ? "" : ".") + to_base64url(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const header_list headers{{"authorization", token}};
  const webhook_request request{headers, "{}", now};
  static_cast<void>(jwt_key_id(request));
  static const auto all = config::load_catalog(std::nullopt, true).value();
  for (const auto& d : all.all()) {
    if (!d.webhooks || !d.proven_by(proof_scheme::jwt_jwks)) continue;
    proof_settings settings;
    settings.audience = "audience";
    settings.issuers = {"issuer"};
    must(!verify(d, settings, "", request, &keys).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view content{reinterpret_cast<const char*>(data + 4), size - 4};
  const auto& [provider, how] = hmac_proofs()[data[0] % hmac_proofs().size()];
  const seconds late{4 * static_cast<std::int8_t>(data[1])};
  const std::size_t bit = data[2] + 256U * data[3];

  signed_request sent{*how, content, now - late};
  sent.sign();
  const bool fresh = !how->timestamp || std::chrono::abs(late) <= how->timestamp->tolerance;
  must(sent.accepted(*provider) == fresh);

  auto other_mac = sent;
  flip(other_mac.mac, bit);
  must(!other_mac.accepted(*provider));
  if (sent.signs_body() && !sent.body.empty()) {
    flip(sent.body, bit);
    must(!sent.accepted(*provider));
  }
  check_jwt(content);
  return 0;
}
