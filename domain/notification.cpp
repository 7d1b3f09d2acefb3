#include "domain/notification.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "domain/grounding.hpp"

namespace connectord {
namespace {

std::string signing_key(std::string_view token) {
  constexpr std::string_view mark = "whsec_";
  auto decoded = token.starts_with(mark) ? from_base64(token.substr(mark.size())) : std::nullopt;
  return decoded ? *decoded : std::string{token};
}

}  // namespace

std::string notification_body(const tenant_id& t, const grounded_signal& row) {
  const auto evidence = parse_json_object(row.evidence).value();
  std::string out;
  json_writer w{out};
  w.open().member("grounded_signal_id", row.id.text()).member("signal_id", row.signal.text());
  w.member("tenant_id", t.text()).member("total_score", row.scores.total);
  w.raw_member("scores", grounding::to_json(row.scores));
  w.member("status", name_of(row.status));
  w.member("recommendation", row.recommendation).key("evidence_summary").open();
  for (const auto* name : {"keywords", "sources", "cluster_size"})
    w.raw_member(name, canonical_json(evidence.at(name)));
  w.close();
  w.raw_member("occurred_at", canonical_json(evidence.at("source_signal").as_object().at("occurred_at")));
  w.member("created_at", row.created_at).close();
  return out;
}

http_request notification(const std::string& url, const secret& token, const grounded_id& id,
                          std::string body, timestamp now) {
  http_request r;
  r.method = "POST";
  r.url = url;
  const auto at = std::to_string(std::chrono::floor<seconds>(now).time_since_epoch().count());
  r.headers = {{"content-type", "application/json"}, {"webhook-id", id.str()}, {"webhook-timestamp", at}};
  if (const auto bearer = token.reveal(); !bearer.empty()) {
    r.headers.emplace_back("authorization", "Bearer " + std::string{bearer});
    const auto mac = hmac_sha256(signing_key(bearer), {id.text(), ".", at, ".", body});
    r.headers.emplace_back("webhook-signature", "v1," + to_base64(bytes_of(mac)));
  }
  r.body = std::move(body);
  return r;
}

}  // namespace connectord
