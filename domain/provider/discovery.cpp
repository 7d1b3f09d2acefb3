#include "domain/provider/discovery.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace connectord::provider {
namespace {

constexpr std::size_t longest_name = 512;

bool unusable(const std::string& name) {
  return trimmed(name) != name || name.empty() || name.size() > longest_name || has_control(name);
}

/// Who has no workspace is one of its own.
void tidy(tracker_resource& r) {
  std::erase_if(r.ids, unusable);
  std::erase_if(r.workspaces, unusable);
  if (r.ids.empty()) return;
  if (r.workspaces.empty()) r.workspaces.push_back(r.ids.front());
  if (trimmed(r.label).empty()) r.label = r.ids.front();
}

error installation(std::string_view reason, std::string message) {
  return error{errc::no_installation, std::move(message)}.with("reason", json::string{reason});
}

}  // namespace

std::string_view name_of(shortfall s) {
  constexpr std::array names{"time", "limit", "rate_limited", "provider_error"};
  return names.at(static_cast<std::size_t>(s));
}

result<> may_discover(const definition& provider, const connection& c) {
  if (!provider.tracker) return invalid("provider", "has no issues to bind");
  if (!c.usable()) return installation("disconnected", "The connection was ended: connect it again.");
  if (c.status == connection_status::error) return tokens_refused();
  if (!c.access_ciphertext)
    return installation("no_consent", "The connection was made without a consent: connect its account.");
  return {};
}

error tokens_refused() {
  return installation("tokens_refused",
                      "The provider accepts the connection's tokens no more: connect it again.");
}

error access_denied(std::span<const std::string> wanted, const connection& c) {
  json::array missing;
  for (const auto& scope : wanted)
    if (std::ranges::find(c.scopes, scope) == c.scopes.end()) missing.emplace_back(scope);
  return installation("access_denied", "The provider does not let this connection list what there is.")
      .with("missing_scopes", std::move(missing));
}

std::vector<tracker_resource> arranged(std::vector<tracker_resource> found) {
  std::ranges::for_each(found, tidy);
  std::erase_if(found, [](const auto& r) { return r.ids.empty(); });
  const auto key = [](const tracker_resource& r) { return std::tie(r.label, r.ids.front()); };
  const auto by_id = [](const tracker_resource& r) -> const std::string& { return r.ids.front(); };
  std::ranges::stable_sort(found, {}, by_id);
  const auto twice = std::ranges::unique(found, {}, by_id);
  found.erase(twice.begin(), twice.end());
  std::ranges::sort(found, {}, key);
  return found;
}

}  // namespace connectord::provider
