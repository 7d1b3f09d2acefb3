#include "actors/provider_calls.hpp"

#include "base/json.hpp"
#include "domain/provider/url.hpp"

namespace connectord {

provider::sync_context sync_context_of(const services& s, const connection& c) {
  provider::sync_context x;
  x.external_id = c.external_id;
  x.metadata = parse_json_object(c.metadata).value();
  const auto& definition = *s.catalog.find(c.provider);
  std::string otherwise;
  if (const auto client = s.clients.find(c.provider); client != s.clients.end()) {
    x.client_id = client->second.id;
    x.api_base = client->second.api_base;
    otherwise = client->second.region;
  }
  x.region = provider::region_of(definition, x.metadata, otherwise);
  if (const auto own = s.provider_settings.find(c.provider); own != s.provider_settings.end())
    x.settings = own->second;
  x.mail = s.mail;
  return x;
}

}  // namespace connectord
