#include "base/json.hpp"
#include "config/provider_loader.hpp"
#include "domain/provider/examine.hpp"
#include "domain/signal.hpp"

#include <cstdint>
#include <cstdlib>

// Input: header lines "name: value", an empty line, the body. Every embedded definition looks at it.
using namespace connectord;

namespace {

void must(bool ok) {
  if (!ok) std::abort();
}

struct request {
  header_list headers;
  std::string_view body;
};

request parsed(std::string_view text) {
  request out;
  for (;;) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      out.body = text;
      return out;
    }
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    out.headers.emplace_back(provider::filtered(provider::text_filter::lower, line.substr(0, colon)),
                             trimmed(line.substr(colon + 1)));
  }
  out.body = text;
  return out;
}

void look(const provider::definition& d, const provider::webhook_request& r) {
  const auto e = provider::examine(d, r);
  if (e.challenge) return;
  must(!e.dedupe_id.empty() && e.body_sha256.size() == 64);
  const bool meant = !e.signals.empty() || e.queues_sync || e.revokes_connection;
  must(meant == (e.outcome == delivery_status::processed));
  for (const auto& s : e.signals) {
    must(is_signal_kind(s.kind) && !s.entity.empty());
    must(is_utf8(s.payload) && s.payload.front() == '{' && s.payload.back() == '}');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto all = config::load_catalog(std::nullopt, true).value();
  static const provider::key_set keys{{"k-1", std::string(256, '\x7f'), std::string("\x01\x00\x01", 3)}};
  const auto r = parsed({reinterpret_cast<const char*>(data), size});
  const provider::webhook_request request{r.headers, r.body, timestamp{std::chrono::seconds{1'767'225'600}}};
  provider::proof_settings settings;
  settings.audience = "audience";
  settings.issuers = {"issuer"};
  static_cast<void>(provider::jwt_key_id(request));
  for (const auto& d : all.all()) {
    if (!d.webhooks) continue;
    for (const auto& p : d.webhook.proofs) {
      settings.variant = p.variant;
      must(!provider::verify(d, settings, "", request, nullptr).has_value());
      // Guessing a 256-bit MAC or an RSA signature is not expected of a fuzzer; a shared token is.
      const bool proven =
          provider::verify(d, settings, "whsec_a2V5IG9mIHRoZSBmdXp6ZXI=", request, &keys).has_value();
      must(!proven || p.scheme == provider::proof_scheme::token);
    }
    look(d, request);
  }
  return 0;
}
