#include "domain/provider/url.hpp"

#include "base/form.hpp"
#include "domain/provider/evaluate.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace connectord::provider {
namespace {

bool climbs(std::string_view value) { return value == "." || value == ".."; }

/// Length of scheme and authority; 0 when there are none.
std::size_t origin_size(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return 0;
  return std::min(url.find_first_of("/?#", scheme + 3), url.size());
}

}  // namespace

result<json::object> url_values(const definition& provider, const account_scope& account) {
  json::object out{{"client_id", account.client_id},
                   {"connection", {{"external_id", account.external_id}}},
                   {"metadata", account.metadata == nullptr ? json::object{} : *account.metadata}};
  if (account.region.empty() || !provider.oauth) return out;
  const auto& regions = provider.oauth->regions;
  const auto hosts = regions.find(std::string{account.region});
  if (hosts == regions.end()) return error{errc::validation_failed, "the connection names an unknown region"};
  json::object region{{"name", account.region}};
  for (const auto& [name, host] : hosts->second) region[name] = host;
  out["region"] = std::move(region);
  return out;
}

std::string region_of(const definition& provider, const json::object& metadata, std::string_view otherwise) {
  if (!provider.oauth || provider.oauth->regions.empty()) return {};
  for (const auto& [member, values] : provider.oauth->account.metadata) {
    const auto* const at = values.size() == 1 ? values.front().single() : nullptr;
    if (at == nullptr || at->text != "region.name") continue;
    const auto* named = metadata.if_contains(member);
    if (named != nullptr && named->is_string()) return std::string{named->get_string()};
  }
  return std::string{otherwise};
}

std::optional<std::string> region_of_host(const definition& provider, std::string_view url) {
  const auto host = filtered(text_filter::host, url);
  if (!provider.oauth || host.empty() || !origin_of(url).starts_with("https://")) return std::nullopt;
  for (const auto& [region, hosts] : provider.oauth->regions)
    if (std::ranges::any_of(hosts, [&](const auto& one) { return one.second == host; })) return region;
  return std::nullopt;
}

result<std::string> resolve_url(const text_template& url, const json::object& values, std::string_view data,
                                const std::optional<std::string>& origin) {
  const header_list no_headers;
  const auto text = json::serialize(values);
  const scene s{.headers = no_headers,
                .body = parse_document(text, parser_slot::body),
                .data = data.empty() ? std::nullopt : parse_document(data, parser_slot::envelope)};
  std::string out;
  for (const auto& piece : url.pieces) {
    const auto value = piece.value ? text_at(*piece.value, s) : std::optional{piece.text};
    if (!value || (piece.value && climbs(*value)))
      return error{errc::validation_failed,
                   "the URL needs " + piece.value->text + ", which has no fit value"};
    out += piece.value ? percent_encoded(*value) : *value;
  }
  if (origin) out.replace(0, origin_size(out), *origin);
  return out;
}

result<std::string> resolve_url(std::string_view url, const json::object& values,
                                const std::optional<std::string>& origin) {
  auto parsed = parse_template(url);
  if (!parsed) return std::move(parsed).error();
  return resolve_url(*parsed, values, {}, origin);
}

std::string with_query(std::string url, const text_pairs& query) {
  for (const auto& [name, value] : query) {
    url += url.find('?') == std::string::npos ? '?' : '&';
    ((url += percent_encoded(name)) += '=') += percent_encoded(value);
  }
  return url;
}

std::string origin_of(std::string_view url) {
  auto out = filtered(text_filter::lower, url.substr(0, origin_size(url)));
  const auto is = [&](std::string_view scheme, std::string_view port) {
    if (!out.starts_with(scheme)) return false;
    if (out.ends_with(port)) out.resize(out.size() - port.size());
    return out.size() > scheme.size();
  };
  if (out.find_first_of("@\\ ") != std::string::npos) return {};
  return is("https://", ":443") || is("http://", ":80") ? out : std::string{};
}

}  // namespace connectord::provider
